import { describe, expect, it } from "vitest";
import { defaultAdmission } from "../../shared/admission/index.ts";
import type { Node, Pod } from "../../shared/api/generated/types.ts";
import { nodes } from "../../shared/api/kinds.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { mergeTolerations } from "../../shared/api/tolerations.ts";
import { bootstrap } from "../../shared/registry/bootstrap.ts";
import { inProcessClient } from "../../shared/registry/client.ts";
import { aPodBody, aRegistry, refusal, type TestRegistry } from "../support/registry.ts";

async function aCluster(): Promise<TestRegistry> {
  const api = await aRegistry({ admission: defaultAdmission({ random: () => 0 }) });
  await bootstrap(inProcessClient(api.registry, { cluster: "test", part: "bootstrap" }));
  return api;
}

const createPod = async (api: TestRegistry, spec: JsonObject, metadata: JsonObject = {}) =>
  (await api.create("pods", aPodBody("p", spec, metadata))) as unknown as Pod;

describe("RuntimeClass", () => {
  const withClass = async (more: JsonObject) => {
    const api = await aCluster();
    await api.create("runtimeclasses.node.k8s.io", { metadata: { name: "gvisor" }, handler: "runsc", ...more });
    return api;
  };

  it("a class that is not there is Forbidden", async () => {
    expect(await refusal(createPod(await aCluster(), { runtimeClassName: "none" }))).toMatchObject({
      code: 403,
      message: 'pods "p" is forbidden: pod rejected: RuntimeClass "none" not found',
    });
  });

  it("brings its overhead and its place", async () => {
    const api = await withClass({
      overhead: { podFixed: { cpu: "100m", memory: "64Mi" } },
      scheduling: { nodeSelector: { sandbox: "yes" }, tolerations: [{ key: "sandbox", operator: "Exists" }] },
    });
    const { spec } = await createPod(api, { runtimeClassName: "gvisor", nodeSelector: { disk: "ssd" } });
    expect(spec).toMatchObject({ overhead: { cpu: "100m", memory: "64Mi" }, nodeSelector: { disk: "ssd", sandbox: "yes" } });
    expect(spec.tolerations?.map(({ key }) => key)).toContain("sandbox");
  });

  it.each([
    [{ overhead: { cpu: "1" } }, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead", {}],
    [
      { overhead: { cpu: "1" }, runtimeClassName: "gvisor" },
      "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead",
      { overhead: { podFixed: { cpu: "100m" } } },
    ],
    [
      { nodeSelector: { sandbox: "no" }, runtimeClassName: "gvisor" },
      "conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no",
      { scheduling: { nodeSelector: { sandbox: "yes" } } },
    ],
  ])("a Pod with %o is Forbidden", async (spec, why, more) => {
    expect((await refusal(createPod(await withClass(more), spec))).message).toBe(`pods "p" is forbidden: ${why}`);
  });

  it("the same overhead in other words is the same", async () => {
    const api = await withClass({ overhead: { podFixed: { cpu: "100m" } } });
    expect((await createPod(api, { runtimeClassName: "gvisor", overhead: { cpu: "0.1" } })).spec.overhead).toEqual({ cpu: "100m" });
  });
});

describe("tolerations, merged", () => {
  it("lose those that others make superfluous", () => {
    const all = { operator: "Exists" };
    const wide = { key: "a", operator: "Exists" };
    const narrow = { key: "a", operator: "Equal", value: "1", effect: "NoSchedule" };
    expect(mergeTolerations([narrow, wide])).toEqual([wide]);
    expect(mergeTolerations([wide, narrow, wide])).toEqual([wide]);
    expect(mergeTolerations([narrow, wide, all])).toEqual([all]);
    const short = { key: "a", operator: "Exists", effect: "NoExecute", tolerationSeconds: 5 };
    const long = { ...short, tolerationSeconds: 50 };
    expect(mergeTolerations([short, long])).toEqual([long]);
    expect(
      mergeTolerations([
        { key: "b", value: "1" },
        { key: "b", value: "2" },
      ]),
    ).toHaveLength(2);
  });
});

describe("TaintNodesByCondition", () => {
  it("a new Node takes no Pods yet", async () => {
    const node = (await (await aCluster()).create("nodes", { metadata: { name: "n" } })) as unknown as Node;
    expect(node.spec?.taints).toEqual([{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
  });

  it("keeps the taints that it has", async () => {
    const taints = [
      { key: "node.kubernetes.io/not-ready", effect: "NoSchedule", value: "mine" },
      { key: "other", effect: "NoExecute" },
    ];
    const node = (await (await aCluster()).create("nodes", { metadata: { name: "n" }, spec: { taints } })) as unknown as Node;
    expect(node.spec?.taints).toEqual(taints);
  });

  it("leaves machines alone whose state is known", async () => {
    const api = await aCluster();
    const client = inProcessClient(api.registry, { cluster: "test", part: "capacity" });
    expect((await client.create(nodes, { metadata: { name: "n" }, spec: {} })).spec?.taints).toBeUndefined();
  });
});

describe("DefaultIngressClass", () => {
  const ingresses = "ingresses.networking.k8s.io";
  const classes = "ingressclasses.networking.k8s.io";
  const ingress = (spec: JsonObject = {}, annotations: JsonObject = {}) => ({
    metadata: { name: "i", annotations },
    spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } }, ...spec },
  });
  const aClass = (name: string, isDefault: boolean) => ({
    metadata: { name, annotations: { "ingressclass.kubernetes.io/is-default-class": String(isDefault) } },
    spec: { controller: "example.com/c" },
  });

  it("gives an Ingress the class that is marked", async () => {
    const api = await aCluster();
    await api.create(classes, aClass("other", false));
    await api.create(classes, aClass("usual", true));
    expect(await api.create(ingresses, ingress(), { dryRun: true })).toMatchObject({ spec: { ingressClassName: "usual" } });
    expect(await api.create(ingresses, ingress({ ingressClassName: "other" }), { dryRun: true })).toMatchObject({
      spec: { ingressClassName: "other" },
    });
    const old = await api.create(ingresses, ingress({}, { "kubernetes.io/ingress.class": "old" }), { dryRun: true });
    expect(old.spec).not.toHaveProperty("ingressClassName");
  });

  it("gives none where none is marked", async () => {
    const api = await aCluster();
    expect((await api.create(ingresses, ingress())).spec).not.toHaveProperty("ingressClassName");
  });
});

describe("PersistentVolumeClaimResize", () => {
  const claim = (storage: string, storageClassName = "grows") => ({
    metadata: { name: "c" },
    spec: { accessModes: ["ReadWriteOnce"], storageClassName, resources: { requests: { storage } } },
  });
  const grow = async (allowVolumeExpansion: boolean, phase: string) => {
    const api = await aCluster();
    await api.create("storageclasses.storage.k8s.io", { metadata: { name: "grows" }, provisioner: "p", allowVolumeExpansion });
    const made = await api.create("persistentvolumeclaims", claim("1Gi"));
    await api.update("persistentvolumeclaims", { ...made, status: { phase } }, { subresource: "status" });
    return api.patch("persistentvolumeclaims", "c", { type: "merge", body: { spec: { resources: { requests: { storage: "2Gi" } } } } });
  };

  it("lets claims grow where the class does", async () => {
    expect(await grow(true, "Bound")).toMatchObject({ spec: { resources: { requests: { storage: "2Gi" } } } });
  });

  it("not where it does not", async () => {
    expect((await refusal(grow(false, "Bound"))).message).toBe(
      'persistentvolumeclaims "c" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
    );
  });
});

describe("what nobody has checked yet", () => {
  it.each([{}, { volumes: [{}] }, { containers: [{}], initContainers: [{}], volumes: [{ projected: { sources: [{}] } }] }])(
    "a Pod with %o passes through admission, and validation says what is wrong",
    async (spec) => {
      const api = await aCluster();
      await api.create("limitranges", { metadata: { name: "l" }, spec: { limits: [{ type: "Container", default: { cpu: "1" } }] } });
      const body = { apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec };
      expect((await refusal(api.create("pods", body))).reason).toBe("Invalid");
    },
  );

  it("a field called __proto__ sets no prototype", async () => {
    const api = await aCluster();
    const body = { ...aPodBody("p"), metadata: { name: "p", labels: JSON.parse('{"__proto__": "x"}') } };
    const made = await api.create("pods", body).catch((error: unknown) => error);
    expect(Object.getPrototypeOf((made as { metadata?: { labels?: object } }).metadata?.labels ?? {})).toBe(Object.prototype);
  });
});

describe("ServiceAccount: what its Pods may mount", () => {
  const withAccount = async (annotations: JsonObject) => {
    const api = await aCluster();
    await api.create("serviceaccounts", {
      metadata: { name: "s", annotations },
      secrets: [{ name: "mine" }],
      imagePullSecrets: [{ name: "pull" }],
    });
    return api;
  };
  const enforced = { "kubernetes.io/enforce-mountable-secrets": "true" };
  const container = (more: JsonObject) => ({ containers: [{ name: "c", image: "i", ...more }] });
  const key = (name: string) => ({ name: "V", valueFrom: { secretKeyRef: { name, key: "k" } } });

  it.each([
    [{ volumes: [{ name: "v", secret: { secretName: "other" } }] }, 'volume with secret.secretName="other"'],
    [container({ env: [key("other")] }), 'container c with envVar V referencing secret.secretName="other"'],
    [container({ envFrom: [{ secretRef: { name: "other" } }] }), 'container c with envFrom referencing secret.secretName="other"'],
  ])("%o is refused where the account asks for it, and fine elsewhere", async (spec, what) => {
    const pod = { serviceAccountName: "s", ...spec };
    expect((await refusal(createPod(await withAccount(enforced), pod))).message).toBe(
      `pods "p" is forbidden: ${what} is not allowed because service account s does not reference that secret`,
    );
    await expect(createPod(await withAccount({}), pod)).resolves.toBeDefined();
  });

  it("secrets that the account names are fine", async () => {
    const api = await withAccount(enforced);
    await expect(createPod(api, { serviceAccountName: "s", ...container({ env: [key("mine")] }) })).resolves.toBeDefined();
    expect((await refusal(createPod(api, { serviceAccountName: "s", imagePullSecrets: [{ name: "other" }] }))).message).toContain(
      'imagePullSecrets[0].name="other" is not allowed because service account s does not reference that imagePullSecret',
    );
  });

  it.each([
    [{ serviceAccountName: "default" }, "a mirror pod may not reference service accounts"],
    [{ volumes: [{ name: "v", secret: { secretName: "s" } }] }, "a mirror pod may not reference secrets"],
    [
      { volumes: [{ name: "v", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }] },
      "a mirror pod may not use ServiceAccountToken volume projections",
    ],
  ])("a mirror Pod cannot have %o", async (spec, why) => {
    const mirror = { annotations: { "kubernetes.io/config.mirror": "x" } };
    expect((await refusal(createPod(await aCluster(), { nodeName: "n", ...spec }, mirror))).message).toBe(`pods "p" is forbidden: ${why}`);
  });
});

describe("trap 18: PodTopologyLabels", () => {
  const zone = { "topology.kubernetes.io/zone": "eu-central-1a", "topology.kubernetes.io/region": "eu-central-1" };
  const withNode = async () => {
    const api = await aCluster();
    await api.create("nodes", { metadata: { name: "n", labels: { ...zone, "kubernetes.io/hostname": "n" } } });
    return api;
  };
  const bind = async (api: TestRegistry, node: string) => {
    const target = { kind: "Node", name: node };
    await api.create("pods", { metadata: { name: "p" }, target }, { subresource: "binding" });
    return (await api.get("pods", "p")) as unknown as Pod;
  };

  it("a Pod gets its Node's zone and region when it is bound, whatever it called itself", async () => {
    const api = await withNode();
    await createPod(api, {}, { labels: { app: "web", "topology.kubernetes.io/zone": "elsewhere" } });
    const { metadata, spec } = await bind(api, "n");
    expect(spec.nodeName).toBe("n");
    expect(metadata.labels).toEqual({ app: "web", ...zone });
  });

  it("or when it is made for a Node", async () => {
    expect((await createPod(await withNode(), { nodeName: "n" })).metadata.labels).toEqual(zone);
  });

  it("a Node that is not there, or is nowhere in particular, gives it none", async () => {
    const api = await aCluster();
    await createPod(api, {});
    expect((await bind(api, "none")).metadata).not.toHaveProperty("labels");
  });
});

it("a Pod is not bound in a namespace that is going", async () => {
  const api = await aCluster();
  await api.create("namespaces", { metadata: { name: "going" } });
  await api.create("pods", aPodBody("p"), { namespace: "going" });
  await api.remove("namespaces", "going");
  const binding = { metadata: { name: "p" }, target: { kind: "Node", name: "n" } };
  expect(await refusal(api.create("pods", binding, { namespace: "going", subresource: "binding" }))).toMatchObject({
    code: 403,
    details: { causes: [{ reason: "NamespaceTerminating" }] },
  });
});
