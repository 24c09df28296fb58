import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type ApiError, connect, isNotFound, isUnreachable } from "../../../../local/engine/docker/api.ts";

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

const json = (response: ServerResponse, status: number, body: unknown) =>
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));

/** An engine of API 1.41 that answers everything but its version so. */
async function engine(answer: RequestListener) {
  const folder = mkdtempSync(join(tmpdir(), "binnacle-api-"));
  const server = createServer((request, response) => {
    if (request.url?.startsWith("/version")) {
      json(response, 200, { Version: "20.10", ApiVersion: "1.41", MinAPIVersion: "1.12", Arch: "amd64" });
    } else answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "s"), resolve));
  open.push({
    close: () => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  });
  return connect("unix://test", join(folder, "s"), 2_000);
}

const read = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};

describe("a call of the engine", () => {
  it("names the version, and carries its query and body", async () => {
    const api = await engine((request, response) => {
      void read(request).then((body) => json(response, 201, { url: request.url, type: request.headers["content-type"], body }));
    });
    expect(await api.call("POST", "/things", { query: { name: "a b", filters: { label: ["x=y"] } }, body: { A: 1 } })).toEqual({
      url: `/v1.41/things?name=a%20b&filters=${encodeURIComponent('{"label":["x=y"]}')}`,
      type: "application/json",
      body: '{"A":1}',
    });
  });

  it("sends archives as they are", async () => {
    const api = await engine((request, response) => {
      void read(request).then((body) => json(response, 200, { type: request.headers["content-type"], body }));
    });
    expect(await api.call("PUT", "/archive", { tar: Buffer.from("bytes") })).toEqual({ type: "application/x-tar", body: "bytes" });
  });

  it.each([204, 304])("is content with %i and nothing", async (status) => {
    const api = await engine((_request, response) => response.writeHead(status).end());
    expect(await api.call("POST", "/start")).toBeUndefined();
  });

  it("fails with the engine's own words", async () => {
    const api = await engine((_request, response) => json(response, 404, { message: "No such container: x" }));
    const error = await api.call("GET", "/containers/x/json").catch((failure: unknown) => failure as ApiError);
    expect(error).toMatchObject({ name: "ApiError", status: 404, message: "No such container: x" });
    expect([isNotFound(error), isUnreachable(error)]).toEqual([true, false]);
  });

  it.each([
    { when: "before the answer", answer: (_request: IncomingMessage, response: ServerResponse) => response.destroy() },
    {
      when: "in the middle of it",
      answer: (_request: IncomingMessage, response: ServerResponse) => {
        response.writeHead(200);
        response.write("{", () => response.destroy());
      },
    },
  ])("fails when the engine dies $when, and does not wait for ever", async ({ answer }) => {
    const api = await engine(answer);
    const error = await api.call("POST", "/containers/x/wait").catch((failure: unknown) => failure);
    expect(isUnreachable(error)).toBe(true);
  });

  it("ends when it is given up", async () => {
    const api = await engine((_request, response) => response.writeHead(200).write("{"));
    const giveUp = new AbortController();
    const waiting = api.call("POST", "/containers/x/wait", { signal: giveUp.signal });
    setTimeout(() => giveUp.abort(), 50);
    await expect(waiting).rejects.toThrow();
  });
});
