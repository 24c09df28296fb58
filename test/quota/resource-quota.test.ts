import { describe, expect, it } from "vitest";
import { defaultAdmission } from "../../shared/admission/index.ts";
import type { QuotaLedger } from "../../shared/admission/resource-quota.ts";
import type { ResourceQuota } from "../../shared/api/generated/types.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { resourceQuotaController } from "../../shared/controllers/resource-quota/controller.ts";
import { tableReservations } from "../../shared/quota/reservations.ts";
import { quotaLedger } from "../../shared/registry/quota-ledger.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { openStore } from "../../shared/store/open-store.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { aConfigMap, aPodBody, aRegistry, driven, refusal, type TestRegistry } from "../support/registry.ts";
import { registryCluster } from "../support/registry-cluster.ts";

/** Several API processes and a controller over one table. */
async function world() {
  const clock = fakeClock();
  const table = memoryTable({ clock });
  const reservations = tableReservations({ table, clock });
  const here = await registryCluster(({ resources }) => [resourceQuotaController({ resources, cluster: "test", reservations })], {
    table,
    clock,
  });
  /** @param charged called when a charge is booked, before anything is made */
  const process = (charged = async () => {}): Promise<TestRegistry> => {
    const ledger = quotaLedger({ store: openStore({ table, clock, log: silentLog }), reservations, clock });
    const quotas: QuotaLedger = {
      async charge(...order) {
        const takeBack = await ledger.charge(...order);
        await charged();
        return takeBack;
      },
    };
    return aRegistry({ admission: defaultAdmission({ quotas, random: () => 0 }), table, clock });
  };
  const api = running(await process());
  const quota = async (hard: JsonObject, more: JsonObject = {}) => {
    await api.create("resourcequotas", { metadata: { name: "q" }, spec: { hard, ...more } });
    await here.reconcile();
    // What a process has read of other logs is taken for news for a second.
    await clock.advance(1_500);
  };
  const status = async () => ((await api.get("resourcequotas", "q")) as unknown as ResourceQuota).status;
  const used = async () => (await status())?.used;
  const recount = async () => {
    await clock.advance(1_500);
    await here.reconcile();
  };
  return { clock, table, reservations, here, api, process, quota, status, used, recount };
}

const because = async (promise: Promise<unknown>) => (await refusal(promise)).message;

/** The clock goes on while somebody waits for a slot that another process took. */
const running = (api: TestRegistry): TestRegistry => ({
  ...api,
  create: (...given) => driven(api, api.create(...given)),
  update: (...given) => driven(api, api.update(...given)),
  patch: (...given) => driven(api, api.patch(...given)),
  remove: (...given) => driven(api, api.remove(...given)),
});
const aPod = (name: string, requests: JsonObject = {}, more: JsonObject = {}) =>
  aPodBody(name, { containers: [{ name: "c", image: "i", resources: { requests } }], ...more });

