import { describe, expect, it } from "vitest";
import { decodeContinue, encodeContinue } from "../../shared/registry/continue-token.ts";
import { aConfigMap, aPodBody, aRegistry, refusal, type TestRegistry } from "../support/registry.ts";

const names = (items: readonly { readonly metadata: { readonly name: string } }[]) => items.map(({ metadata }) => metadata.name);

async function withConfigMaps(count: number): Promise<TestRegistry> {
  const api = await aRegistry();
  for (let n = 0; n < count; n += 1)
    await api.create("configmaps", aConfigMap(`map-${String(n).padStart(2, "0")}`, {}, { labels: { parity: n % 2 ? "odd" : "even" } }));
  return api;
}

describe("checklist 1: resourceVersion is a decimal integer", () => {
  it("grows with every write to one resource, across objects", async () => {
    const api = await aRegistry();
    const a = await api.create("configmaps", aConfigMap("a"));
    const b = await api.create("configmaps", aConfigMap("b"));
    const changed = await api.patch("configmaps", "a", { type: "merge", body: { data: { k: "v" } } });
    const versions = [a, b, changed].map(({ metadata }) => metadata.resourceVersion);
    for (const version of versions) expect(version).toMatch(/^[1-9]\d*$/);
    expect(versions.map(Number)).toEqual(versions.map(Number).toSorted((x, y) => x - y));
    expect(new Set(versions).size).toBe(3);
  });
});

describe("checklist 2: a list's resourceVersion", () => {
  it("starts a watch without a gap", async () => {
    const api = await withConfigMaps(2);
    const { resourceVersion } = await api.list("configmaps");
    await api.create("configmaps", aConfigMap("later"));
    const watch = await api.watch("configmaps", { resourceVersion });
    await api.clock.advance(2_000);
    expect(watch.said).toEqual(["ADDED later"]);
    await watch.stop();
  });
});

describe("checklist 3: reads at a resourceVersion", () => {
  it("answers the newest state without one, any state for 0, and one not older than N", async () => {
    const api = await aRegistry();
    const { metadata } = await api.create("configmaps", aConfigMap("a"));
    for (const version of [undefined, "0", metadata.resourceVersion]) {
      expect((await api.get("configmaps", "a", version)).metadata.resourceVersion).toBe(metadata.resourceVersion);
      const parameters = version === undefined ? {} : { resourceVersion: version };
      expect(names((await api.list("configmaps", parameters)).items)).toEqual(["a"]);
    }
  });

  it.each(["get", "list"])("%s of a revision from the future is a timeout with a cause that says so", async (verb) => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const future = String(Number((await api.list("configmaps")).resourceVersion) + 1_000_000);
    const asked = refusal(verb === "get" ? api.get("configmaps", "a", future) : api.list("configmaps", { resourceVersion: future }));
    await api.clock.advance(5_000);
    expect(await asked).toMatchObject({
      code: 504,
      reason: "Timeout",
      message: expect.stringMatching(/^Timeout: Too large resource version: \d+, current: \d+$/),
      details: { retryAfterSeconds: 1, causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }] },
    });
  });

  it("takes any number of 64 bits", async () => {
    const api = await aRegistry();
    const future = refusal(api.list("configmaps", { resourceVersion: "18446744073709551615" }));
    await api.clock.advance(5_000);
    expect(await future).toMatchObject({ code: 504, reason: "Timeout" });
    const beyond = await refusal(api.list("configmaps", { resourceVersion: "18446744073709551616" }));
    expect(beyond).toMatchObject({ code: 400, reason: "BadRequest" });
  });

  it("refuses what is no number", async () => {
    const api = await aRegistry();
    expect(await refusal(api.list("configmaps", { resourceVersion: "abc" }))).toMatchObject({ code: 400, reason: "BadRequest" });
  });
});

describe("checklist 4: resourceVersionMatch", () => {
  it.each([
    {
      name: "without a resourceVersion",
      options: { resourceVersionMatch: "Exact" },
      message: "resourceVersionMatch is forbidden unless resourceVersion is provided",
    },
    {
      name: "Exact at 0",
      options: { resourceVersionMatch: "Exact", resourceVersion: "0" },
      message: 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    },
    {
      name: "with a continue token",
      options: { resourceVersionMatch: "NotOlderThan", resourceVersion: "1", continue: "x" },
      message: "resourceVersionMatch is forbidden when continue is provided",
    },
  ] as const)("is refused $name", async ({ options, message }) => {
    const api = await aRegistry();
    const status = await refusal(api.list("configmaps", options));
    expect(status).toMatchObject({ code: 422, reason: "Invalid", details: { kind: "ListOptions", group: "meta.k8s.io" } });
    expect(status.details?.causes?.map((cause) => cause.message)).toContain(`Forbidden: ${message}`);
  });

  it("Exact shows the state at that revision", async () => {
    const api = await withConfigMaps(2);
    const { resourceVersion } = await api.list("configmaps");
    await api.remove("configmaps", "map-00");
    const then = await api.list("configmaps", { resourceVersion, resourceVersionMatch: "Exact" });
    expect(names(then.items)).toEqual(["map-00", "map-01"]);
    expect(then.resourceVersion).toBe(resourceVersion);
    expect(names((await api.list("configmaps", { resourceVersion, resourceVersionMatch: "NotOlderThan" })).items)).toEqual(["map-01"]);
  });
});

