import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { fakeClock } from "../../support/fake-clock.ts";
import { type LocalRegistry, ociImage, ociIndex, sha256, startLocalRegistry } from "../../support/local-registry.ts";

const clock = fakeClock();
let registry: LocalRegistry;
beforeEach(async () => {
  registry = await startLocalRegistry({ clock });
  await registry.call("CreateRepository", { repositoryName: "shop/web" });
  return () => registry.stop();
});

const ask: LocalRegistry["ask"] = (...parameters) => registry.ask(...parameters);
const refusal = async (answer: Response | Promise<Response>) => {
  const response = await answer;
  const { errors } = (await response.json()) as { errors: { code: string }[] };
  return `${response.status} ${errors[0]?.code}`;
};
const begin = async (repository = "shop/web") => (await ask("POST", `${repository}/blobs/uploads/`)).headers.get("location") ?? "";
const layer = "the bytes of a layer";

describe("who may use the registry", () => {
  const version = (authorization?: string) =>
    fetch(`${registry.url}/v2/`, { headers: authorization ? { Authorization: authorization } : {} });
  const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;

  it("is asked to log in, as by Amazon ECR", async () => {
    const answer = await version();
    expect(answer.headers.get("www-authenticate")).toBe(`Basic realm="${registry.url}/",service="ecr.amazonaws.com"`);
    expect(await refusal(answer)).toBe("401 UNAUTHORIZED");
    expect((await version(basic("AWS:guess"))).status).toBe(401);
    expect((await version(basic(`root:${registry.login.password}`))).status).toBe(401);
  });

  it("is whoever has an authorization token, for twelve hours", async () => {
    const { authorizationData } = await registry.call("GetAuthorizationToken");
    const [{ authorizationToken, expiresAt, proxyEndpoint }] = authorizationData;
    expect(proxyEndpoint).toBe(registry.url);
    expect(expiresAt * 1_000 - clock.now().getTime()).toBe(12 * 60 * 60_000);
    expect((await version(`Basic ${authorizationToken}`)).status).toBe(200);
    await clock.advance(12 * 60 * 60_000);
    expect(await refusal(version(`Basic ${authorizationToken}`))).toBe("403 DENIED");
  });

  it("keeps its token when the registry is started again", async () => {
    const { authorizationData } = await registry.call("GetAuthorizationToken");
    registry = await registry.restart();
    expect((await version(`Basic ${authorizationData[0].authorizationToken}`)).status).toBe(200);
  });
});

