import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Readable } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ApiError, type EngineApi } from "../../../../local/engine/docker/api.ts";
import { flavourOf } from "../../../../local/engine/docker/flavour.ts";
import { pullImage, splitReference } from "../../../../local/engine/docker/pull.ts";
import { authFiles, registryAuth, registryOf } from "../../../../local/engine/docker/registry-auth.ts";
import { pullPolicyLabel } from "../../../../shared/kubelet/pod-tags.ts";
import { anEngineContainer } from "../../../support/engine-tasks.ts";

const image = "registry.example/app:1";
const digest = `sha256:${"a".repeat(64)}`;

/** An engine with or without the image, and what a pull answers. */
function engine({
  has = false,
  answer = [{ status: "done" }],
  kind = "docker",
}: {
  readonly has?: boolean;
  readonly answer?: object[] | ApiError;
  readonly kind?: EngineApi["engine"];
} = {}) {
  const asked: unknown[] = [];
  const said: unknown[] = [];
  let present = has;
  const api = {
    engine: kind,
    apiVersion: "1.41",
    async call() {
      if (!present) throw new ApiError("no such image", 404);
      return { Id: "sha256:1", RepoDigests: [`other.example/app@sha256:0`, `registry.example/app@${digest}`] };
    },
    async stream(_method: string, _path: string, { query, headers }: { readonly query: object; readonly headers: Record<string, string> }) {
      asked.push(query);
      said.push(JSON.parse(Buffer.from(headers["X-Registry-Auth"] ?? "", "base64url").toString()));
      if (answer instanceof ApiError) throw answer;
      present = !answer.some((line) => "error" in line);
      return Readable.from([Buffer.from(answer.map((line) => JSON.stringify(line)).join("\r\n"))]) as unknown as IncomingMessage;
    },
    libpodStream: (...parameters: Parameters<EngineApi["stream"]>) => api.stream(...parameters),
  } as unknown as EngineApi;
  return { api, asked, said };
}

const pull = (api: EngineApi, policy?: string) =>
  pullImage(
    { api, flavour: flavourOf(api), ownRegistry: () => undefined },
    anEngineContainer({ image, ...(policy && { dockerLabels: { [pullPolicyLabel]: policy } }) }),
    new AbortController().signal,
  );
const failure = [{ status: "pulling" }, { error: "manifest unknown" }];

describe("getting an image", () => {
  it.each([
    { policy: "IfNotPresent", has: true, pulls: 0 },
    { policy: "IfNotPresent", has: false, pulls: 1 },
    { policy: "Always", has: true, pulls: 1 },
    { policy: "Always", has: false, pulls: 1 },
    { policy: "Never", has: true, pulls: 0 },
  ])("$policy, present: $has: $pulls pulls", async ({ policy, has, pulls }) => {
    const { api, asked } = engine({ has });
    expect(await pull(api, policy)).toBe(digest);
    expect(asked).toHaveLength(pulls);
  });

  it("Never: fails where it is not present", async () => {
    await expect(pull(engine().api, "Never")).rejects.toThrow(
      `CannotPullContainerError: Container image "${image}" is not present with pull policy of Never`,
    );
  });

  it.each([
    { how: "in an answer that begins well", answer: failure },
    { how: "at once", answer: new ApiError("manifest unknown", 404) },
  ])("says in ECS' words why it cannot: the engine tells $how", async ({ answer }) => {
    await expect(pull(engine({ answer }).api, "IfNotPresent")).rejects.toMatchObject({
      name: "StartError",
      message: "CannotPullContainerError: manifest unknown",
    });
  });

  it("Always: fails though an older one is present", async () => {
    await expect(pull(engine({ has: true, answer: new ApiError("no route to host", 500) }).api, "Always")).rejects.toThrow(
      "no route to host",
    );
  });

  it("without a policy: does with what is present when the registry cannot be asked, as ECS' agent does", async () => {
    const { api, asked } = engine({ has: true, answer: new ApiError("no route to host", 500) });
    expect(await pull(api)).toBe(digest);
    expect(asked).toHaveLength(1);
  });
});