describe("checklist 6: limit and continue", () => {
  it("pages show the first page's snapshot and its resourceVersion, in key order", async () => {
    const api = await withConfigMaps(7);
    const first = await api.list("configmaps", { limit: 3 });
    expect(names(first.items)).toEqual(["map-00", "map-01", "map-02"]);
    await api.remove("configmaps", "map-04");
    await api.create("configmaps", aConfigMap("map-035"));
    await api.patch("configmaps", "map-05", { type: "merge", body: { data: { changed: "yes" } } });

    const second = await api.list("configmaps", { limit: 3, continue: first.continue ?? "" });
    expect(names(second.items)).toEqual(["map-03", "map-04", "map-05"]);
    expect(second.items[2]).not.toHaveProperty("data.changed");
    const third = await api.list("configmaps", { limit: 3, continue: second.continue ?? "" });
    expect(names(third.items)).toEqual(["map-06"]);
    expect(third.continue).toBeUndefined();
    expect(new Set([first, second, third].map(({ resourceVersion }) => resourceVersion)).size).toBe(1);
  });

  it.each([0, -1])("a limit of %i is none", async (limit) => {
    const api = await withConfigMaps(3);
    expect((await api.list("configmaps", { limit })).items).toHaveLength(3);
    expect((await api.list("configmaps", { limit, labelSelector: "parity=odd" })).items).toHaveLength(1);
  });

  it("full pages are filled with what a selector wants", async () => {
    const api = await withConfigMaps(9);
    const first = await api.list("configmaps", { limit: 2, labelSelector: "parity=odd" });
    expect(names(first.items)).toEqual(["map-01", "map-03"]);
    const second = await api.list("configmaps", { limit: 2, labelSelector: "parity=odd", continue: first.continue ?? "" });
    expect(names(second.items)).toEqual(["map-05", "map-07"]);
    // What is left may match or not: only looking tells, and one more page ends the list.
    const third = await api.list("configmaps", { limit: 2, labelSelector: "parity=odd", continue: second.continue ?? "" });
    expect([third.items, third.continue]).toEqual([[], undefined]);
  });

  it("the token has upstream's form", () => {
    const token = encodeContinue({ revision: 1_234_000, after: "ns/name" });
    expect(JSON.parse(Buffer.from(token, "base64url").toString())).toEqual({ v: "meta.k8s.io/v1", rv: 1_234_000, start: "ns/name\u0000" });
    expect(decodeContinue(token)).toEqual({ revision: 1_234_000, after: "ns/name" });
  });

  it.each(["not a token", Buffer.from('{"v":"meta.k8s.io/v1","rv":5,"start":"../secrets/x\\u0000"}').toString("base64url")])(
    "refuses a token that is not ours: %s",
    async (token) => {
      const api = await aRegistry();
      expect(await refusal(api.list("configmaps", { limit: 1, continue: token }))).toMatchObject({
        code: 400,
        message: expect.stringMatching(/^invalid continue token: /),
      });
    },
  );

  it("refuses a resourceVersion beside a token", async () => {
    const api = await withConfigMaps(3);
    const { continue: token = "" } = await api.list("configmaps", { limit: 1 });
    expect(await refusal(api.list("configmaps", { continue: token, resourceVersion: "5" }))).toMatchObject({
      message: "specifying resource version is not allowed when using continue",
    });
  });
});