describe("a layer", () => {
  const get = (digest: string, headers = {}) => ask("GET", `shop/web/blobs/${digest}`, { headers });

  it("is pushed in one request", async () => {
    const digest = sha256(layer);
    const answer = await ask("POST", `shop/web/blobs/uploads/?digest=${digest}`, { body: layer });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe(`/v2/shop/web/blobs/${digest}`);
    expect(await (await get(digest)).text()).toBe(layer);
  });

  it("is pushed in pieces", async () => {
    const location = await begin();
    const first = await ask("PATCH", location, { body: layer.slice(0, 5), headers: { "Content-Range": "0-4" } });
    expect([first.status, first.headers.get("range")]).toEqual([202, "0-4"]);
    const second = await ask("PATCH", first.headers.get("location") ?? "", { body: layer.slice(5, 9) });
    expect(second.headers.get("range")).toBe("0-8");
    expect((await ask("GET", location)).headers.get("range")).toBe("0-8");
    const last = await ask("PUT", `${location}?digest=${sha256(layer)}`, { body: layer.slice(9) });
    expect(last.status).toBe(201);
    expect(last.headers.get("docker-content-digest")).toBe(sha256(layer));
    expect(await (await get(sha256(layer))).text()).toBe(layer);
  });

  it("is refused where a piece is missing", async () => {
    const location = await begin();
    await ask("PATCH", location, { body: layer.slice(0, 5) });
    const answer = await ask("PATCH", location, { body: layer.slice(9), headers: { "Content-Range": "9-19" } });
    expect(answer.headers.get("range")).toBe("0-4");
    expect(await refusal(answer)).toBe("416 RANGE_INVALID");
  });

  it("is sent by one client at a time", async () => {
    const location = await begin();
    let more = () => {};
    const slow = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from(layer));
        more = () => controller.close();
      },
    });
    const authorization = `Basic ${Buffer.from(`AWS:${registry.login.password}`).toString("base64")}`;
    const options = { method: "PATCH", headers: { Authorization: authorization }, body: slow, duplex: "half" };
    const first = fetch(new URL(location, registry.url), options as RequestInit);
    await vi.waitFor(async () => expect((await ask("GET", location)).headers.get("range")).toBe(`0-${layer.length - 1}`));
    expect(await refusal(ask("PATCH", location, { body: "x" }))).toBe("400 BLOB_UPLOAD_INVALID");
    more();
    expect((await first).status).toBe(202);
  });

  it("is not stored when its bytes are not those of its digest", async () => {
    const location = await begin();
    const answer = ask("PUT", `${location}?digest=${sha256("something else")}`, { body: layer });
    expect(await refusal(answer)).toBe("400 DIGEST_INVALID");
    expect(await refusal(ask("GET", location))).toBe("404 BLOB_UPLOAD_UNKNOWN");
    expect((await get(sha256(layer))).status).toBe(404);
    expect(await refusal(ask("PUT", `${await begin()}?digest=md5:abc`, { body: layer }))).toBe("400 DIGEST_INVALID");
  });

  it("is given up, by the client or after a day", async () => {
    const location = await begin();
    expect((await ask("DELETE", location)).status).toBe(204);
    expect((await ask("GET", location)).status).toBe(404);
    const abandoned = await begin();
    await clock.advance(25 * 60 * 60_000);
    registry = await registry.restart();
    await begin();
    expect((await ask("GET", abandoned)).status).toBe(404);
    expect(readdirSync(join(registry.folder, "images/incoming"))).toHaveLength(1);
  });

  it("is mounted from another repository, without sending it again", async () => {
    await registry.call("CreateRepository", { repositoryName: "other" });
    const digest = await registry.putBlob("shop/web", layer);
    const answer = await ask("POST", `other/blobs/uploads/?mount=${digest}&from=shop/web`);
    expect([answer.status, answer.headers.get("location")]).toEqual([201, `/v2/other/blobs/${digest}`]);
    expect((await ask("HEAD", `other/blobs/${digest}`)).status).toBe(200);
    const unknown = await ask("POST", `other/blobs/uploads/?mount=${sha256("?")}&from=shop/web`);
    expect([unknown.status, unknown.headers.has("location")]).toEqual([202, true]);
    expect((await ask("POST", `other/blobs/uploads/?mount=${digest}&from=nowhere`)).status).toBe(202);
  });

  it("is told by its head, and read by ranges", async () => {
    const digest = await registry.putBlob("shop/web", layer);
    const head = await ask("HEAD", `shop/web/blobs/${digest}`);
    expect([head.headers.get("content-length"), head.headers.get("docker-content-digest")]).toEqual([String(layer.length), digest]);
    const part = await get(digest, { Range: "bytes=4-8" });
    expect([part.status, part.headers.get("content-range"), await part.text()]).toEqual([206, `bytes 4-8/${layer.length}`, "bytes"]);
    expect(await (await get(digest, { Range: "bytes=15-" })).text()).toBe("layer");
    expect(await (await get(digest, { Range: "bytes=-5" })).text()).toBe("layer");
    expect(await refusal(get(digest, { Range: "bytes=99-" }))).toBe("416 RANGE_INVALID");
    expect((await get(digest, { Range: "bytes=0-1,3-4" })).status).toBe(200);
  });

  it("is stored once for all repositories, in a file named by its digest, and may be large", async () => {
    const large = Buffer.alloc(20 << 20, "large");
    await registry.call("CreateRepository", { repositoryName: "other" });
    const digest = await registry.putBlob("shop/web", large);
    await registry.putBlob("other", large);
    const hex = digest.slice("sha256:".length);
    expect(statSync(join(registry.folder, "images/sha256", hex.slice(0, 2), hex)).size).toBe(large.length);
    expect(sha256(Buffer.from(await (await get(digest)).arrayBuffer()))).toBe(digest);
  });

  it("is not deleted by itself", async () => {
    expect(await refusal(ask("DELETE", `shop/web/blobs/${await registry.putBlob("shop/web", layer)}`))).toBe("405 UNSUPPORTED");
  });
});

