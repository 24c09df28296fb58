import { chmodSync, linkSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareVersions } from "../../../../local/engine/docker/api.ts";
import { type Found, findEngine } from "../../../../local/engine/docker/find.ts";

let home: string;
const open: { close(): unknown }[] = [];
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "binnacle-find-"));
});
afterEach(() => {
  for (const one of open.splice(0)) one.close();
  rmSync(home, { recursive: true, force: true });
});

const versions = (overrides: object = {}) => ({
  Version: "28.2.2",
  ApiVersion: "1.50",
  MinAPIVersion: "1.24",
  Arch: "amd64",
  Components: [],
  ...overrides,
});
const answering =
  (body: unknown, status = 200): RequestListener =>
  (_request, response) => {
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };

/** Serves HTTP at a socket in the home folder. */
async function listen(name: string, listener: RequestListener): Promise<string> {
  const path = join(home, name);
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  open.push({
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  });
  return path;
}

const find = (env: Record<string, string>, timeoutMs = 2_000): Promise<Found> => findEngine({ env, home, timeoutMs });

describe("finding the container engine", () => {
  it("takes the one that DOCKER_HOST names", async () => {
    const socket = await listen("docker.sock", answering(versions()));
    const found = await find({ DOCKER_HOST: `unix://${socket}` });
    expect(found).toMatchObject({
      type: "engine",
      api: { address: `unix://${socket}`, engine: "docker", version: "28.2.2", architecture: "amd64" },
    });
  });

  it("tells podman", async () => {
    const socket = await listen(
      "podman.sock",
      answering(versions({ ApiVersion: "1.41", Components: [{ Name: "Podman Engine", Details: {} }] })),
    );
    expect(await find({ DOCKER_HOST: `unix://${socket}` })).toMatchObject({
      type: "engine",
      api: { engine: "podman", apiVersion: "1.41" },
    });
  });

  it("looks where a user's own engine listens", async () => {
    await listen("docker.sock", answering(versions()));
    const found = await find({ XDG_RUNTIME_DIR: home });
    // A machine may have another engine that is asked before.
    expect(found.type).toBe("engine");
  });

  it.each([
    { newest: "1.41", oldest: "1.24", spoken: "1.41" },
    { newest: "1.60", oldest: "1.44", spoken: "1.45" },
    { newest: "1.90", oldest: "1.60", spoken: "1.60" },
  ])("speaks $spoken with an engine that knows $oldest to $newest", async ({ newest, oldest, spoken }) => {
    const socket = await listen("docker.sock", answering(versions({ ApiVersion: newest, MinAPIVersion: oldest })));
    expect(await find({ DOCKER_HOST: `unix://${socket}` })).toMatchObject({ api: { apiVersion: spoken } });
  });

  it("compares versions by their numbers", () => {
    expect(compareVersions("1.9", "1.41")).toBeLessThan(0);
    expect(compareVersions("2.0", "1.41")).toBeGreaterThan(0);
    expect(compareVersions("1.41", "1.41")).toBe(0);
  });
});

describe("a socket that is there but refuses", () => {
  it("says that nobody listens", async () => {
    const path = join(home, "docker.sock");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    // Its file stays behind, as after a crash.
    linkSync(path, `${path}.dead`);
    await new Promise((resolve) => server.close(resolve));
    expect(await find({ DOCKER_HOST: `unix://${path}.dead` })).toMatchObject({
      type: "refused",
      why: "nobody answers there. Start the engine.",
    });
  });

  it("says that there is none where DOCKER_HOST leads", async () => {
    expect(await find({ DOCKER_HOST: `unix://${home}/none.sock` })).toMatchObject({
      type: "refused",
      why: "there is no such socket. Start the engine, or correct DOCKER_HOST.",
    });
  });

  it("says that the user may not open it, and what to do", async () => {
    const socket = await listen("docker.sock", answering(versions()));
    chmodSync(socket, 0);
    const isRoot = process.getuid?.() === 0;
    // Nothing is closed to root: for a moment this process is somebody else.
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect(await find({ DOCKER_HOST: `unix://${socket}` })).toMatchObject({
        type: "refused",
        why: expect.stringMatching(/^this user may not open it\. Add/),
      });
    } finally {
      if (isRoot) process.seteuid?.(0);
    }
  });

  it("says that something else answers", async () => {
    const socket = await listen("docker.sock", answering("<html>hello</html>"));
    expect(await find({ DOCKER_HOST: `unix://${socket}` })).toMatchObject({
      type: "refused",
      why: "what answers there is no Docker Engine API.",
    });
  });

  it("repeats what it answers", async () => {
    const socket = await listen("docker.sock", answering({ message: "go away" }, 500));
    expect(await find({ DOCKER_HOST: `unix://${socket}` })).toMatchObject({ type: "refused", why: "it answers with HTTP 500: go away" });
  });

  it("does not wait for ever", async () => {
    const socket = await listen("docker.sock", () => {});
    expect(await find({ DOCKER_HOST: `unix://${socket}` }, 100)).toMatchObject({
      type: "refused",
      why: "it does not answer within 0.1 seconds. Is the engine hanging?",
    });
  });
});
