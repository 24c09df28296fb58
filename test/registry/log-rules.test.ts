import { describe, expect, it } from "vitest";
import type { ConfigMap, Pod } from "../../shared/api/generated/types.ts";
import { configMaps, pods } from "../../shared/api/kinds.ts";
import type { Draft, JsonObject } from "../../shared/api/objects.ts";
import { StatusError } from "../../shared/errors/status-error.ts";
import { inProcessClient } from "../../shared/registry/client.ts";
import { aConfigMap, aPodBody, aRegistry, driven, refusal, type TestRegistry } from "../support/registry.ts";

/** Two processes over one table: each has its own cache. */
async function twoProcesses(): Promise<readonly [TestRegistry, TestRegistry]> {
  const one = await aRegistry();
  return [one, await aRegistry({ table: one.table, clock: one.clock })];
}

const patch = (api: TestRegistry, key: string) => api.patch("configmaps", "a", { type: "merge", body: { data: { [key]: "v" } } });

const owned = (name: string, uid: string): Draft<Pod> => ({
  metadata: {
    name,
    namespace: "default",
    ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "rs", uid, controller: true }],
  },
  spec: { containers: [{ name: "web", image: "nginx:1" }] },
});

const setup = async () => {
  const api = await aRegistry();
  return { api, client: inProcessClient(api.registry, { cluster: "test", part: "tester" }) };
};

describe("rule 11: refusals and no-ops need a fresh head too", () => {
  it("what another process just changed is what a write is judged by", async () => {
    const [one, other] = await twoProcesses();
    await one.create("configmaps", aConfigMap("a", { k: "1" }));
    const seen = await other.get("configmaps", "a");
    await one.update("configmaps", aConfigMap("a", { k: "2" }));

    // `other` still remembers 1: putting 1 is a change, and a precondition on what it remembers fails.
    const stale = driven(one, other.update("configmaps", { ...seen, data: { k: "3" } }));
    expect(await refusal(stale)).toMatchObject({ reason: "Conflict" });
    const back = await driven(one, other.update("configmaps", aConfigMap("a", { k: "1" })));
    expect(back.metadata.resourceVersion).not.toBe(seen.metadata.resourceVersion);
    expect(await one.get("configmaps", "a")).toMatchObject({ data: { k: "1" } });
  });

  it("what another process just deleted is gone, and its name is free", async () => {
    const [one, other] = await twoProcesses();
    await one.create("configmaps", aConfigMap("a"));
    await other.get("configmaps", "a");
    await one.remove("configmaps", "a");
    expect(await refusal(driven(one, other.remove("configmaps", "a")))).toMatchObject({ reason: "NotFound" });
    await one.create("configmaps", aConfigMap("b"));
    expect(await refusal(driven(one, other.create("configmaps", aConfigMap("b"))))).toMatchObject({ reason: "AlreadyExists" });
    expect((await driven(one, other.create("configmaps", aConfigMap("a")))).metadata.name).toBe("a");
  });
});

describe("rule 12: a lost slot costs a re-evaluation on the new state", () => {
  it("patches of many writers in two processes all end up in the object", async () => {
    const [one, other] = await twoProcesses();
    await one.create("configmaps", aConfigMap("a"));
    const keys = Array.from({ length: 20 }, (_, n) => `k${n}`);
    const racing = driven(one, Promise.all(keys.map((key, n) => patch(n % 2 ? one : other, key))));
    await racing;
    expect(Object.keys((await one.get("configmaps", "a")).data as JsonObject).toSorted()).toEqual(keys.toSorted());
  });

  it("of many creates of one name, one wins", async () => {
    const [one, other] = await twoProcesses();
    const racing = driven(
      one,
      Promise.allSettled(
        Array.from({ length: 10 }, (_, n) => (n % 2 ? one : other).create("configmaps", aConfigMap("a", { n: String(n) }))),
      ),
    );
    const results = await racing;
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ reason: "AlreadyExists" });
  });

  it("the last finalizer can be taken away while others write: the object still goes", async () => {
    const [one, other] = await twoProcesses();
    await one.create("configmaps", aConfigMap("a", {}, { finalizers: ["example.com/wait"] }));
    await one.remove("configmaps", "a");
    const racing = driven(
      one,
      Promise.allSettled([
        other.patch("configmaps", "a", { type: "merge", body: { data: { k: "v" } } }),
        one.patch("configmaps", "a", { type: "json", body: [{ op: "remove", path: "/metadata/finalizers" }] }),
      ]),
    );
    await racing;
    expect(await one.exists("configmaps", "a")).toBe(false);
  });
});