describe("an image", () => {
  it("is had by its tag and by its digest, byte for byte", async () => {
    const digest = await registry.putImage("shop/web", "v1");
    for (const reference of ["v1", digest]) {
      const answer = await ask("GET", `shop/web/manifests/${reference}`);
      expect(answer.headers.get("content-type")).toBe(ociImage);
      expect(answer.headers.get("docker-content-digest")).toBe(digest);
      expect(sha256(await answer.text())).toBe(digest);
    }
    const head = await ask("HEAD", "shop/web/manifests/v1");
    expect([head.status, head.headers.get("docker-content-digest")]).toEqual([200, digest]);
  });

  it("survives a restart of the registry", async () => {
    const digest = await registry.putImage("shop/web", "v1", { layers: [layer] });
    registry = await registry.restart();
    expect((await ask("GET", "shop/web/manifests/v1")).headers.get("docker-content-digest")).toBe(digest);
    expect(await (await ask("GET", `shop/web/blobs/${sha256(layer)}`)).text()).toBe(layer);
  });

  it("needs its repository, its layers and, for an index, its images", async () => {
    expect(await refusal(ask("GET", "nowhere/manifests/v1"))).toBe("404 NAME_UNKNOWN");
    expect(await refusal(ask("POST", "nowhere/blobs/uploads/"))).toBe("404 NAME_UNKNOWN");
    expect(await refusal(ask("GET", "shop/web/manifests/v1"))).toBe("404 MANIFEST_UNKNOWN");
    const missing = { mediaType: "x", digest: sha256("missing"), size: 1 };
    const image = { schemaVersion: 2, config: missing, layers: [] };
    expect(await refusal(registry.putManifest("shop/web", "v1", image))).toBe("404 MANIFEST_BLOB_UNKNOWN");
    const index = { schemaVersion: 2, manifests: [{ ...missing, mediaType: ociImage }] };
    expect(await refusal(registry.putManifest("shop/web", "v1", index, ociIndex))).toBe("404 MANIFEST_BLOB_UNKNOWN");
  });

  it("may have layers that are elsewhere", async () => {
    const config = { mediaType: "x", digest: await registry.putBlob("shop/web", "{}"), size: 2 };
    const foreign = { mediaType: "y", digest: sha256("foreign"), size: 7, urls: ["https://layers.example/1"] };
    expect((await registry.putManifest("shop/web", "v1", { schemaVersion: 2, config, layers: [foreign] })).status).toBe(201);
  });

  it.each([
    ["no JSON", "{", "400 MANIFEST_INVALID"],
    ["another schema", JSON.stringify({ schemaVersion: 1 }), "400 MANIFEST_INVALID"],
    ["another media type than it says", JSON.stringify({ schemaVersion: 2, mediaType: ociIndex, manifests: [] }), "400 MANIFEST_INVALID"],
    [
      "a digest that is none",
      JSON.stringify({ schemaVersion: 2, config: { digest: "sha256:1", size: 1 }, layers: [] }),
      "400 MANIFEST_INVALID",
    ],
    ["more than four MiB", " ".repeat((4 << 20) + 1), "400 MANIFEST_INVALID"],
  ])("is refused with %s", async (_what, body, expected) => {
    expect(await refusal(ask("PUT", "shop/web/manifests/v1", { headers: { "Content-Type": ociImage }, body }))).toBe(expected);
  });

  it("is refused under a digest that is not its own, and under what is no tag", async () => {
    const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [] };
    expect(await refusal(registry.putManifest("shop/web", sha256("other"), index, ociIndex))).toBe("400 DIGEST_INVALID");
    expect(await refusal(registry.putManifest("shop/web", "-v1", index, ociIndex))).toBe("400 TAG_INVALID");
    const own = sha256(JSON.stringify(index));
    expect((await registry.putManifest("shop/web", own, index, ociIndex)).status).toBe(201);
  });

  it("leaves its tag to another one, unless tags are immutable", async () => {
    const first = await registry.putImage("shop/web", "v1");
    const second = await registry.putImage("shop/web", "v1", { layers: ["other"] });
    expect((await ask("HEAD", "shop/web/manifests/v1")).headers.get("docker-content-digest")).toBe(second);
    expect((await ask("HEAD", `shop/web/manifests/${first}`)).status).toBe(200);
    await registry.call("PutImageTagMutability", { repositoryName: "shop/web", imageTagMutability: "IMMUTABLE" });
    const manifest = JSON.parse(await (await ask("GET", `shop/web/manifests/${first}`)).text());
    expect(await refusal(registry.putManifest("shop/web", "v1", manifest))).toBe("400 TAG_INVALID");
    expect(await registry.putImage("shop/web", "v1", { layers: ["other"] })).toBe(second);
  });

  it("is deleted with what only it had", async () => {
    await registry.putImage("shop/web", "v1", { layers: ["shared", "alone"] });
    await registry.putImage("shop/web", "v2", { layers: ["shared"] });
    expect((await ask("DELETE", "shop/web/manifests/v1")).status).toBe(202);
    expect((await ask("HEAD", `shop/web/blobs/${sha256("shared")}`)).status).toBe(200);
    expect((await ask("HEAD", `shop/web/blobs/${sha256("alone")}`)).status).toBe(404);
    const hex = sha256("alone").slice("sha256:".length);
    expect(existsSync(join(registry.folder, "images/sha256", hex.slice(0, 2), hex))).toBe(false);
  });
});

