/** Pods as real containers: a real kubectl, the control plane as a user starts it, and a real container engine behind it. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect as connectEngine, type EngineApi } from "../../local/engine/docker/api.ts";
import { labelled, ownerLabel, ownerOf } from "../../local/engine/docker/names.ts";
import { type ControlPlane, startControlPlaneWith } from "../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../support/kubectl.ts";
import { canRunPodman, podmanStartMs, startPodman, type TestEngine } from "../support/podman.ts";

const binary = requireKubectl();
const possible = canRunPodman();
const minuteMs = 60_000;

interface Container {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>>;
}

describe.skipIf(!binary || !possible)("Pods as containers of podman", { timeout: 2 * minuteMs }, () => {
  let engine: TestEngine;
  let api: EngineApi;
  let plane: ControlPlane;
  let k: Kubectl;

  beforeAll(async () => {
    engine = await startPodman();
    api = await connectEngine(engine.dockerHost, engine.socket, 5_000);
    plane = await startControlPlaneWith({ DOCKER_HOST: engine.dockerHost }, "--engine", "docker");
    if (binary) k = kubectl(binary, plane.kubeconfig);
  }, podmanStartMs);
  afterAll(async () => {
    await plane?.remove();
  }, minuteMs);

  const apply = async (manifest: string) => {
    const { code, stderr } = await k.pipe(manifest, "apply", "-f", "-");
    expect({ code, stderr }).toMatchObject({ code: 0 });
  };
  /** A Pod with one container that runs a line of shell. */
  const pod = (name: string, script: string, rest: { spec?: string; container?: string; labels?: string } = {}) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}, labels: {${rest.labels ?? "app: single"}}}
spec:
  terminationGracePeriodSeconds: 2
${indent(rest.spec ?? "", 2)}
  containers:
  - name: main
    image: ${engine.image}
    imagePullPolicy: IfNotPresent
    command: [sh, -c, ${JSON.stringify(script)}]
