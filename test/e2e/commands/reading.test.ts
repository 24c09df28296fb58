/** The commands that look, with a real kubectl, as a user gives them: get, describe, logs, events, wait. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type ControlPlane, startControlPlane } from "../../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../../support/kubectl.ts";
import { configMap, deployment, lines, soon } from "../../support/shop.ts";

const binary = requireKubectl();
const waitsForCreation = !binary || binary.minor === "default" || Number(binary.minor.split(".")[1]) >= 31;

/** Two containers that serve, and one that ends again and again. */
const pods = `
apiVersion: v1
kind: Pod
metadata: {name: pair, labels: {app: pair}}
spec:
  containers:
  - {name: first, image: "registry.example/first:1"}
  - {name: second, image: "registry.example/second:1"}
---
apiVersion: v1
kind: Pod
metadata: {name: failing}
spec: {containers: [{name: main, image: "registry.example/tool:1", command: [sh, -c, exit 3]}]}
---
`;

const sleeper = (seconds: number) => `
apiVersion: v1
kind: Pod
metadata: {name: sleeper}
spec:
  restartPolicy: Never
  containers: [{name: main, image: "registry.example/tool:1", command: [sleep, "${seconds}"]}]
`;

describe.skipIf(!binary)("with kubectl", { timeout: 120_000 }, () => {
  let plane: ControlPlane;
  let k: Kubectl;

  const watch = (...args: string[]) => {
    const running = k.start("get", ...args);
    onTestFinished(() => running.stop());
    return running;
  };

  beforeAll(async () => {
    plane = await startControlPlane();
    if (binary) k = kubectl(binary, plane.kubeconfig, {}, ["-n", "shop"]);
    await k.ok("create", "namespace", "shop");
    await k.apply(deployment("web") + pods);
    await k.ok("expose", "deployment", "web", "--port=80", "--target-port=8080");
    await k.ok("rollout", "status", "deployment/web", "--timeout=90s");
    await k.ok("wait", "pod/pair", "--for=condition=Ready", "--timeout=90s");
  }, 240_000);
  afterAll(() => plane?.remove(), 60_000);

  describe("get", () => {
    it("shows tables", async () => {
      expect(await k.ok("get", "deployment")).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\S+\n$/);
      expect(await k.ok("get", "pods", "-l", "app=web")).toMatch(
        /^NAME +READY +STATUS +RESTARTS +AGE\n(web-\w+-\w+ +1\/1 +Running +0 .*\n){2}$/,
      );
      expect(await k.ok("get", "pods", "-l", "app=web", "-o", "wide")).toMatch(/ 10\.200\.\d+\.\d+ +ip-10-200-\S+ +<none> +<none>\n/);
      expect(await k.ok("get", "all")).toMatch(/pod\/web-[^]*service\/web[^]*deployment\.apps\/web[^]*replicaset\.apps\/web-/);
    });

    it("shows every namespace with -A, and labels with -L", async () => {
      expect(await k.ok("get", "pods", "-A", "-L", "app")).toMatch(/^NAMESPACE +NAME .* APP\n(?:\S+ .*\n)*shop +web-.* web\n/);
    });

    it("prints objects in every form", async () => {
      expect(await k.ok("get", "deployment", "web", "-o", "yaml")).toMatch(/^apiVersion: apps\/v1\nkind: Deployment\nmetadata:\n/);
      expect(JSON.parse(await k.ok("get", "deployment", "web", "-o", "json"))).toMatchObject({
        kind: "Deployment",
        status: { readyReplicas: 2 },
      });
      expect(await k.ok("get", "svc,deployment", "-o", "name")).toBe("service/web\ndeployment.apps/web\n");
      expect(await k.read("deployment web", "{.spec.template.spec.containers[*].image}")).toBe("registry.example/web:1");
      const columns = "custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[0].image";
      expect(await k.ok("get", "deployment", "-o", columns)).toBe("NAME   IMAGE\nweb    registry.example/web:1\n");
      expect(await k.ok("get", "pods", "--sort-by=.metadata.name", "-o", "go-template={{range .items}}{{.metadata.name}} {{end}}")).toMatch(
        /^failing pair web-/,
      );
    });

    it("selects by label", async () => {
      expect(lines(await k.ok("get", "pods", "-l", "app in (web, pair),app!=web", "-o", "name"))).toEqual(["pod/pair"]);
      expect(await k.refused("get", "pods", "-l", "app in (web")).toContain("unable to parse requirement");
    });

    it("selects by field", async () => {
      const running = lines(await k.ok("get", "pods", "--field-selector=status.phase=Running", "-l", "app", "-o", "name"));
      expect(running).toHaveLength(3);
      const node = await k.read("pod pair", "{.spec.nodeName}");
      expect(await k.ok("get", "pods", "-A", `--field-selector=spec.nodeName=${node}`, "-o", "name")).toContain("pod/pair\n");
      expect(await k.ok("get", "pods", "--field-selector=metadata.name!=pair,metadata.name!=failing", "-o", "name")).not.toMatch(
        /pair|failing/,
      );
      expect(await k.refused("get", "pods", "--field-selector=spec.image=x")).toContain("field label not supported: spec.image");
    });

    it("lists events by what they are about", async () => {
      const about = (...selectors: string[]) => k.ok("get", "events", `--field-selector=${selectors.join(",")}`);
      await expect
        .poll(() => about("involvedObject.kind=Deployment", "involvedObject.name=web"), soon)
        .toMatch(
          /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\S+ +Normal +ScalingReplicaSet +deployment\/web +Scaled up replica set web-\w+ from 0 to 2\n$/,
        );
      expect(await about("involvedObject.name=pair", "reason=Scheduled")).toContain("Successfully assigned shop/pair to ip-");
      expect(await k.ok("events", "--for", "deployment/web")).toMatch(/ScalingReplicaSet +Deployment\/web +Scaled up/);
      await expect.poll(() => k.ok("events", "--types=Warning"), soon).toMatch(/BackOff +Pod\/failing/);
    });

    it("watches", async () => {
      const names = watch("configmaps", "-w", "-o", "name", "-l", "watched");
      const tables = watch("configmaps", "-w", "-l", "watched");
      const changes = watch("configmaps", "--watch-only", "--output-watch-events", "-l", "watched");
      // A watch without a list begins now: it has begun when it shows what is created now.
      let count = 0;
      await expect
        .poll(async () => {
          await k.apply(configMap(`seen-${++count}`, "watched: here"));
          return changes.lines.length;
        }, soon)
        .toBeGreaterThan(0);
      await k.apply(configMap("seen-last", "watched: here"));
      await k.ok("delete", "configmap", "-l", "watched");
      await changes.until(/^ADDED +seen-last +0 +\S+$/, soon.timeout);
      await changes.until(/^DELETED +seen-last +0 +\S+$/, soon.timeout);
      await tables.until(/^seen-last +0 +\S+$/, soon.timeout);
      await names.until(/^configmap\/seen-last$/, soon.timeout);
    });

    it("says what is not there", async () => {
      expect(await k.refused("get", "pods", "nobody")).toBe('Error from server (NotFound): pods "nobody" not found\n');
      expect(await k.refused("get", "nothings")).toBe('error: the server doesn\'t have a resource type "nothings"\n');
      expect(await k("get", "pods", "-n", "nowhere")).toMatchObject({ code: 0, stderr: "No resources found in nowhere namespace.\n" });
      expect(await k.refused("create", "configmap", "x", "-n", "nowhere")).toContain('namespaces "nowhere" not found');
    });
  });

  describe("describe", () => {
    it("tells of a Pod", async () => {
      await expect.poll(() => k.ok("describe", "pod", "pair"), soon).toMatch(/ Started /);
      const text = await k.ok("describe", "pod", "pair");
      expect(text).toMatch(
        /^Name: +pair\nNamespace: +shop\n[^]*Node: +ip-[^]*Status: +Running\nIP: +10\.200\.[^]*Containers:\n {2}first:[^]*State: +Running/,
      );
      expect(text).toMatch(/Conditions:\n[^]*Ready +True[^]*QoS Class: +BestEffort[^]*Events:\n/);
      expect(text).toMatch(/ Scheduled +[^]* Pulled +[^]* Started +/);
    });

    it("tells of a Deployment, a Service, a namespace and a Node", async () => {
      expect(await k.ok("describe", "deployment", "web")).toMatch(
        /Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable[^]*NewReplicaSet: +web-\w+ \(2\/2 replicas created\)[^]*ScalingReplicaSet/,
      );
      await expect
        .poll(() => k.ok("describe", "service", "web"), soon)
        .toMatch(/IP: +10\.\d+[^]*TargetPort: +8080\/TCP[^]*Endpoints: +10\.200\.\d+\.\d+:8080,10\.200\.\d+\.\d+:8080/);
      expect(await k.ok("describe", "namespace", "shop")).toMatch(/^Name: +shop\n[^]*Status: +Active\n/);
      const node = await k.ok("describe", "node", await k.read("pod pair", "{.spec.nodeName}"));
      expect(node).toMatch(/Ready +True[^]*Capacity:\n +cpu: +2\n[^]*Non-terminated Pods:[^]*shop +pair[^]*Allocated resources:/);
    });
  });

  describe("logs", () => {
    const first = /^binnacle: simulated engine: nothing runs here\. .*registry\.example\/first:1/;

    it("reads one container or all", async () => {
      expect(await k.ok("logs", "pair", "-c", "first")).toMatch(first);
      expect(await k("logs", "pair")).toMatchObject({ code: 0, stderr: 'Defaulted container "first" out of: first, second\n' });
      expect(lines(await k.ok("logs", "pair", "--all-containers", "--prefix")).toSorted()).toMatchObject(
        [/^\[pod\/pair\/first\] /, /^\[pod\/pair\/second\] /].map((line) => expect.stringMatching(line)),
      );
      expect(await k.ok("logs", "deployment/web")).toContain("registry.example/web:1");
    });

    it("limits them by lines and time", async () => {
      expect(await k.ok("logs", "pair", "-c", "first", "--tail=0")).toBe("");
      expect(await k.ok("logs", "pair", "-c", "first", "--since=1h", "--tail=1", "--timestamps")).toMatch(
        /^\d{4}-\d\d-\d\dT[\d:.]+Z binnacle: /,
      );
      const tomorrow = new Date(Date.now() + 86_400_000).toISOString();
      expect(await k.ok("logs", "pair", "-c", "first", `--since-time=${tomorrow}`)).toBe("");
    });

    it("follows them until the container ends", async () => {
      await k.apply(sleeper(5));
      await expect.poll(() => k.read("pod sleeper", "{.status.phase}"), soon).toMatch(/Running|Succeeded/);
      expect(await k.ok("logs", "sleeper", "-f")).toContain("registry.example/tool:1");
      const returned = Date.now();
      await expect.poll(() => k.read("pod sleeper", "{.status.phase}"), soon).toBe("Succeeded");
      const finished = await k.read("pod sleeper", "{.status.containerStatuses[0].state.terminated.finishedAt}");
      expect(returned).toBeGreaterThanOrEqual(Date.parse(finished));
    });

    it("reads those of the container before", async () => {
      await expect.poll(() => k.read("pod failing", "{.status.containerStatuses[0].restartCount}"), soon).toMatch(/^[1-9]/);
      expect(await k.ok("logs", "failing", "--previous")).toContain("registry.example/tool:1");
      expect(await k.refused("logs", "pair", "-c", "first", "--previous")).toContain(
        'previous terminated container "first" in pod "pair" not found',
      );
    });

    it("says what it cannot read", async () => {
      expect(await k.refused("logs", "pair", "-c", "third")).toMatch(/^error: container third is not valid for pod pair\b/);
      expect(await k.refused("logs", "nobody")).toContain('pods "nobody" not found');
      expect(await k.refused("get", "--raw", "/api/v1/namespaces/shop/pods/pair/log?container=third")).toContain(
        "container third is not valid for pod pair",
      );
    });
  });

  describe("wait", () => {
    it("gives up", async () => {
      expect(await k.refused("wait", "pod/pair", "--for=condition=Never", "--timeout=3s")).toBe(
        "error: timed out waiting for the condition on pods/pair\n",
      );
      expect(await k.refused("wait", "pod/nobody", "--for=condition=Ready", "--timeout=3s")).toContain("NotFound");
    });

    it.runIf(waitsForCreation)("waits for what is created", async () => {
      const created = k.ok("wait", "--for=create", "configmap/late", "--timeout=90s");
      await k.ok("create", "configmap", "late");
      expect(await created).toBe("configmap/late condition met\n");
    });

    it("waits for what is deleted", async () => {
      await k.ok("create", "configmap", "leaving");
      const gone = k.ok("wait", "--for=delete", "configmap/leaving", "--timeout=90s");
      await k.ok("delete", "configmap", "leaving");
      await gone;
      expect(await k.refused("get", "configmap", "leaving")).toContain("NotFound");
    });
  });
});