describe("an image in the account's own registry", () => {
  const own = "127.0.0.1:4566";
  const credentials = { username: "AWS", password: "secret" };
  const pullOwn = (api: EngineApi, name: string) =>
    pullImage(
      { api, flavour: flavourOf(api), ownRegistry: (registry) => (registry === own ? credentials : undefined) },
      anEngineContainer({ image: name }),
      new AbortController().signal,
    );

  it.each([
    { kind: "docker", asks: { fromImage: `${own}/app`, tag: "1" } },
    { kind: "podman", asks: { reference: `${own}/app:1`, tlsVerify: false, policy: "always" } },
  ] as const)("is pulled by $kind without the user's logging in, and without TLS", async ({ kind, asks }) => {
    const { api, asked, said } = engine({ kind });
    await pullOwn(api, `${own}/app:1`);
    expect(asked).toEqual([asks]);
    expect(said).toEqual([{ ...credentials, serveraddress: own }]);
  });

  it("is named by digest, too", async () => {
    const { api, asked } = engine({ kind: "podman" });
    await pullOwn(api, `${own}/app@${digest}`);
    expect(asked).toMatchObject([{ reference: `${own}/app@${digest}` }]);
  });

  it("is the only one that gets these credentials, and goes without TLS", async () => {
    const { api, asked, said } = engine({ kind: "podman" });
    await pullOwn(api, image);
    expect(asked).toEqual([{ fromImage: "registry.example/app", tag: "1" }]);
    expect(said).not.toContainEqual(expect.objectContaining(credentials));
  });
});

describe("an image's name", () => {
  it.each([
    ["nginx", "nginx", "latest"],
    ["nginx:1.29", "nginx", "1.29"],
    ["localhost:5000/app", "localhost:5000/app", "latest"],
    ["localhost:5000/app:2", "localhost:5000/app", "2"],
    [`registry.example/app@${digest}`, "registry.example/app", digest],
    [`registry.example/app:1@${digest}`, "registry.example/app", digest],
  ])("%s is %s and %s", (text, name, reference) => {
    expect(splitReference(text)).toEqual({ name, reference });
  });

  it.each([
    ["nginx", "docker.io"],
    ["library/nginx", "docker.io"],
    ["localhost/app", "localhost"],
    ["localhost:5000/app", "localhost:5000"],
    ["registry.example/a/b:1", "registry.example"],
  ])("%s leads to %s", (text, registry) => {
    expect(registryOf(text)).toBe(registry);
  });
});

describe("credentials for a registry", () => {
  let folder: string;
  const path = process.env.PATH;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "binnacle-auth-"));
  });
  afterEach(() => {
    process.env.PATH = path;
    rmSync(folder, { recursive: true, force: true });
  });
  const file = (content: unknown): readonly string[] => {
    const name = join(folder, "config.json");
    writeFileSync(name, typeof content === "string" ? content : JSON.stringify(content));
    return [name];
  };
  const read = async (name: string, files: readonly string[]) =>
    JSON.parse(Buffer.from(await registryAuth(name, files), "base64url").toString());
  const basic = (text: string) => ({ auth: Buffer.from(text).toString("base64") });

  it("are those that docker login left", async () => {
    const files = file({ auths: { "registry.example": basic("me:se:cret"), "https://index.docker.io/v1/": basic("hub:word") } });
    expect(await read(image, files)).toEqual({ username: "me", password: "se:cret", serveraddress: "registry.example" });
    expect(await read("nginx", files)).toMatchObject({ username: "hub", password: "word" });
    expect(await read("other.example/app", files)).toEqual({});
  });

  it.each([{ content: "no JSON" }, { content: {} }])("are nobody's where there are none", async ({ content }) => {
    expect(await registryAuth(image, file(content))).toBe("e30=");
    expect(await registryAuth(image, [join(folder, "missing.json")])).toBe("e30=");
  });

  it("may be a token", async () => {
    expect(await read(image, file({ auths: { "registry.example": { identitytoken: "t0ken" } } }))).toMatchObject({
      identitytoken: "t0ken",
    });
  });

  it("are asked of the program that keeps them", async () => {
    const program = join(folder, "docker-credential-test");
    writeFileSync(
      program,
      '#!/bin/sh\nread server\n[ "$server" = registry.example ] || exit 1\necho \'{"Username":"me","Secret":"kept"}\'\n',
      { mode: 0o755 },
    );
    process.env.PATH = `${folder}${delimiter}${path}`;
    const files = file({ credHelpers: { "registry.example": "test", "other.example": "test" } });
    expect(await read(image, files)).toMatchObject({ username: "me", password: "kept" });
    expect(await read("other.example/app", files)).toEqual({});
  });

  it("are looked for where Docker and podman keep them", () => {
    expect(authFiles({ REGISTRY_AUTH_FILE: "/a", XDG_RUNTIME_DIR: "/run/user/1" }, "/home/me")).toEqual([
      "/a",
      "/run/user/1/containers/auth.json",
      "/home/me/.docker/config.json",
    ]);
    expect(authFiles({ DOCKER_CONFIG: "/b" }, "/home/me")).toEqual(["/b/config.json"]);
  });
});