describe("ResourceQuota", () => {
  it("its status says what is limited and used as soon as somebody has counted", async () => {
    const { api, quota, status } = await world();
    await api.create("configmaps", aConfigMap("before"));
    await quota({ configmaps: "3", "count/secrets": "2", "requests.cpu": "1" });
    expect(await status()).toEqual({
      hard: { configmaps: "3", "count/secrets": "2", "requests.cpu": "1" },
      used: { configmaps: "1", "count/secrets": "0", "requests.cpu": "0" },
    });
  });

  it("counts what is made, refuses more, and counts what goes", async () => {
    const { api, quota, used, recount } = await world();
    await quota({ configmaps: "2" });
    await api.create("configmaps", aConfigMap("a"));
    await api.create("configmaps", aConfigMap("b"));
    expect(await used()).toEqual({ configmaps: "2" });
    expect(await refusal(api.create("configmaps", aConfigMap("c")))).toMatchObject({
      code: 403,
      reason: "Forbidden",
      message: 'configmaps "c" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
    });
    await recount();
    expect(await used()).toEqual({ configmaps: "2" });
    await api.remove("configmaps", "a");
    await recount();
    expect(await used()).toEqual({ configmaps: "1" });
    await expect(api.create("configmaps", aConfigMap("c"))).resolves.toBeDefined();
  });

  it("counts what Pods ask for, and tells all that would be too much", async () => {
    const { api, quota, used, recount } = await world();
    await quota({ pods: "5", "requests.cpu": "1", memory: "1Gi", "requests.example.com/gpu": "1" });
    await api.create("pods", aPod("a", { cpu: "500m", memory: "256Mi" }));
    expect(await used()).toEqual({ pods: "1", "requests.cpu": "500m", memory: "256Mi", "requests.example.com/gpu": "0" });
    expect(await because(api.create("pods", aPod("b", { cpu: "600m", memory: "1Gi" })))).toBe(
      'pods "b" is forbidden: exceeded quota: q, requested: memory=1Gi,requests.cpu=600m, used: memory=256Mi,requests.cpu=500m, limited: memory=1Gi,requests.cpu=1',
    );
    await recount();
    expect(await used()).toMatchObject({ pods: "1", "requests.cpu": "500m" });
  });

  it("wants to be told what it counts", async () => {
    const { api, quota } = await world();
    await quota({ "requests.cpu": "1", "limits.memory": "1Gi" });
    expect(await because(api.create("pods", aPod("a", { cpu: "1m" })))).toBe(
      'pods "a" is forbidden: failed quota: q: must specify limits.memory for: c',
    );
  });

  it("refuses while nobody has counted", async () => {
    const { api, quota } = await world();
    await quota({ pods: "1" });
    const known = await api.get("resourcequotas", "q");
    await api.update("resourcequotas", { ...known, status: { hard: { pods: "1" } } }, { subresource: "status" });
    expect(await because(api.create("pods", aPod("a")))).toBe('pods "a" is forbidden: status unknown for quota: q, resources: pods');
  });

  it("Pods that have ended count as objects alone", async () => {
    const { api, quota, used, recount } = await world();
    await quota({ pods: "1", "count/pods": "3" });
    const pod = await api.create("pods", aPod("a"));
    await api.update("pods", { ...pod, status: { phase: "Succeeded" } }, { subresource: "status" });
    await recount();
    expect(await used()).toEqual({ pods: "0", "count/pods": "1" });
  });

  it.each([
    [{ scopes: ["Terminating"] }, { activeDeadlineSeconds: 60 }, {}],
    [{ scopes: ["NotTerminating"] }, {}, { activeDeadlineSeconds: 60 }],
    [{ scopes: ["BestEffort"] }, {}, { containers: [{ name: "c", image: "i", resources: { requests: { cpu: "1m" } } }] }],
    [
      { scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["system-node-critical"] }] } },
      { priorityClassName: "system-node-critical" },
      {},
    ],
  ])("with %o counts Pods with %o and none with %o", async (scope, inside, outside) => {
    const { api, quota, used, recount } = await world();
    await quota({ pods: "1" }, scope);
    await api.create("pods", aPodBody("out", outside));
    await api.create("pods", aPodBody("in", inside));
    expect(await used()).toEqual({ pods: "1" });
    await recount();
    expect(await used()).toEqual({ pods: "1" });
    expect(await because(api.create("pods", aPodBody("in2", inside)))).toContain("exceeded quota: q");
  });

  it("counts Services by what they open", async () => {
    const { api, quota, used, recount } = await world();
    await quota({ services: "5", "services.nodeports": "2", "services.loadbalancers": "1" });
    const service = (name: string, type: string) => ({
      metadata: { name },
      spec: {
        type,
        ports: [
          { name: "a", port: 80 },
          { name: "b", port: 81 },
        ],
      },
    });
    const made = await api.create("services", service("a", "ClusterIP"));
    expect(await used()).toEqual({ services: "1", "services.nodeports": "0", "services.loadbalancers": "0" });
    await api.update("services", { ...made, spec: { ...(made.spec as object), type: "NodePort" } });
    expect(await used()).toEqual({ services: "1", "services.nodeports": "2", "services.loadbalancers": "0" });
    expect(await because(api.create("services", service("b", "LoadBalancer")))).toBe(
      'services "b" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=2, limited: services.nodeports=2',
    );
    await recount();
    expect(await used()).toEqual({ services: "1", "services.nodeports": "2", "services.loadbalancers": "0" });
  });

  it("counts claims, by class too", async () => {
    const { api, quota, used, recount } = await world();
    await quota({ "requests.storage": "3Gi", "local.storageclass.storage.k8s.io/requests.storage": "2Gi" });
    const claim = (name: string, storage: string, storageClassName: string) => ({
      metadata: { name },
      spec: { accessModes: ["ReadWriteOnce"], storageClassName, resources: { requests: { storage } } },
    });
    await api.create("persistentvolumeclaims", claim("a", "2Gi", "local"));
    expect(await because(api.create("persistentvolumeclaims", claim("b", "1", "local")))).toContain(
      "requested: local.storageclass.storage.k8s.io/requests.storage=1, used: local.storageclass.storage.k8s.io/requests.storage=2Gi",
    );
    await api.create("persistentvolumeclaims", claim("b", "1Gi", "other"));
    await recount();
    expect(await used()).toEqual({ "requests.storage": "3Gi", "local.storageclass.storage.k8s.io/requests.storage": "2Gi" });
  });

  it("follows a new limit", async () => {
    const { api, quota, status, recount } = await world();
    await quota({ configmaps: "1" });
    await api.create("configmaps", aConfigMap("a"));
    await api.patch("resourcequotas", "q", { type: "merge", body: { spec: { hard: { configmaps: "2", secrets: "1" } } } });
    await recount();
    expect(await status()).toEqual({ hard: { configmaps: "2", secrets: "1" }, used: { configmaps: "1", secrets: "0" } });
  });

  it("counts quotas, itself among them", async () => {
    const { api, quota, used, recount } = await world();
    await quota({ resourcequotas: "2" });
    expect(await used()).toEqual({ resourcequotas: "1" });
    await api.create("resourcequotas", { metadata: { name: "other" }, spec: { hard: { pods: "1" } } });
    expect(await because(api.create("resourcequotas", { metadata: { name: "third" }, spec: { hard: {} } }))).toContain("exceeded quota: q");
    await api.remove("resourcequotas", "other");
    await recount();
    expect(await used()).toEqual({ resourcequotas: "1" });
  });

  it("counts custom resources by their full name, once there are any", async () => {
    const { api, quota, used, recount } = await world();
    await quota({ "count/tabs.example.com": "1" });
    expect(await used()).toBeUndefined();
    const versions = [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object" } } }];
    const spec = { group: "example.com", scope: "Namespaced", names: { plural: "tabs", kind: "Tab" }, versions };
    await api.create("customresourcedefinitions.apiextensions.k8s.io", { metadata: { name: "tabs.example.com" }, spec });
    await recount();
    expect(await used()).toEqual({ "count/tabs.example.com": "0" });
    await api.create("tabs.example.com", { metadata: { name: "a" } });
    expect(await because(api.create("tabs.example.com", { metadata: { name: "b" } }))).toBe(
      'tabs.example.com "b" is forbidden: exceeded quota: q, requested: count/tabs.example.com=1, used: count/tabs.example.com=1, limited: count/tabs.example.com=1',
    );
  });

  it("warns of limits below requests", async () => {
    const { api } = await world();
    const warnings: string[] = [];
    await api.create(
      "resourcequotas",
      { metadata: { name: "q" }, spec: { hard: { cpu: "2", "limits.cpu": "1", memory: "1" } } },
      { warnings },
    );
    expect(warnings).toEqual(["ResourceQuota cpu (2) should be less than limits.cpu (1)"]);
  });

  it("a dry run is judged and counts nothing", async () => {
    const { api, quota, used } = await world();
    await quota({ configmaps: "1" });
    await api.create("configmaps", aConfigMap("a"), { dryRun: true });
    expect(await used()).toEqual({ configmaps: "0" });
    await api.create("configmaps", aConfigMap("a"));
    expect(await because(api.create("configmaps", aConfigMap("b"), { dryRun: true }))).toContain("exceeded quota");
  });

  it("what is not made in the end does not count", async () => {
    const { api, quota, used, reservations } = await world();
    await quota({ configmaps: "2" });
    await api.create("configmaps", aConfigMap("a"));
    expect((await refusal(api.create("configmaps", aConfigMap("a")))).reason).toBe("AlreadyExists");
    expect(await used()).toEqual({ configmaps: "1" });
    expect((await reservations.list("test", { namespace: "default", name: "q" })).map(({ storage }) => storage)).toEqual(["configmaps"]);
  });

  it("a process that died between counting and creating owes nothing after a while", async () => {
    const { clock, here, quota, used, reservations } = await world();
    await quota({ configmaps: "1" });
    // Its last deed.
    await reservations.open("test", {
      id: "lost",
      quota: { namespace: "default", name: "q" },
      storage: "configmaps",
      uid: "never-made",
      amounts: { configmaps: "1" },
      replaces: "",
      until: new Date(clock.now().getTime() + 90_000),
    });
    await here.reconcile({ sweep: true });
    expect(await used()).toEqual({ configmaps: "1" });
    await clock.advance(90_000);
    await here.reconcile({ sweep: true });
    expect(await used()).toEqual({ configmaps: "0" });
  });

  it("a reservation outlives a recount that comes between counting and creating", async () => {
    const { here, quota, used, process } = await world();
    await quota({ configmaps: "1" });
    const seen: unknown[] = [];
    const api = await process(async () => {
      await here.reconcile({ sweep: true });
      seen.push(await used());
    });
    await driven(api, api.create("configmaps", aConfigMap("a")));
    expect(seen).toEqual([{ configmaps: "1" }]);
    await here.reconcile({ sweep: true });
    expect(await used()).toEqual({ configmaps: "1" });
  });

  it("is never exceeded, however many processes create, delete and recount at once", async () => {
    const { here, quota, process, recount, used } = await world();
    await quota({ configmaps: "5" });
    const processes = [await process(), await process(), await process()] as const;
    const [one] = processes;
    let most = 0;
    for (let round = 0; round < 4; round++) {
      const attempts = processes.flatMap((api, index) =>
        Array.from({ length: 4 }, (_, number) =>
          api.create("configmaps", aConfigMap(`m-${round}-${index}-${number}`)).then(
            () => true,
            () => false,
          ),
        ),
      );
      await here.reconcile({ sweep: true });
      await driven(one, Promise.all(attempts));
      const { items } = await one.list("configmaps");
      most = Math.max(most, items.length);
      await Promise.all(items.slice(0, 2).map(({ metadata }) => driven(one, one.remove("configmaps", metadata.name))));
      await recount();
    }
    expect(most).toBe(5);
    await recount();
    const { items } = await one.list("configmaps");
    expect(await used()).toEqual({ configmaps: String(items.length) });
  }, 30_000);
});