describe("tags", () => {
  it("are listed in their order, page by page", async () => {
    for (const tag of ["b", "a", "c"]) await registry.putImage("shop/web", tag);
    expect(await (await ask("GET", "shop/web/tags/list")).json()).toEqual({ name: "shop/web", tags: ["a", "b", "c"] });
    const first = await ask("GET", "shop/web/tags/list?n=2");
    expect(await first.json()).toMatchObject({ tags: ["a", "b"] });
    const [, next = ""] = /^<(.*)>; rel="next"$/.exec(first.headers.get("link") ?? "") ?? [];
    const second = await ask("GET", next);
    expect([await second.json(), second.headers.get("link")]).toEqual([{ name: "shop/web", tags: ["c"] }, null]);
    expect(await (await ask("GET", "shop/web/tags/list?n=0")).json()).toMatchObject({ tags: [] });
  });
});

describe("what refers to an image", () => {
  const referrers = async (digest: string, type = "") =>
    ask("GET", `shop/web/referrers/${digest}${type && `?artifactType=${encodeURIComponent(type)}`}`);

  it("is an index of signatures and the like", async () => {
    const image = await registry.putImage("shop/web", "v1");
    const annotations = { "org.example.signer": "me" };
    const signature = await registry.putImage("shop/web", "sig", {
      subject: image,
      artifactType: "application/vnd.example.signature",
      annotations,
    });
    const bill = await registry.putImage("shop/web", "sbom", { subject: image, layers: ["bill of materials"] });
    const all = await referrers(image);
    expect(all.headers.get("content-type")).toBe(ociIndex);
    const { manifests, ...index } = (await all.json()) as { manifests: { digest: string; size: number }[] };
    expect(index).toEqual({ schemaVersion: 2, mediaType: ociIndex });
    expect(manifests).toHaveLength(2);
    expect(manifests).toContainEqual({
      mediaType: ociImage,
      digest: signature,
      size: expect.any(Number),
      artifactType: "application/vnd.example.signature",
      annotations,
    });
    expect(manifests).toContainEqual(expect.objectContaining({ digest: bill, artifactType: "application/vnd.oci.image.config.v1+json" }));
    const manifest = Buffer.from(await (await ask("GET", `shop/web/manifests/${signature}`)).arrayBuffer());
    expect(manifests.find(({ digest }) => digest === signature)?.size).toBe(manifest.length);

    const some = await referrers(image, "application/vnd.example.signature");
    expect(some.headers.get("oci-filters-applied")).toBe("artifactType");
    expect(((await some.json()) as typeof index & { manifests: object[] }).manifests).toHaveLength(1);
  });

  it("may be there before the image is", async () => {
    const absent = sha256("not yet");
    const body = { schemaVersion: 2, mediaType: ociIndex, manifests: [], subject: { mediaType: ociImage, digest: absent, size: 7 } };
    const answer = await registry.putManifest("shop/web", "sig", body, ociIndex);
    expect(answer.headers.get("oci-subject")).toBe(absent);
    expect(await (await referrers(absent)).json()).toMatchObject({ manifests: [{ mediaType: ociIndex }] });
  });

  it("is an empty index where there is nothing", async () => {
    expect(await (await referrers(sha256("nothing"))).json()).toEqual({ schemaVersion: 2, mediaType: ociIndex, manifests: [] });
    expect(await refusal(referrers("sha256:1"))).toBe("400 DIGEST_INVALID");
  });
});

describe("what Amazon ECR does not have", () => {
  it.each([
    ["a catalog", "GET", "_catalog"],
    ["uploads to nowhere", "PUT", "shop/web/blobs/uploads/"],
    ["another list than that of tags", "GET", "shop/web/tags/all"],
  ])("%s", async (_what, method, path) => {
    expect(await refusal(ask(method, path))).toBe("405 UNSUPPORTED");
  });
});
