/** Every kubectl that this machine has, from 1.27 on: the commands whose requests differ between versions, one life of a few objects each. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { findKubectls, type Kubectl, kubectl, requireKubectl } from "../support/kubectl.ts";

const anyKubectl = requireKubectl();

const settings = (name: string, colour: string) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, labels: {set: "yes"}}
data: {colour: ${colour}}
---
`;

const web = (replicas: number, image = "registry.example/web:1") => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: web, image: "${image}"}]
---
`;

describe.skipIf(!anyKubectl).each(findKubectls())("kubectl $minor", { timeout: 120_000 }, (binary) => {
  const minor = Number(binary.minor.split(".")[1] ?? 99);
  const namespace = `v${binary.minor.replace(".", "-")}`;
  const node = `node-${namespace}`;
  let k: Kubectl;

  beforeAll(async () => {
    k = kubectl(binary, plane.kubeconfig, {}, ["-n", namespace]);
    await k.ok("create", "namespace", namespace);
  });
  afterAll(() => k?.ok("delete", "namespace", namespace, "--wait=false"));

  it("applies by itself: creates, shows the difference, changes, prunes", async () => {
    expect(await k.apply(settings("one", "blue") + settings("two", "red"))).toBe("configmap/one created\nconfigmap/two created\n");
    expect(await k.pipe(settings("one", "blue"), "diff", "-f", "-")).toMatchObject({ code: 0, stdout: "" });
    const different = await k.pipe(settings("one", "green"), "diff", "-f", "-");
    expect(different.code).toBe(1);
    expect(different.stdout).toMatch(/^-\s+colour: blue\n\+\s+colour: green$/m);
    const pruning = ["--prune", "-l", "set=yes", "--prune-allowlist=core/v1/ConfigMap"];
    expect(await k.apply(settings("one", "green"), ...pruning)).toBe("configmap/one configured\nconfigmap/two pruned\n");
    expect(await k.apply(settings("one", "green"))).toBe("configmap/one unchanged\n");
  });

  it("lets the server apply, and shows the difference to that", async () => {
    expect(await k.apply(web(1), "--server-side")).toBe("deployment.apps/web serverside-applied\n");
    await k.ok("rollout", "status", "deployment/web", "--timeout=60s");
    const different = await k.pipe(web(2), "diff", "--server-side", "-f", "-");
    expect(different.code).toBe(1);
    expect(different.stdout).toMatch(/^\+\s+replicas: 2$/m);
    const refused = await k.pipe(web(3), "apply", "--server-side", "--field-manager=someone", "-f", "-");
    expect(refused.stderr).toMatch(/conflict with "kubectl": \.spec\.replicas/);
    await k.apply(web(2), "--server-side", "--field-manager=someone", "--force-conflicts");
  });

  it("waits for conditions, values and deletions", async () => {
    await k.ok("wait", "deployment/web", "--for=condition=Available", "--timeout=60s");
    await k.ok("wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=60s");
    const gone = k.ok("wait", "configmap/one", "--for=delete", "--timeout=60s");
    await k.ok("delete", "configmap", "one");
    await gone;
  });

  it("patches in three ways, and replaces", async () => {
    const patch = (type: string, body: unknown) => k.ok("patch", "deployment", "web", `--type=${type}`, "-p", JSON.stringify(body));
    const container = { name: "web", env: [{ name: "A", value: "1" }] };
    await patch("strategic", { spec: { template: { spec: { containers: [container] } } } });
    await patch("merge", { metadata: { labels: { tier: "front" } } });
    await patch("json", [{ op: "add", path: "/spec/template/spec/containers/0/env/-", value: { name: "B", value: "2" } }]);
    const path = "{.metadata.labels.tier} {.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[*].name}";
    expect(await k.read("deployment web", path)).toBe("front registry.example/web:1 A B");
    // Between kubectl's reading and its writing the controller may write the status.
    const replace = async () => (await k.pipe(web(1, "registry.example/web:2"), "replace", "-f", "-")).stdout;
    await expect.poll(replace, { timeout: 20_000 }).toBe("deployment.apps/web replaced\n");
    expect(await k.read("deployment web", path)).toBe(" registry.example/web:2 ");
  });

  it("prints columns, and what a path finds", async () => {
    const columns = "custom-columns=NAME:.metadata.name,SIZE:.spec.replicas";
    expect(await k.ok("get", "deployments", "-o", columns)).toMatch(/^NAME +SIZE\nweb +1$/m);
    expect(await k.ok("get", "deployments", "-o", "jsonpath={range .items[*]}{.metadata.name}={.spec.replicas}{end}")).toBe("web=1");
    expect(await k.ok("get", "deployments")).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +\d\/1 /m);
  });

  it("tells events", async () => {
    expect(await k.ok("events", "--for", "deployment/web")).toMatch(/ScalingReplicaSet/);
  });

  it("learns what there is", async () => {
    expect(await k.ok("api-resources", "--api-group=apps", "-o", "name")).toContain("deployments.apps\n");
    expect(await k.ok("explain", "deployment.spec.replicas")).toMatch(/replicas\W+<integer>/);
    expect(await k.ok("explain", "pod", "--recursive")).toMatch(/imagePullPolicy\s+<string>/);
  });

  it("asks who one is and what one may do", async () => {
    expect(await k.ok("auth", "can-i", "create", "deployments.apps")).toBe("yes\n");
    // 1.27 asks in versions that Kubernetes 1.36 serves no more.
    if (minor < 28) expect(await k.refused("auth", "whoami")).toMatch(/API is not enabled in the cluster/);
    else expect(await k.ok("auth", "whoami")).toMatch(/kubernetes-admin/);
  });

  it("gets a token for a service account, which is that account", async () => {
    const token = (await k.ok("create", "token", "default", "--duration=15m")).trim();
    const account = kubectl(anyKubectl ?? binary, plane.kubeconfig, {}, [`--token=${token}`]);
    const name = await account.ok("auth", "whoami", "-o", "jsonpath={.status.userInfo.username}");
    expect(name).toBe(`system:serviceaccount:${namespace}:default`);
  });

  it("cordons and taints nodes", async () => {
    await k.apply(`apiVersion: v1\nkind: Node\nmetadata: {name: ${node}}\n`);
    expect(await k.ok("cordon", node)).toBe(`node/${node} cordoned\n`);
    expect(await k.read(`node ${node}`, "{.spec.unschedulable}")).toBe("true");
    expect(await k.ok("uncordon", node)).toBe(`node/${node} uncordoned\n`);
    await k.ok("taint", "node", node, "for=others:NoExecute");
    const effect = () => k.read(`node ${node}`, '{.spec.taints[?(@.key=="for")].effect}');
    expect(await effect()).toBe("NoExecute");
    await k.ok("taint", "node", node, "for:NoExecute-");
    expect(await effect()).toBe("");
    await k.ok("delete", "node", node);
  });
});

let plane: ControlPlane;
beforeAll(async () => {
  if (anyKubectl) plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.remove());
