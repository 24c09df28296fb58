import { describe, expect, it } from "vitest";
import { configMaps } from "../../shared/api/kinds.ts";
import { changeFeed } from "../../shared/registry/feed.ts";
import { ringFor } from "../../shared/registry/ring.ts";
import { aConfigMap, aPodBody, aRegistry, refusal } from "../support/registry.ts";

const pod = (parts: object = {}) => ({ ...aPodBody("p"), ...parts });

describe("the change feed", () => {
  it("gives everything at first, then what changed", async () => {
    const api = await aRegistry();
    const feed = changeFeed(api.cluster, api.registry);
    await api.create("configmaps", aConfigMap("a"));
    const first = await feed.read(configMaps, undefined, { consistent: true });
    expect("all" in first && first.all.map(({ metadata }) => metadata.name)).toEqual(["a"]);

    await api.update("configmaps", aConfigMap("a", { k: "v" }));
    await api.create("configmaps", aConfigMap("b"));
    await api.remove("configmaps", "a");
    const then = await feed.read(configMaps, first.revision, { consistent: true });
    if (!("changes" in then)) throw new Error("expected changes");
    expect(then.changes.map(({ previous, next }) => [previous?.metadata.name, next?.metadata.name])).toEqual([
      ["a", "a"],
      [undefined, "b"],
      ["a", undefined],
    ]);
    expect(then.changes[0]?.next?.data).toEqual({ k: "v" });
    const quiet = await feed.read(configMaps, then.revision, { consistent: true });
    expect(quiet).toEqual({ changes: [], revision: then.revision });
  });

  it("shares objects with whoever else reads them", async () => {
    const api = await aRegistry();
    const feed = changeFeed(api.cluster, api.registry);
    await api.create("configmaps", aConfigMap("a"));
    const fed = await feed.read(configMaps, undefined, { consistent: true });
    expect("all" in fed && fed.all[0]).toBe(await api.get("configmaps", "a"));
  });

  it("without consistency sees this process' own commits", async () => {
    const api = await aRegistry();
    const feed = changeFeed(api.cluster, api.registry);
    const { revision } = await feed.read(configMaps, undefined, { consistent: true });
    await api.create("configmaps", aConfigMap("a"));
    const fed = await feed.read(configMaps, revision, { consistent: false });
    expect("changes" in fed && fed.changes).toHaveLength(1);
  });

  it("gives everything again when the changes are gone", async () => {
    const api = await aRegistry();
    const feed = changeFeed(api.cluster, api.registry);
    const { revision } = await feed.read(configMaps, undefined, { consistent: true });
    for (const name of ["a", "b", "c"]) await api.create("configmaps", aConfigMap(name));
    await api.forgetHistory();
    await api.clock.advance(3 * 24 * 3_600_000);
    while (await api.store.maintain("test", { untilMs: api.clock.now().getTime() + 1_000 }));
    const late = await aRegistry({ table: api.table, clock: api.clock });
    const fed = await changeFeed(late.cluster, late.registry).read(configMaps, revision, { consistent: true });
    expect("all" in fed && fed.all).toHaveLength(3);
  });

  it("says NotFound of a kind that is not served", async () => {
    const api = await aRegistry();
    const feed = changeFeed(api.cluster, api.registry);
    const unknown = { group: "example.com", version: "v1", kind: "X", plural: "xs", namespaced: true };
    expect(await refusal(feed.read(unknown, undefined, { consistent: true }))).toMatchObject({ reason: "NotFound" });
  });
});

describe("trap 28: whom a change rings", () => {
  const bound = pod({ spec: { nodeName: "n" } });

  it.each([
    { name: "a ConfigMap", storage: "configmaps", next: aConfigMap("a"), previous: undefined, rings: ["reconciler"] },
    { name: "an Event", storage: "events", next: {}, previous: undefined, rings: [] },
    { name: "a Lease", storage: "leases.coordination.k8s.io", next: {}, previous: {}, rings: [] },
    { name: "a Pod without a node", storage: "pods", next: pod(), previous: undefined, rings: ["reconciler"] },
    { name: "a Pod that is bound", storage: "pods", next: bound, previous: pod(), rings: ["reconciler", "kubelet"] },
    {
      name: "a Pod whose status was reported",
      storage: "pods",
      next: { ...bound, status: { phase: "Running" } },
      previous: bound,
      rings: ["reconciler"],
    },
    {
      name: "a Pod that is to be stopped",
      storage: "pods",
      next: { ...bound, metadata: { name: "p", deletionTimestamp: "2026-01-01T00:00:30Z" } },
      previous: bound,
      rings: ["reconciler", "kubelet"],
    },
    {
      name: "a Node's heartbeat",
      storage: "nodes",
      next: { metadata: { name: "n" }, status: { conditions: [{ type: "Ready", lastHeartbeatTime: "2" }] } },
      previous: { metadata: { name: "n" }, status: { conditions: [{ type: "Ready", lastHeartbeatTime: "1" }] } },
      rings: [],
    },
    {
      name: "a Node that became ready",
      storage: "nodes",
      next: { metadata: { name: "n" }, status: { conditions: [{ type: "Ready", status: "True" }] } },
      previous: { metadata: { name: "n" }, status: { conditions: [{ type: "Ready", status: "False" }] } },
      rings: ["reconciler", "capacity"],
    },
  ])("$name: $rings", ({ storage, next, previous, rings }) => {
    expect(ringFor({ storage }, next, previous)).toEqual(rings);
  });
});
