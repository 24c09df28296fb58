import { describe, expect, it } from "vitest";
import { defaultAdmission } from "../../shared/admission/index.ts";
import type { Pod } from "../../shared/api/generated/types.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { bootstrap } from "../../shared/registry/bootstrap.ts";
import { inProcessClient } from "../../shared/registry/client.ts";
import { aPodBody, aRegistry, refusal, type TestRegistry } from "../support/registry.ts";

async function withLimits(...limits: readonly JsonObject[]): Promise<TestRegistry> {
  const api = await aRegistry({ admission: defaultAdmission({ random: () => 0 }) });
  await bootstrap(inProcessClient(api.registry, { cluster: "test", part: "bootstrap" }));
  if (limits.length > 0) await api.create("limitranges", { metadata: { name: "limits" }, spec: { limits } });
  return api;
}

const container = (resources: JsonObject = {}, name = "web") => ({ name, image: "i", resources });
const createPod = async (api: TestRegistry, spec: JsonObject) => (await api.create("pods", aPodBody("p", spec))) as unknown as Pod;
const because = async (promise: Promise<unknown>) => (await refusal(promise)).message?.replace('pods "p" is forbidden: ', "");

describe("LimitRanger", () => {
  it("fills in what containers do not say, and notes it on the Pod", async () => {
    const api = await withLimits({
      type: "Container",
      default: { cpu: "500m", memory: "128Mi" },
      defaultRequest: { cpu: "100m" },
    });
    const pod = await createPod(api, {
      containers: [container(), container({ limits: { cpu: "2" } }, "own")],
      initContainers: [container({}, "first")],
    });
    expect(pod.spec.containers.map(({ resources }) => resources)).toEqual([
      { limits: { cpu: "500m", memory: "128Mi" }, requests: { cpu: "100m", memory: "128Mi" } },
      { limits: { cpu: "2", memory: "128Mi" }, requests: { cpu: "2", memory: "128Mi" } },
    ]);
    expect(pod.spec.initContainers?.[0]?.resources?.limits).toEqual({ cpu: "500m", memory: "128Mi" });
    expect(pod.metadata.annotations).toEqual({
      "kubernetes.io/limit-ranger":
        "LimitRanger plugin set: cpu, memory request for container web; cpu, memory limit for container web; memory request for container own; memory limit for container own; cpu, memory request for init container first; cpu, memory limit for init container first",
    });
  });

  it.each([
    [{ min: { cpu: "50m" } }, { requests: { cpu: "10m" } }, "minimum cpu usage per Container is 50m, but request is 10m"],
    [{ max: { memory: "1Gi" } }, { limits: { memory: "2Gi" } }, "maximum memory usage per Container is 1Gi, but limit is 2Gi"],
    [
      { maxLimitRequestRatio: { cpu: "2" } },
      { requests: { cpu: "100m" }, limits: { cpu: "300m" } },
      "cpu max limit to request ratio per Container is 2, but provided ratio is 3.000000",
    ],
    [
      { maxLimitRequestRatio: { cpu: "2" } },
      { requests: { cpu: "100m" } },
      "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
    ],
    [
      { maxLimitRequestRatio: { cpu: "2" } },
      {},
      "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
    ],
  ])("%o refuses a container with %o", async (limit, resources, message) => {
    const api = await withLimits({ type: "Container", ...limit });
    expect(await refusal(createPod(api, { containers: [container(resources)] }))).toMatchObject({
      code: 403,
      message: `pods "p" is forbidden: ${message}`,
    });
  });

  it("what has no default must be said", async () => {
    const api = await withLimits({ type: "Pod", min: { cpu: "50m" }, max: { memory: "1Gi" } });
    expect(await because(createPod(api, { containers: [container()] }))).toBe(
      "[minimum cpu usage per Pod is 50m.  No request is specified, maximum memory usage per Pod is 1Gi.  No limit is specified]",
    );
  });

  it("names all problems at once", async () => {
    const api = await withLimits({ type: "Container", max: { cpu: "1", memory: "1Gi" } });
    expect(await because(createPod(api, { containers: [container({ limits: { cpu: "2", memory: "2Gi" } })] }))).toBe(
      "[maximum cpu usage per Container is 1, but limit is 2, maximum memory usage per Container is 1Gi, but limit is 2Gi]",
    );
  });

  it("looks at Pods as a whole: containers together, init containers one by one, sidecars throughout", async () => {
    const api = await withLimits({ type: "Pod", max: { cpu: "3" } });
    const cpu = (amount: string, name: string) => container({ limits: { cpu: amount } }, name);
    const spec = {
      containers: [cpu("1", "a"), cpu("1", "b")],
      initContainers: [cpu("3", "c"), { ...cpu("1", "s"), restartPolicy: "Always" }],
    };
    await expect(createPod(api, spec)).resolves.toBeDefined();
    await api.remove("pods", "p", { gracePeriodSeconds: 0 });
    expect(await because(createPod(api, { ...spec, containers: [...spec.containers, cpu("500m", "d")] }))).toBe(
      "maximum cpu usage per Pod is 3, but limit is 3500m",
    );
  });

  it("looks at what claims ask for", async () => {
    const api = await withLimits({ type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "5Gi" } });
    const claim = (storage: string) => ({
      metadata: { name: "c" },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
    });
    expect((await refusal(api.create("persistentvolumeclaims", claim("500Mi")))).message).toBe(
      'persistentvolumeclaims "c" is forbidden: minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 500Mi',
    );
    expect((await refusal(api.create("persistentvolumeclaims", claim("6Gi")))).message).toBe(
      'persistentvolumeclaims "c" is forbidden: maximum storage usage per PersistentVolumeClaim is 5Gi, but request is 6Gi',
    );
    await expect(api.create("persistentvolumeclaims", claim("2Gi"))).resolves.toBeDefined();
  });

  it("says nothing in other namespaces", async () => {
    const api = await withLimits({ type: "Container", max: { cpu: "1" } });
    await api.create("namespaces", { metadata: { name: "free" } });
    await expect(
      api.create("pods", aPodBody("p", { containers: [container({ limits: { cpu: "2" } })] }), { namespace: "free" }),
    ).resolves.toBeDefined();
  });
});