describe("a continue token", () => {
  const start = async () => {
    const api = await withConfigMaps(5);
    const first = await api.list("configmaps", { limit: 2 });
    return { api, first, next: (token: string | undefined) => api.list("configmaps", { limit: 2, continue: token ?? "" }) };
  };

  it("expires after five minutes, also when nothing was written since", async () => {
    const { api, first, next } = await start();
    await api.clock.advance(5 * 60_000);
    expect(names((await next(first.continue)).items)).toEqual(["map-02", "map-03"]);
    await api.clock.advance(1);
    const error = await refusal(next(first.continue));
    expect(error).toMatchObject({ code: 410, reason: "Expired", metadata: { continue: expect.any(String) } });
  });

  it("that expired is answered with one that goes on, in a list under a revision of its own", async () => {
    const { api, first, next } = await start();
    await api.clock.advance(5 * 60_000 + 1);
    const { metadata } = (await refusal(next(first.continue))) as unknown as { metadata: { continue: string } };
    const second = await next(metadata.continue);
    expect(names(second.items)).toEqual(["map-02", "map-03"]);
    expect(Number(second.resourceVersion)).toBeGreaterThan(Number(first.resourceVersion));
    expect(second.remainingItemCount).toBe(1);
    const third = await next(second.continue);
    expect(names(third.items)).toEqual(["map-04"]);
    expect(third.resourceVersion).toBe(second.resourceVersion);
  });

  it("of the rest of an inconsistent list gives a revision to watch and to list from", async () => {
    const { api, first, next } = await start();
    await api.clock.advance(5 * 60_000 + 1);
    const { metadata } = (await refusal(next(first.continue))) as unknown as { metadata: { continue: string } };
    const { resourceVersion } = await next(metadata.continue);
    expect((await api.list("configmaps", { resourceVersion, resourceVersionMatch: "NotOlderThan" })).items).toHaveLength(5);
    const watching = await api.watch("configmaps", { resourceVersion });
    await api.create("configmaps", aConfigMap("new"));
    await expect.poll(() => watching.said).toEqual(["ADDED new"]);
    await watching.stop();
  });
});

describe("checklist 7: remainingItemCount", () => {
  it("is exact without a selector, at the snapshot, and absent with one", async () => {
    const api = await withConfigMaps(7);
    const first = await api.list("configmaps", { limit: 3 });
    expect(first.remainingItemCount).toBe(4);
    await api.create("configmaps", aConfigMap("zzz"));
    const second = await api.list("configmaps", { limit: 3, continue: first.continue ?? "" });
    expect(second.remainingItemCount).toBe(1);
    expect((await api.list("configmaps", { limit: 1, labelSelector: "parity=odd" })).remainingItemCount).toBeUndefined();
    expect((await api.list("configmaps")).remainingItemCount).toBeUndefined();
  });
});

describe("checklist 9: selectors", () => {
  it("selects by label, name and namespace", async () => {
    const api = await withConfigMaps(3);
    await api.create("namespaces", { metadata: { name: "other" } });
    await api.create("configmaps", aConfigMap("map-01"), { namespace: "other" });
    const found = async (options: object) => names((await api.list("configmaps", options)).items);
    expect(await found({ labelSelector: "parity in (even)" })).toEqual(["map-00", "map-02"]);
    expect(await found({ fieldSelector: "metadata.name=map-01" })).toEqual(["map-01", "map-01"]);
    expect(await found({ fieldSelector: "metadata.name!=map-01" })).toEqual(["map-00", "map-02"]);
    expect(await found({ fieldSelector: "metadata.namespace=other" })).toEqual(["map-01"]);
    expect(await found({ namespace: "default", fieldSelector: "metadata.name=map-01,metadata.namespace=other" })).toEqual([]);
  });

  it("knows the fields of a kind", async () => {
    const api = await aRegistry();
    await api.create("pods", aPodBody("bound", { nodeName: "n1" }));
    await api.create("pods", aPodBody("waiting"));
    expect(names((await api.list("pods", { fieldSelector: "spec.nodeName=n1" })).items)).toEqual(["bound"]);
    expect(names((await api.list("pods", { fieldSelector: "spec.nodeName=" })).items)).toEqual(["waiting"]);
  });

  it.each([
    { resource: "pods", message: "field label not supported: spec.nope" },
    { resource: "configmaps", message: '"spec.nope" is not a known field selector: only "metadata.name", "metadata.namespace"' },
    { resource: "jobs.batch", message: 'field label "spec.nope" not supported for Job' },
    {
      resource: "resourceslices.resource.k8s.io",
      message: "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.nope",
    },
  ])("refuses an unknown field of $resource", async ({ resource, message }) => {
    const api = await aRegistry();
    expect(await refusal(api.list(resource, { fieldSelector: "spec.nope=x" }))).toMatchObject({ code: 400, message });
  });
});

describe("an object that did not change", () => {
  it("is answered as the same frozen object each time", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a", { k: "v" }));
    const [one, other] = [await api.get("configmaps", "a"), await api.get("configmaps", "a")];
    expect(other).toBe(one);
    expect(Object.isFrozen(one)).toBe(true);
    expect(Object.isFrozen(one.metadata)).toBe(true);
    expect(Object.isFrozen((one as unknown as { data: object }).data)).toBe(true);
  });
});
