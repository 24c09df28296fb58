/** The whole path with a real kubectl: gateway, handlers, log, controllers, scheduler, tasks, status. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl, typicalKubectls } from "../support/kubectl.ts";

const binary = requireKubectl();

const web = (image = "registry.example/web:1", replicas = 3) => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: ${image}
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 100m, memory: 64Mi}}
`;

describe.skipIf(!binary)("a user with kubectl", { timeout: 120_000 }, () => {
  let plane: ControlPlane;
  let k: Kubectl;

  beforeAll(async () => {
    plane = await startControlPlane();
    if (binary) k = kubectl(binary, plane.kubeconfig);
  }, 60_000);
  afterAll(async () => plane?.remove());

  it("sees the namespaces and nodes of a new cluster", async () => {
    expect(await k.ok("get", "ns")).toMatch(/^default\s+Active/m);
    await k.ok("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=30s");
    expect(await k.ok("get", "nodes")).toMatch(/\sReady\s/);
  });

  it("applies a Deployment and watches it become available", async () => {
    await k.ok("create", "namespace", "shop");
    const watch = k.start("get", "pods", "-n", "shop", "-w");
    const applied = await k.pipe(web(), "apply", "-n", "shop", "-f", "-");
    expect(applied).toMatchObject({ code: 0, stdout: "deployment.apps/web created\n" });
    expect(await k.ok("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")).toContain("successfully rolled out");
    await watch.until(/web-.*Running/);
    await watch.stop();
    expect(await k.ok("get", "deploy", "-n", "shop")).toMatch(/web\s+3\/3\s+3\s+3/);
    const wide = await k.ok("get", "pods", "-n", "shop", "-o", "wide");
    expect(wide.match(/1\/1\s+Running/g)).toHaveLength(3);
  });

  it("applies the same manifest again without a change", async () => {
    const again = await k.pipe(web(), "apply", "-n", "shop", "-f", "-");
    expect(again.stdout).toBe("deployment.apps/web unchanged\n");
  });

  it("describes a Pod with its events", async () => {
    const text = await k.ok("describe", "pods", "-n", "shop");
    expect(text).toMatch(/Scheduled\s+.*Successfully assigned shop\/web-/);
    expect(text).toMatch(/Status:\s+Running/);
  });

  it("replaces a Pod that was deleted", async () => {
    const [first] = (await k.ok("get", "pods", "-n", "shop", "-o", "name")).trim().split("\n");
    await k.ok("delete", "-n", "shop", String(first));
    await k.ok("wait", "-n", "shop", "--for=jsonpath={.status.readyReplicas}=3", "deployment/web", "--timeout=60s");
    expect(await k.ok("get", "pods", "-n", "shop", "-o", "name")).not.toContain(String(first));
  });

  it("rolls out a new image and back", async () => {
    await k.ok("set", "image", "-n", "shop", "deployment/web", "web=registry.example/web:2");
    await k.ok("rollout", "status", "-n", "shop", "deployment/web", "--timeout=60s");
    // Old Pods may still be terminating when the rollout is complete, as on any cluster.
    const images = () => k.ok("get", "pods", "-n", "shop", "-o", "jsonpath={.items[*].spec.containers[0].image}");
    await expect.poll(images, { timeout: 20_000 }).not.toContain("web:1");
    await k.ok("rollout", "undo", "-n", "shop", "deployment/web");
    await k.ok("rollout", "status", "-n", "shop", "deployment/web", "--timeout=60s");
    expect(await k.ok("rollout", "history", "-n", "shop", "deployment/web")).toMatch(/^3\s/m);
  });

  it("scales", async () => {
    await k.ok("scale", "-n", "shop", "deployment/web", "--replicas=1");
    await k.ok("wait", "-n", "shop", "--for=jsonpath={.status.replicas}=1", "deployment/web", "--timeout=60s");
  });

  it("is told what is wrong with a manifest", async () => {
    const unknown = await k.pipe(web().replace("replicas:", "replica:"), "apply", "-n", "shop", "-f", "-");
    expect(unknown.code).not.toBe(0);
    expect(unknown.stderr).toMatch(/unknown field "spec.replica"/);
    const invalid = await k.pipe(web().replace("name: web, labels", "name: Web_1, labels"), "apply", "-n", "shop", "-f", "-");
    expect(invalid.stderr).toMatch(/a lowercase RFC 1123 subdomain/);
  });

  it.each(typicalKubectls())("creates with kubectl $minor (protobuf from 1.32 on)", async (version) => {
    const versioned = kubectl(version, plane.kubeconfig);
    const name = `v${version.minor.replace(".", "-")}`;
    await versioned.ok("create", "namespace", name);
    await versioned.ok("create", "configmap", "settings", "-n", name, "--from-literal=colour=blue");
    await versioned.ok("create", "secret", "generic", "password", "-n", name, "--from-literal=word=secret");
    await versioned.ok("create", "deployment", "web", "-n", name, "--image=registry.example/web:1");
    await versioned.ok("rollout", "status", "deployment/web", "-n", name, "--timeout=60s");
    expect(await versioned.ok("get", "configmap", "settings", "-n", name, "-o", "jsonpath={.data.colour}")).toBe("blue");
    expect(await versioned.ok("api-resources")).toMatch(/deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/);
    expect(await versioned.ok("explain", "deployment.spec.replicas")).toMatch(/integer/);
    await versioned.ok("delete", "namespace", name, "--timeout=60s");
  });

  it("keeps every acknowledged write over kill -9, and starts no task twice", async () => {
    const before = await k.ok(
      "get",
      "pods",
      "-n",
      "shop",
      "-o",
      "jsonpath={.items[*].metadata.uid} {.items[*].status.containerStatuses[0].containerID}",
    );
    for (let index = 0; index < 20; index++) await k.ok("create", "configmap", `kept-${index}`, "-n", "shop", `--from-literal=n=${index}`);
    await plane.kill();
    await plane.restart();
    expect((await k.ok("get", "configmap", "-n", "shop", "-o", "name")).match(/kept-/g)).toHaveLength(20);
    expect(await k.ok("rollout", "status", "deployment/web", "-n", "shop", "--timeout=60s")).toContain("successfully rolled out");
    expect(
      await k.ok(
        "get",
        "pods",
        "-n",
        "shop",
        "-o",
        "jsonpath={.items[*].metadata.uid} {.items[*].status.containerStatuses[0].containerID}",
      ),
    ).toBe(before);
  });

  it("deletes a namespace with everything in it", async () => {
    await k.ok("delete", "namespace", "shop", "--timeout=60s");
    expect((await k("get", "namespace", "shop")).stderr).toContain("NotFound");
    expect(await k.ok("get", "pods", "-A")).not.toContain("web-");
  });

  it("keeps the kubeconfig to its owner and answers strangers with 401", async () => {
    const config = await k.ok("config", "view", "--raw");
    const stranger = join(plane.data, "stranger");
    writeFileSync(stranger, config.replace(/token: .*/, "token: wrong"), { mode: 0o600 });
    const refused = await k("get", "pods", `--kubeconfig=${stranger}`);
    expect(refused.stderr).toMatch(/Unauthorized|must be logged in/);
  });
});
