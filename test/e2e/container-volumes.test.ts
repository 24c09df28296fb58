/** Claims of Pods that are real containers: what one Pod wrote, the next one reads, and nothing is left when the claim is gone. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlaneWith } from "../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../support/kubectl.ts";
import { canRunPodman, podmanStartMs, startPodman, type TestEngine } from "../support/podman.ts";

const binary = requireKubectl();
const possible = canRunPodman();
const minuteMs = 60_000;

describe.skipIf(!binary || !possible)("claims of containers of podman", { timeout: 2 * minuteMs }, () => {
  let engine: TestEngine;
  let plane: ControlPlane;
  let k: Kubectl;

  beforeAll(async () => {
    engine = await startPodman();
    plane = await startControlPlaneWith({ DOCKER_HOST: engine.dockerHost }, "--engine", "docker");
    if (binary) k = kubectl(binary, plane.kubeconfig);
  }, podmanStartMs);
  afterAll(async () => {
    await plane?.remove();
  }, minuteMs);

  const counter = () => `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: counter}
spec:
  serviceName: counter
  selector: {matchLabels: {app: counter}}
  template:
    metadata: {labels: {app: counter}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: ${engine.image}
        imagePullPolicy: IfNotPresent
        securityContext: {runAsUser: 1000}
        command: [sh, -c, "echo start >> /data/starts; wc -l < /data/starts; exec sleep 1000"]
        lifecycle: {preStop: {exec: {command: [sh, -c, "echo stop >> /data/stops"]}}}
        volumeMounts: [{name: data, mountPath: /data}]
  volumeClaimTemplates:
  - metadata: {name: data}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
`;
  const logs = () => k.ok("logs", "counter-0");

  it("what a Pod wrote is there for the one after it, and its preStop hook ran", async () => {
    expect(await k.pipe(counter(), "apply", "-f", "-")).toMatchObject({ code: 0 });
    await k.ok("rollout", "status", "statefulset/counter", "--timeout=60s");
    await expect.poll(logs, { timeout: 20_000 }).toBe("1\n");
    await k.ok("delete", "pod", "counter-0", "--timeout=60s");
    await k.ok("rollout", "status", "statefulset/counter", "--timeout=60s");
    await expect.poll(logs, { timeout: 20_000 }).toBe("2\n");
    const [volume = ""] = readdirSync(join(plane.data, "volumes"));
    expect(volume).toMatch(/^pvc-/);
    expect(existsSync(join(plane.data, "volumes", volume, "stops"))).toBe(true);
  });

  it("the folder goes when the claim is gone, at the next look", async () => {
    await k.ok("delete", "statefulset", "counter", "--timeout=60s");
    await k.ok("wait", "--for=delete", "pod/counter-0", "--timeout=60s");
    await k.ok("delete", "pvc", "data-counter-0", "--timeout=60s");
    await expect.poll(() => k.ok("get", "pv", "-o", "name"), { timeout: 30_000 }).toBe("");
    await plane.stop();
    await plane.restart();
    await expect.poll(() => readdirSync(join(plane.data, "volumes")), { timeout: 20_000 }).toEqual([]);
  });
});
