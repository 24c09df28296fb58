/** The workloads beside Deployments, with a real kubectl: StatefulSets and their claims, DaemonSets, CronJobs. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../support/kubectl.ts";
import { manifestData } from "../support/shared-data.ts";

const binary = requireKubectl();
const cassandra = manifestData("cassandra.yaml");

const database = `
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {clusterIP: None, selector: {app: db}, ports: [{port: 5432}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      containers:
      - {name: db, image: "registry.example/db:1", volumeMounts: [{name: data, mountPath: /data}]}
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;

const agent = `
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec: {containers: [{name: agent, image: "registry.example/agent:1"}]}
`;

describe.skipIf(!binary)("a user with kubectl", { timeout: 120_000 }, () => {
  let plane: ControlPlane;
  let k: Kubectl;

  beforeAll(async () => {
    plane = await startControlPlane("--provision-any");
    if (binary) k = kubectl(binary, plane.kubeconfig);
  }, 60_000);
  afterAll(async () => plane?.remove());

  const apply = async (manifest: string, namespace: string) => {
    await k.ok("create", "namespace", namespace);
    expect(await k.pipe(manifest, "apply", "-n", namespace, "-f", "-")).toMatchObject({ code: 0 });
  };
  const get = (namespace: string, what: string, path: string) => k.ok("get", what, "-n", namespace, "-o", `jsonpath=${path}`);
  const rolledOut = (namespace: string, what: string) => k.ok("rollout", "status", "-n", namespace, what, "--timeout=90s");

  it("brings a StatefulSet up in order, each Pod with a volume where it stands", async () => {
    await apply(database, "stateful");
    await rolledOut("stateful", "statefulset/db");
    expect(await k.ok("get", "sts", "-n", "stateful")).toMatch(/db\s+2\/2/);
    expect(await get("stateful", "pvc", "{.items[*].status.phase}")).toBe("Bound Bound");
    const node = await get("stateful", "pod/db-0", "{.spec.nodeName}");
    const volume = await get("stateful", "pvc/data-db-0", "{.spec.volumeName}");
    expect(
      await k.ok("get", "pv", volume, "-o", "jsonpath={.spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].values[0]}"),
    ).toBe(node);
    expect(await k.ok("describe", "pvc", "data-db-0", "-n", "stateful")).toMatch(/ProvisioningSucceeded .*using binnacle\.dev\/local/);
  });

  it("updates it, shows its history and rolls it back, on the same volumes", async () => {
    const volumes = await get("stateful", "pvc", "{.items[*].spec.volumeName}");
    await k.ok("set", "image", "-n", "stateful", "statefulset/db", "db=registry.example/db:2");
    await rolledOut("stateful", "statefulset/db");
    expect(await get("stateful", "pods", "{.items[*].spec.containers[0].image}")).toBe("registry.example/db:2 registry.example/db:2");
    expect(await k.ok("rollout", "history", "-n", "stateful", "statefulset/db")).toMatch(/^1\s.*\n2\s/m);
    await k.ok("rollout", "undo", "-n", "stateful", "statefulset/db");
    await rolledOut("stateful", "statefulset/db");
    expect(await get("stateful", "pods", "{.items[*].spec.containers[0].image}")).toBe("registry.example/db:1 registry.example/db:1");
    expect(await get("stateful", "pvc", "{.items[*].spec.volumeName}")).toBe(volumes);
  });

  it("keeps it over a crash of the control plane, without a new Pod, revision or volume", async () => {
    const state = () => k.ok("get", "pods,pvc,pv,controllerrevisions", "-n", "stateful", "-o", "jsonpath={.items[*].metadata.uid}");
    const before = await state();
    await plane.kill();
    await plane.restart();
    await k.ok("wait", "-n", "stateful", "--for=condition=Ready", "pod", "--all", "--timeout=60s");
    expect(await state()).toBe(before);
  });

  it("takes the volumes away with their claims", async () => {
    await k.ok("delete", "namespace", "stateful", "--timeout=90s");
    await expect.poll(() => k.ok("get", "pv", "-o", "name"), { timeout: 30_000 }).toBe("");
  });

  it("puts a Pod on each Node, and rolls them one after the other", async () => {
    await apply(agent, "daemons");
    await rolledOut("daemons", "daemonset/agent");
    const nodes = (await k.ok("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")).split(" ");
    expect((await get("daemons", "pods", "{.items[*].spec.nodeName}")).split(" ").toSorted()).toEqual(nodes.toSorted());
    await k.ok("rollout", "restart", "-n", "daemons", "daemonset/agent");
    await rolledOut("daemons", "daemonset/agent");
    expect(await k.ok("rollout", "history", "-n", "daemons", "daemonset/agent")).toMatch(/^1\s.*\n2\s/m);
    await k.ok("delete", "namespace", "daemons", "--timeout=90s");
  });

  it("makes a Job from a CronJob", async () => {
    await k.ok("create", "namespace", "scheduled");
    const schedule = ["--schedule=0 4 * * *", "--image=registry.example/tidy:1"];
    await k.ok("create", "cronjob", "tidy", "-n", "scheduled", ...schedule, "--", "true");
    expect(await k.ok("get", "cronjobs", "-n", "scheduled")).toMatch(/tidy\s+0 4 \* \* \*\s+<none>\s+False\s+0\s+<none>/);
    await k.ok("create", "job", "by-hand", "--from=cronjob/tidy", "-n", "scheduled");
    await k.ok("wait", "-n", "scheduled", "--for=condition=Complete", "job/by-hand", "--timeout=60s");
    await k.ok("delete", "namespace", "scheduled", "--timeout=90s");
  });

  it.skipIf(!cassandra)("runs Cassandra as its manifest says, and cleans up after it", async () => {
    await k.ok("apply", "-f", String(cassandra));
    await k.ok("rollout", "status", "statefulset/cassandra", "--timeout=110s");
    expect(await k.ok("get", "sts", "cassandra")).toMatch(/cassandra\s+3\/3/);
    expect(await k.ok("get", "pvc", "-o", "jsonpath={.items[*].status.phase}")).toBe("Bound Bound Bound");
    await k.ok("delete", "-f", String(cassandra), "--timeout=60s");
    await k.ok("wait", "--for=delete", "pod", "-l", "app=cassandra", "--timeout=60s");
    await k.ok("delete", "pvc", "-l", "app=cassandra", "--timeout=60s");
    await expect.poll(() => k.ok("get", "pv", "-o", "name"), { timeout: 30_000 }).toBe("");
  });
});