${indent(rest.container ?? "", 4)}
`;
  const containersOf = async (name: string): Promise<readonly Container[]> =>
    (await api.call<readonly Container[]>("GET", "/containers/json", { query: { all: true } })).filter(
      ({ Labels }) => Labels["io.kubernetes.pod.name"] === name || Labels["io.kubernetes.pod.name"]?.startsWith(`${name}-`),
    );
  const status = (name: string, path: string) => k.ok("get", "pod", name, "-o", `jsonpath={.status.${path}}`);

  it("says at the start what runs Pods", () => {
    expect(plane.output()).toMatch(
      /^Pods run as containers of podman \S+ \(unix:.*\), with addresses of their own in 10\.\d+\.0\.0\/16\.$/m,
    );
  });

  it("runs a Deployment and lets Pods reach it by the name of its Service, short and full", async () => {
    await apply(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 2
      containers:
      - name: web
        image: ${engine.image}
        imagePullPolicy: IfNotPresent
        command: [sh, -c, "mkdir /www && hostname > /www/index.html && echo serving && exec httpd -f -p 80 -h /www"]
        ports: [{name: http, containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: http}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
`);
    await k.ok("rollout", "status", "deployment/web", "--timeout=60s");
    const names = (await k.ok("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].metadata.name}")).split(" ");
    expect(names).toHaveLength(2);
    const addresses = (await k.ok("get", "pods", "-l", "app=web", "-o", "jsonpath={.items[*].status.podIP}")).split(" ");
    expect(new Set(addresses).size).toBe(2);

    const own = ["web", "web.default", "web.default.svc.cluster.local"];
    const ask = own.map((name) => `echo "${name}: $(wget -q -O- http://${name}/)"`).join("; ");
    await apply(pod("client", `${ask}; nslookup web.default.svc.cluster.local`, { spec: "restartPolicy: Never" }));
    await expect.poll(() => status("client", "phase"), { timeout: 30_000 }).toMatch(/Succeeded|Failed/);
    const log = await k.ok("logs", "client");
    for (const name of own)
      expect(names.map((pod) => `${name}: ${pod}`)).toContain(log.split("\n").find((line) => line.startsWith(`${name}: `)));
    // The name stands for both Pods.
    const found = [...log.matchAll(/^Address: (\S+)$/gm)].map(([, address]) => address);
    expect(found).toEqual(expect.arrayContaining(addresses));
  });

  it("serves the API to Pods under its name in the cluster", async () => {
    await apply(
      pod("inside", "wget -q -O- --no-check-certificate https://kubernetes.default.svc.cluster.local/readyz", {
        spec: "restartPolicy: Never",
      }),
    );
    await expect.poll(() => status("inside", "phase"), { timeout: 30_000 }).toMatch(/Succeeded|Failed/);
    const log = await k.ok("logs", "inside");
    // Not every busybox speaks TLS; the address and the port were right if it got as far as that.
    expect(log).toMatch(/^ok$|ssl_client|TLS/m);
  });

  it("follows a log, and shows the newest lines", async () => {
    await apply(pod("ticker", "i=0; while true; do i=$((i+1)); echo tick $i; sleep 0.2; done"));
    await k.ok("wait", "pod/ticker", "--for=condition=Ready", "--timeout=30s");
    const following = k.start("logs", "-f", "ticker");
    await following.until(/^tick 15$/);
    await following.stop();
    expect(following.lines.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, index) => `tick ${index + 1}`));
    expect(await k.ok("logs", "ticker", "--tail=1")).toMatch(/^tick \d+\n$/);
    expect(await k.ok("logs", "ticker", "--tail=1", "--timestamps")).toMatch(/^\d{4}-\d\d-\d\dT\S+Z tick \d+\n$/);
  });

  it("ends a Pod with its exit code and keeps its output", async () => {
    await apply(pod("job", "echo to stdout; echo to stderr >&2; printf unfinished; exit 3", { spec: "restartPolicy: Never" }));
    await k.ok("wait", "pod/job", "--for=jsonpath={.status.phase}=Failed", "--timeout=30s");
    expect(await status("job", "containerStatuses[0].state.terminated.exitCode")).toBe("3");
    const lines = (await k.ok("logs", "job")).trim().split("\n");
    expect(lines.toSorted()).toEqual(["to stderr", "to stdout", "unfinished"]);
  });

  it("restarts what crashes, later and later, and keeps the former log", async () => {
    await apply(pod("crashing", 'echo "about to crash"; sleep 0.5; exit 7'));
    await expect.poll(() => status("crashing", "containerStatuses[0].state.waiting.reason"), { timeout: 30_000 }).toBe("CrashLoopBackOff");
    expect(await status("crashing", "containerStatuses[0].lastState.terminated.exitCode")).toBe("7");
    await expect.poll(() => status("crashing", "containerStatuses[0].restartCount"), { timeout: 40_000 }).toMatch(/^[1-9]/);
    expect(await k.ok("logs", "crashing", "--previous")).toBe("about to crash\n");
  });

  it("says why an image cannot be pulled, and backs off", async () => {
    const watching = k.start("get", "pods", "-w", "--field-selector=metadata.name=imageless");
    await apply(pod("imageless", "true").replace(engine.image, `${engine.registry}/nothing:here`));
    await watching.until(/ErrImagePull/);
    await watching.until(/ImagePullBackOff/);
    await watching.stop();
    expect(await k.ok("get", "events", "--field-selector=involvedObject.name=imageless")).toMatch(/manifest unknown/);
  });

  it("is ready when its probe says so, and restarts when another does", async () => {
    await apply(
      pod("probed", "mkdir /www; (sleep 3; touch /www/ready) & exec httpd -f -p 8080 -h /www", {
        container: "readinessProbe: {httpGet: {path: /ready, port: 8080}, periodSeconds: 1}",
      }),
    );
    await k.ok("wait", "pod/probed", "--for=jsonpath={.status.phase}=Running", "--timeout=30s");
    expect(await status("probed", "containerStatuses[0].ready")).toBe("false");
    await k.ok("wait", "pod/probed", "--for=condition=Ready", "--timeout=30s");

    await apply(
      pod("unwell", "sleep 2; touch /tmp/unwell; sleep 600", {
        container:
          "livenessProbe: {exec: {command: [sh, -c, 'test ! -e /tmp/unwell || { echo it is unwell; exit 1; }']}, periodSeconds: 1, timeoutSeconds: 20, failureThreshold: 2}",
      }),
    );
    await expect.poll(() => status("unwell", "containerStatuses[0].restartCount"), { timeout: 60_000 }).toMatch(/^[1-9]/);
    expect(await k.ok("get", "events", "--field-selector=involvedObject.name=unwell,reason=Unhealthy")).toMatch(
      /Liveness probe failed: it is unwell/,
    );
  });

  it("tells a container that was killed for its memory", async () => {
    await apply(
      pod("greedy", "x=a; while true; do x=$x$x; done", { spec: "restartPolicy: Never", container: "resources: {limits: {memory: 16Mi}}" }),
    );
    await k.ok("wait", "pod/greedy", "--for=jsonpath={.status.phase}=Failed", "--timeout=30s");
    expect(await status("greedy", "containerStatuses[0].state.terminated.reason")).toBe("OOMKilled");
    expect(await status("greedy", "containerStatuses[0].state.terminated.exitCode")).toBe("137");
  });

  it("shows ConfigMaps in volumes, and brings them up to date", async () => {
    await k.ok("create", "configmap", "settings", "--from-literal=colour=blue");
    await apply(
      pod("configured", 'while true; do echo "colour $(cat /config/colour)"; sleep 1; done', {
        spec: "volumes: [{name: config, configMap: {name: settings}}]",
        container: "volumeMounts: [{name: config, mountPath: /config}]",
      }),
    );
    await k.ok("wait", "pod/configured", "--for=condition=Ready", "--timeout=30s");
    const following = k.start("logs", "-f", "configured");
    await following.until(/^colour blue$/);
    await k.ok("patch", "configmap", "settings", "--type=merge", "-p", '{"data":{"colour":"green"}}');
    await following.until(/^colour green$/, 100_000);
    await following.stop();
    // Never anything in between.
    expect([...new Set(following.lines)]).toEqual(["colour blue", "colour green"]);
  });

  it("adopts the containers that run when it was killed, and loses no line of theirs", async () => {
    await apply(pod("counter", "i=0; while true; do i=$((i+1)); echo $i; sleep 0.1; done"));
    await k.ok("wait", "pod/counter", "--for=condition=Ready", "--timeout=30s");
    const before = await Promise.all(["counter", "web", "ticker"].map(containersOf));
    const ids = (all: readonly (readonly Container[])[]) => all.map((some) => some.map(({ Id }) => Id).toSorted());

    await plane.kill();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await plane.restart();

    await k.ok("wait", "pod/counter", "--for=condition=Ready", "--timeout=30s");
    expect(ids(await Promise.all(["counter", "web", "ticker"].map(containersOf)))).toEqual(ids(before));
    expect(await status("counter", "containerStatuses[0].restartCount")).toBe("0");
    const lines = (await k.ok("logs", "counter")).trim().split("\n").map(Number);
    const more = k.start("logs", "-f", "counter");
    await more.until(new RegExp(`^${lines.length + 20}$`));
    await more.stop();
    const all = more.lines.map(Number);
    expect(all).toEqual(all.map((_, index) => index + 1));
  });

  it("removes the containers of what is deleted", async () => {
    expect(await containersOf("web")).toHaveLength(4);
    await k.ok("delete", "deployment/web", "pod/ticker", "--timeout=60s");
    await k.ok("wait", "pods", "-l", "app=web", "--for=delete", "--timeout=60s");
    expect(await containersOf("web")).toEqual([]);
    expect(await containersOf("ticker")).toEqual([]);
    expect((await k("logs", "ticker")).stderr).toMatch(/NotFound/);
  });

  it("leaves nothing of itself behind when there are no Pods any more", async () => {
    await k.ok("delete", "pods", "--all", "--timeout=60s");
    await plane.stop();
    // Other tests have the same engine: what counts is this control plane's own.
    const query = { all: true, filters: labelled(ownerLabel, ownerOf(plane.data)) };
    expect(await api.call("GET", "/containers/json", { query })).toEqual([]);
    expect(await api.call("GET", "/volumes", { query })).toMatchObject({ Volumes: [] });
    expect(await api.call("GET", "/networks", { query })).toEqual([]);
  });
});

describe("a container engine that refuses", { timeout: minuteMs }, () => {
  it("is a clear message when it was asked for", async () => {
    await expect(startControlPlaneWith({ DOCKER_HOST: "unix:///nonexistent/docker.sock" }, "--engine", "docker")).rejects.toThrow(
      /The container engine at unix:\/\/\/nonexistent\/docker.sock cannot be used: there is no such socket\. Start the engine, or correct DOCKER_HOST\.$/m,
    );
  });
});

const indent = (text: string, by: number): string =>
  text
    .split("\n")
    .map((line) => " ".repeat(by) + line)
    .join("\n");
