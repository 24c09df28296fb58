/** What goes wrong with Pods, with a real kubectl: images, crashes, places, machines. Each is said where a user looks, and is got over. */
import { DeregisterContainerInstanceCommand, ECSClient } from "@aws-sdk/client-ecs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { containerInstanceAnnotation } from "../../../shared/capacity/attributes.ts";
import { type ControlPlane, startControlPlane } from "../../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../../support/kubectl.ts";
import { deployment, lines, soon } from "../../support/shop.ts";

const binary = requireKubectl();
const patience = "--timeout=90s";

describe.skipIf(!binary)("with kubectl", { timeout: 240_000 }, () => {
  let plane: ControlPlane;
  let k: Kubectl;
  beforeAll(async () => {
    plane = await startControlPlane("--nodes", "3");
    if (binary) k = kubectl(binary, plane.kubeconfig);
  }, 90_000);
  afterAll(() => plane?.remove(), 60_000);

  const waiting = (pod: string) => k.read(`pod ${pod}`, "{.status.containerStatuses[0].state.waiting.reason}");
  const restarts = async (pod: string) => Number(await k.read(`pod ${pod}`, "{.status.containerStatuses[0].restartCount}"));
  /** How often something was said of a Pod. */
  const times = async (pod: string, message: RegExp) => {
    const { items } = JSON.parse(await k.ok("get", "events", `--field-selector=involvedObject.name=${pod}`, "-o", "json"));
    const said = items.filter((event: { message: string }) => message.test(event.message));
    return said.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
  };

  it("an image that cannot be pulled is tried again after a while, until it can be", async () => {
    const seen = k.start("get", "pods", "-w", "--field-selector=metadata.name=imageless");
    onTestFinished(() => seen.stop());
    await k.ok("run", "imageless", "--image=registry.invalid/shop/web:1");
    await seen.until(/ErrImagePull/, soon.timeout);
    await seen.until(/ImagePullBackOff/, soon.timeout);
    expect(await k.ok("get", "pod", "imageless")).toMatch(/imageless +0\/1 +(ErrImagePull|ImagePullBackOff) +0 /);
    await expect.poll(() => times("imageless", /^Failed to pull image/), soon).toBeGreaterThan(1);
    const described = await k.ok("describe", "pod", "imageless");
    expect(described).toMatch(/Failed to pull image "registry\.invalid\/shop\/web:1": .*lookup registry\.invalid: no such host/);
    expect(described).toContain('Back-off pulling image "registry.invalid/shop/web:1"');
    expect(await k.refused("logs", "imageless")).toMatch(
      /container "imageless" in pod "imageless" is waiting to start: (image can't be pulled|trying and failing to pull image)/,
    );
    await k.ok("set", "image", "pod/imageless", "imageless=registry.example/shop/web:1");
    await k.ok("wait", "pod/imageless", "--for=condition=Ready", patience);
  });

  it("a rollout of such an image takes nothing away, says that it is stuck, and is undone", async () => {
    await k.apply(deployment("web"));
    await k.ok("rollout", "status", "deployment/web", patience);
    await k.ok("set", "image", "deployment/web", "web=registry.example/web:does-not-exist");
    await expect
      .poll(() => k.read("pods -l app=web", "{.items[*].status.containerStatuses[*].state.waiting.reason}"), soon)
      .toMatch(/ImagePullBackOff/);
    expect(await k.refused("rollout", "status", "deployment/web", "--timeout=3s")).toContain("timed out waiting");
    expect(await k.read("deployment web", "{.status.availableReplicas}")).toBe("2");
    await k.ok("rollout", "undo", "deployment/web");
    await k.ok("rollout", "status", "deployment/web", patience);
    await expect.poll(async () => lines(await k.ok("get", "pods", "-l", "app=web", "-o", "name")).length, soon).toBe(2);
  });

  it("a container that exits at once is started again after a while, each time later", async () => {
    await k.ok("run", "crashing", "--image=registry.example/tool:1", "--command", "--", "sh", "-c", "exit 3");
    await expect.poll(() => restarts("crashing"), soon).toBeGreaterThan(1);
    await expect.poll(() => waiting("crashing"), soon).toBe("CrashLoopBackOff");
    const described = await k.ok("describe", "pod", "crashing");
    expect(described).toMatch(/Last State: +Terminated\n +Reason: +Error\n +Exit Code: +3\n/);
    expect(described).toMatch(/Back-off restarting failed container crashing in pod crashing_default/);
    expect(await k.ok("get", "pod", "crashing")).toMatch(/crashing +0\/1 +CrashLoopBackOff +\d+ \(\S+ ago\)/);
    expect(await k.read("pod crashing", "{.status.containerStatuses[0].state.waiting.message}")).toMatch(
      /^back-off \d+s restarting failed container=crashing pod=crashing_default/,
    );
    expect(await k.ok("logs", "crashing", "--previous")).toContain("registry.example/tool:1");
  });

  it("one that may not be started again fails, and says with what", async () => {
    await k.ok("run", "failing", "--image=registry.example/tool:1", "--restart=Never", "--command", "--", "sh", "-c", "exit 4");
    await k.ok("wait", "pod/failing", "--for=jsonpath={.status.phase}=Failed", patience);
    expect(await k.read("pod failing", "{.status.containerStatuses[0].state.terminated['reason','exitCode']}")).toBe("Error 4");
  });

  describe("a Pod that fits nowhere waits, and says why", () => {
    const pod = (name: string, spec: object) =>
      JSON.stringify({
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name },
        spec: {
          ...spec,
          containers: [{ name: "a", image: "registry.example/a:1", ...("resources" in spec && { resources: spec.resources }) }],
        },
      });
    const why = (name: string) => k.read(`pod ${name}`, '{.status.conditions[?(@.type=="PodScheduled")].message}');

    it.each([
      ["cpu", { requests: { cpu: "64" } }, "3 Insufficient cpu."],
      ["memory", { requests: { memory: "1Ti" } }, "3 Insufficient memory."],
      ["both", { requests: { cpu: "64", memory: "1Ti" } }, "3 Insufficient cpu, 3 Insufficient memory."],
      ["device", { requests: { "example.com/gpu": "1" }, limits: { "example.com/gpu": "1" } }, "3 Insufficient example.com/gpu."],
    ])("for want of %s", async (name, resources, reason) => {
      const { spec, ...rest } = JSON.parse(pod(`lacks-${name}`, {}));
      await k.apply(JSON.stringify({ ...rest, spec: { containers: [{ ...spec.containers[0], resources }] } }));
      await expect.poll(() => why(`lacks-${name}`), soon).toContain(`0/3 nodes are available: ${reason} `);
      await expect
        .poll(() => k.ok("get", "events", `--field-selector=involvedObject.name=lacks-${name}`), soon)
        .toMatch(/Warning +FailedScheduling +pod\/lacks-\w+ +0\/3 nodes are available: .* preemption: 0\/3 nodes are available: 3 /);
      expect(await k.ok("get", "pod", `lacks-${name}`)).toMatch(/0\/1 +Pending +0 /);
    });

    it("for want of a label, until a Node has it", async () => {
      const [node] = (await k.read("nodes", "{.items[*].metadata.name}")).split(" ");
      await k.apply(pod("choosy", { nodeSelector: { disk: "fast" } }));
      await expect
        .poll(() => why("choosy"), soon)
        .toContain("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. ");
      await k.ok("label", "node", String(node), "disk=fast");
      await k.ok("wait", "pod/choosy", "--for=condition=Ready", patience);
      expect(await k.read("pod choosy", "{.spec.nodeName}")).toBe(node);
    });

    it("for taints and cordons, each Node counted by its reason", async () => {
      const [first, second, third] = (await k.read("nodes", "{.items[*].metadata.name}")).split(" ").map(String);
      await k.ok("cordon", String(first));
      await k.ok("taint", "node", String(second), "for=others:NoSchedule");
      await k.ok("taint", "node", String(third), "for=others:NoSchedule");
      await k.apply(pod("outside", {}));
      await expect
        .poll(() => why("outside"), soon)
        .toMatch(/^0\/3 nodes are available: 1 node\(s\) were unschedulable, 2 node\(s\) had untolerated taint\(s\)\. /);
      await k.ok("uncordon", String(first));
      await k.ok("wait", "pod/outside", "--for=condition=Ready", patience);
      await k.ok("taint", "node", String(second), String(third), "for-");
    });
  });

  it("a Node that vanishes takes its Pods with it, and others take their place elsewhere", async () => {
    await k.ok("create", "deployment", "moving", "--image=registry.example/web:1", "--replicas=3");
    await k.ok("rollout", "status", "deployment/moving", patience);
    const where = async () => (await k.read("pods -l app=moving", "{.items[*].spec.nodeName}")).split(" ");
    const [node] = await where();
    const machine = JSON.parse(await k.ok("get", "node", String(node), "-o", "json")).metadata.annotations[containerInstanceAnnotation];
    const before = lines(await k.ok("get", "pods", "-l", "app=moving", `--field-selector=spec.nodeName=${node}`, "-o", "name"));

    await vanish(plane, machine);
    for (const pod of before) await k.ok("wait", "--for=delete", pod, patience);
    await k.ok("wait", "deployment/moving", "--for=jsonpath={.status.readyReplicas}=3", patience);
    expect(await where()).not.toContain(node);
    await expect.poll(() => k.ok("get", "node", String(node), "--ignore-not-found"), soon).not.toMatch(/ Ready/);
  });
});

/** The machine is gone, as after a hardware failure: Amazon ECS no longer knows it. */
async function vanish(plane: ControlPlane, containerInstance: string): Promise<void> {
  const client = new ECSClient({
    endpoint: plane.awsUrl(),
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  await client.send(new DeregisterContainerInstanceCommand({ cluster: "binnacle-default", containerInstance, force: true }));
  client.destroy();
}
