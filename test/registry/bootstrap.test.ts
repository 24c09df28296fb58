import { describe, expect, it } from "vitest";
import { defaultAdmission } from "../../shared/admission/index.ts";
import { bootstrap } from "../../shared/registry/bootstrap.ts";
import { inProcessClient } from "../../shared/registry/client.ts";
import { aRegistry, driven } from "../support/registry.ts";

const names = (items: readonly { readonly metadata: { readonly name: string } }[]) => items.map(({ metadata }) => metadata.name);

describe("checklist 61: what a cluster has from the start", () => {
  it("namespaces and the system's priority classes, made once", async () => {
    const api = await aRegistry({ admission: defaultAdmission() });
    const client = inProcessClient(api.registry, { cluster: "test", part: "bootstrap" });
    await bootstrap(client);
    const before = await api.list("namespaces");
    expect(names(before.items)).toEqual(["default", "kube-node-lease", "kube-public", "kube-system"]);
    expect((await api.list("priorityclasses.scheduling.k8s.io")).items).toMatchObject([
      { metadata: { name: "system-cluster-critical" }, value: 2_000_000_000 },
      { metadata: { name: "system-node-critical" }, value: 2_000_001_000 },
    ]);
    await bootstrap(client);
    expect((await api.list("namespaces")).resourceVersion).toBe(before.resourceVersion);
  });

  it("the levels and schemas of flow control, of which those that somebody removed come back", async () => {
    const api = await aRegistry({ admission: defaultAdmission() });
    const client = inProcessClient(api.registry, { cluster: "test", part: "bootstrap" });
    const [levels, schemas] = [
      "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
      "flowschemas.flowcontrol.apiserver.k8s.io",
    ] as const;
    await bootstrap(client);
    await api.remove(schemas, "probes");
    await bootstrap(client);
    const levelNames = names((await api.list(levels)).items);
    expect(levelNames).toEqual([
      "catch-all",
      "exempt",
      "global-default",
      "leader-election",
      "node-high",
      "system",
      "workload-high",
      "workload-low",
    ]);
    const { items } = await api.list(schemas);
    expect(items).toHaveLength(11);
    for (const { metadata, spec } of items as any[]) {
      expect(levelNames, metadata.name).toContain(spec.priorityLevelConfiguration.name);
      expect(metadata.annotations).toEqual({ "apf.kubernetes.io/autoupdate-spec": "true" });
    }
  });

  it("two processes may do it at once", async () => {
    const one = await aRegistry();
    const other = await aRegistry({ table: one.table, clock: one.clock });
    await driven(
      one,
      Promise.all([one, other].map(({ registry }) => bootstrap(inProcessClient(registry, { cluster: "test", part: "bootstrap" })))),
    );
    expect((await one.list("namespaces")).items).toHaveLength(4);
  });
});