describe("rule 23: a plan's writes hold only while what it counted stands", () => {
  it("a second plan from the same list is refused, the first one's other writes are not", async () => {
    const api = await aRegistry();
    const client = inProcessClient(api.registry, { cluster: "test", part: "replicaset-controller" });
    await client.create(pods, owned("before", "rs-uid"));
    const { revision } = await client.list(pods);
    const plan = (name: string) => ({ guard: { plan: name, owner: "rs-uid", revision } });
    await Promise.all(["a", "b"].map((name) => client.create(pods, owned(name, "rs-uid"), plan("one"))));
    await client.create(pods, owned("c", "rs-uid"), plan("one"));
    expect(await refusal(client.create(pods, owned("d", "rs-uid"), plan("two")))).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("the objects that the plan counted have changed since"),
    });
  });

  it("what other owners' objects do does not matter", async () => {
    const api = await aRegistry();
    const client = inProcessClient(api.registry, { cluster: "test", part: "replicaset-controller" });
    await client.create(pods, owned("before", "rs-uid"));
    const { revision } = await client.list(pods);
    await client.create(pods, owned("other", "other-uid"));
    const made = await client.create(pods, owned("a", "rs-uid"), { guard: { plan: "p", owner: "rs-uid", revision } });
    expect(made.metadata.name).toBe("a");
  });

  it("a deletion is guarded too", async () => {
    const api = await aRegistry();
    const client = inProcessClient(api.registry, { cluster: "test", part: "replicaset-controller" });
    await client.create(pods, owned("a", "rs-uid"));
    const { revision } = await client.list(pods);
    await client.create(pods, owned("b", "rs-uid"));
    const removal = client.delete(pods, { namespace: "default", name: "a" }, { guard: { plan: "p", owner: "rs-uid", revision } });
    expect(await refusal(removal)).toMatchObject({ reason: "Conflict" });
    expect(await api.exists("pods", "a")).toBe(true);
  });

  it("two processes with one plan each make it once", async () => {
    const [one, other] = await twoProcesses();
    const clients = [one, other].map(({ registry }) => inProcessClient(registry, { cluster: "test", part: "replicaset-controller" }));
    const racing = driven(
      one,
      Promise.allSettled(
        clients.map(async (client, n) => {
          const { revision } = await client.list(pods);
          return client.create(pods, owned(`pod-${n}`, "rs-uid"), { guard: { plan: `plan-${n}`, owner: "rs-uid", revision } });
        }),
      ),
    );
    expect((await racing).filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await one.list("pods")).items).toHaveLength(1);
  });
});

describe("the in-process client", () => {
  const key = { namespace: "default", name: "a" };

  it("gets nothing where nothing is", async () => {
    const { client } = await setup();
    expect(await client.get(configMaps, key)).toBeUndefined();
    expect(await client.modify(configMaps, key, (map) => ({ ...map, data: {} }))).toBeUndefined();
  });

  it("modifies again after a lost race", async () => {
    const { api, client } = await setup();
    await api.create("configmaps", aConfigMap("a", { n: "0" }));
    let calls = 0;
    const next = await client.modify(configMaps, key, (map: ConfigMap) => {
      calls += 1;
      return { ...map, data: { ...map.data, mine: String(calls) } };
    });
    expect(next?.data).toEqual({ n: "0", mine: "1" });
    await Promise.all([1, 2, 3].map((n) => client.modify(configMaps, key, (map) => ({ ...map, data: { ...map.data, [`k${n}`]: "v" } }))));
    expect((await client.get(configMaps, key))?.data).toEqual({ n: "0", mine: "1", k1: "v", k2: "v", k3: "v" });
  });

  it("writes nothing when nothing is to be changed", async () => {
    const { api, client } = await setup();
    const made = await api.create("configmaps", aConfigMap("a"));
    const same = await client.modify(configMaps, key, (map) => map);
    expect(same?.metadata.resourceVersion).toBe(made.metadata.resourceVersion);
  });

  it("lists with the revision that a plan is guarded by", async () => {
    const { api, client } = await setup();
    await api.create("configmaps", aConfigMap("a", {}, { labels: { x: "y" } }));
    const { items, revision } = await client.list(configMaps, { namespace: "default", labelSelector: "x=y" });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
    expect(revision).toBe(Number((await api.list("configmaps")).resourceVersion));
  });

  it("owns what it writes under its part's name", async () => {
    const { client } = await setup();
    const made = await client.create(configMaps, { metadata: { name: "a", namespace: "default" }, data: { k: "v" } });
    expect(made.metadata.managedFields?.[0]?.manager).toBe("tester");
  });

  it("binds Pods", async () => {
    const { api, client } = await setup();
    await api.create("pods", aPodBody("a"));
    await client.createSubresource(pods, key, "binding", { metadata: { name: "a" }, target: { kind: "Node", name: "n" } });
    expect((await client.get(pods, key))?.spec.nodeName).toBe("n");
  });

  it("fails with StatusErrors", async () => {
    const { client } = await setup();
    await expect(client.delete(configMaps, key)).rejects.toBeInstanceOf(StatusError);
  });
});
