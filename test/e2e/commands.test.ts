/** Every command that is promised to work, with a real kubectl, as a user gives it; what is common to all with the oldest one too. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { findKubectls, type Kubectl, kubectl, requireKubectl } from "../support/kubectl.ts";

const newest = requireKubectl();
const oldest = findKubectls()[0];

const web = (image = "registry.example/web:1") => `
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: ${image}
        env: [{name: COLOUR, value: blue}]
        ports: [{containerPort: 80}]
        resources: {requests: {cpu: 100m, memory: 64Mi}}
`;

/** One container that serves, one that ends again and again, one that ends once. */
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
apiVersion: v1
kind: Pod
metadata: {name: once}
spec:
  restartPolicy: Never
  containers: [{name: main, image: "registry.example/tool:1", command: [sleep, "2"]}]
`;

const configMap = (name: string, ...labels: string[]) => `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, labels: {${labels.join(", ")}}}
---
`;

const lines = (text: string) => text.trimEnd().split("\n");

describe.skipIf(!newest || !oldest)("with kubectl", { timeout: 60_000 }, () => {
  let plane: ControlPlane;
  let k: Kubectl;
  let nodes: string[];

  /** Runs a command that is to fail. @returns what it complains about */
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await k(...args);
    expect(code, `kubectl ${args.join(" ")}: ${stdout}`).not.toBe(0);
    return stderr;
  };
  const apply = (manifest: string, ...args: string[]) => k.pipe(manifest, "apply", "-f", "-", ...args);
  const rolledOut = (name: string) => k.ok("rollout", "status", `deployment/${name}`, "--timeout=30s");
  const read = (what: string, path: string) => k.ok("get", ...what.split(" "), "-o", `jsonpath=${path}`);

  beforeAll(async () => {
    plane = await startControlPlane();
    if (newest) k = kubectl(newest, plane.kubeconfig);
    nodes = lines(await k.ok("get", "nodes", "-o", "name")).map((line) => line.replace("node/", ""));
    await k.ok("create", "namespace", "shop");
    await k.ok("config", "set-context", "--current", "--namespace=shop");
    await apply(web());
    await apply(pods);
    await k.ok("expose", "deployment", "web", "--port=80", "--target-port=8080");
    await rolledOut("web");
  }, 60_000);
  afterAll(() => plane?.remove());

  describe("get", () => {
    it("shows tables", async () => {
      expect(await k.ok("get", "deployment")).toMatch(/^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +2\/2 +2 +2 +\d+s\n$/);
      expect(await k.ok("get", "pods", "-l", "app=web")).toMatch(
        /^NAME +READY +STATUS +RESTARTS +AGE\n(web-\w+-\w+ +1\/1 +Running +0 .*\n){2}$/,
      );
      expect(await k.ok("get", "pods", "-l", "app=web", "-o", "wide")).toMatch(/ 10\.200\.\d+\.\d+ +ip-10-200-\S+ +<none> +<none>\n/);
      expect(await k.ok("get", "all")).toMatch(/pod\/web-[^]*service\/web[^]*deployment\.apps\/web[^]*replicaset\.apps\/web-/);
    });

    it("shows every namespace with -A, and labels with -L", async () => {
      expect(await k.ok("get", "pods", "-A", "-L", "app")).toMatch(/^NAMESPACE +NAME .* APP\n(?:shop .*\n)*shop +web-.* web\n/);
    });

    it("prints objects in every form", async () => {
      expect(await k.ok("get", "deployment", "web", "-o", "yaml")).toMatch(/^apiVersion: apps\/v1\nkind: Deployment\nmetadata:\n/);
      expect(JSON.parse(await k.ok("get", "deployment", "web", "-o", "json"))).toMatchObject({
        kind: "Deployment",
        status: { readyReplicas: 2 },
      });
      expect(await k.ok("get", "svc,deployment", "-o", "name")).toBe("service/web\ndeployment.apps/web\n");
      expect(await read("deployment web", "{.spec.template.spec.containers[*].image}")).toBe("registry.example/web:1");
      const columns = "custom-columns=NAME:.metadata.name,IMAGE:.spec.template.spec.containers[0].image";
      expect(await k.ok("get", "deployment", "-o", columns)).toBe("NAME   IMAGE\nweb    registry.example/web:1\n");
      expect(await k.ok("get", "pods", "--sort-by=.metadata.name", "-o", "go-template={{range .items}}{{.metadata.name}} {{end}}")).toMatch(
        /^failing once pair web-/,
      );
    });

    it("selects by label", async () => {
      expect(lines(await k.ok("get", "pods", "-l", "app in (web, pair),app!=web", "-o", "name"))).toEqual(["pod/pair"]);
      expect(await refused("get", "pods", "-l", "app in (web")).toContain("unable to parse requirement");
    });

    it("selects by field", async () => {
      const running = lines(await k.ok("get", "pods", "--field-selector=status.phase=Running", "-l", "app", "-o", "name"));
      expect(running).toHaveLength(3);
      const node = await read("pod pair", "{.spec.nodeName}");
      expect(await k.ok("get", "pods", "-A", `--field-selector=spec.nodeName=${node}`, "-o", "name")).toContain("pod/pair\n");
      expect(await k.ok("get", "pods", "--field-selector=metadata.name!=pair,metadata.name!=once", "-o", "name")).not.toMatch(/pair|once/);
      expect(await refused("get", "pods", "--field-selector=spec.image=x")).toContain("field label not supported: spec.image");
    });

    it("lists events by what they are about", async () => {
      const about = (...selectors: string[]) => k.ok("get", "events", `--field-selector=${selectors.join(",")}`);
      const scaled = await about("involvedObject.kind=Deployment", "involvedObject.name=web");
      expect(scaled).toMatch(
        /^LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n\d+s +Normal +ScalingReplicaSet +deployment\/web +Scaled up replica set web-\w+ from 0 to 2\n$/,
      );
      expect(await about("involvedObject.name=pair", "reason=Scheduled")).toContain("Successfully assigned shop/pair to ip-");
      expect(await k.ok("events", "--for", "deployment/web")).toMatch(/ScalingReplicaSet +Deployment\/web +Scaled up/);
      expect(await k.ok("events", "--types=Warning")).toMatch(/BackOff +Pod\/failing/);
    });

    it("watches", async () => {
      const tables = k.start("get", "configmaps", "-w", "-l", "watched");
      const names = k.start("get", "configmaps", "--watch-only", "--output-watch-events", "-o", "name", "-l", "watched");
      // A watch without a list begins now: it has begun when it shows what is created now.
      await expect
        .poll(async () => {
          await apply(configMap(`seen-${Date.now()}`, "watched: yes"));
          return names.lines.length;
        })
        .toBeGreaterThan(0);
      await apply(configMap("seen-last", "watched: yes"));
      await k.ok("delete", "configmap", "-l", "watched");
      await names.until(/^DELETED +configmap\/seen-last$/);
      await tables.until(/^seen-last +0 +\d+s$/);
      await Promise.all([names.stop(), tables.stop()]);
    });

    it("says what is not there", async () => {
      expect(await refused("get", "pods", "nobody")).toBe('Error from server (NotFound): pods "nobody" not found\n');
      expect(await refused("get", "nothings")).toBe('error: the server doesn\'t have a resource type "nothings"\n');
      expect(await k("get", "pods", "-n", "nowhere")).toMatchObject({ code: 0, stderr: "No resources found in nowhere namespace.\n" });
      expect(await refused("create", "configmap", "x", "-n", "nowhere")).toContain('namespaces "nowhere" not found');
    });
  });

  describe("describe", () => {
    it("tells of a Pod", async () => {
      const text = await k.ok("describe", "pod", "pair");
      expect(text).toMatch(
        /^Name: +pair\nNamespace: +shop\n[^]*Node: +ip-[^]*Status: +Running\nIP: +10\.200\.[^]*Containers:\n {2}first:[^]*State: +Running/,
      );
      expect(text).toMatch(/Conditions:\n[^]*Ready +True[^]*QoS Class: +BestEffort[^]*Events:\n/);
      // In the order in which they happened, although they happened within a second.
      expect([...text.matchAll(/Normal +(\w+) +\d+s.* from|Normal +(\w+) /g)].map(([, one, other]) => one ?? other).slice(0, 2)).toEqual([
        "Scheduled",
        "Pulled",
      ]);
    });

    it("tells of a Deployment, a Service, a namespace and a Node", async () => {
      expect(await k.ok("describe", "deployment", "web")).toMatch(
        /Replicas: +2 desired \| 2 updated \| 2 total \| 2 available \| 0 unavailable[^]*NewReplicaSet: +web-\w+ \(2\/2 replicas created\)[^]*ScalingReplicaSet/,
      );
      expect(await k.ok("describe", "service", "web")).toMatch(
        /IP: +10\.\d+[^]*TargetPort: +8080\/TCP[^]*Endpoints: +10\.200\.\d+\.\d+:8080,10\.200\.\d+\.\d+:8080/,
      );
      expect(await k.ok("describe", "namespace", "shop")).toMatch(/^Name: +shop\n[^]*Status: +Active\n/);
      const node = await k.ok("describe", "node", await read("pod pair", "{.spec.nodeName}"));
      expect(node).toMatch(/Ready +True[^]*Capacity:\n +cpu: +2\n[^]*Non-terminated Pods:[^]*shop +pair[^]*Allocated resources:/);
      expect(node).not.toContain("Failed to get lease");
    });
  });

  describe("logs", () => {
    const first = /^binnacle: simulated engine: nothing runs here\. .*registry\.example\/first:1/;

    it("reads one container or all", async () => {
      expect(await k.ok("logs", "pair", "-c", "first")).toMatch(first);
      expect(await k("logs", "pair")).toMatchObject({ code: 0, stderr: 'Defaulted container "first" out of: first, second\n' });
      expect(lines(await k.ok("logs", "pair", "--all-containers", "--prefix"))).toMatchObject(
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
      const followed = await k.ok("logs", "once", "-f", "--pod-running-timeout=20s");
      expect(followed).toContain("registry.example/tool:1");
      expect(await read("pod once", "{.status.phase}")).toBe("Succeeded");
    });

    it("reads those of the container before", async () => {
      await k.ok("wait", "pod/failing", "--for=jsonpath={.status.containerStatuses[0].restartCount}=1", "--timeout=30s");
      expect(await k.ok("logs", "failing", "--previous")).toContain("registry.example/tool:1");
      expect(await refused("logs", "pair", "-c", "first", "--previous")).toContain(
        'previous terminated container "first" in pod "pair" not found',
      );
    });

    it("says what it cannot read", async () => {
      expect(await refused("logs", "pair", "-c", "third")).toBe("error: container third is not valid for pod pair\n");
      expect(await refused("logs", "nobody")).toContain('pods "nobody" not found');
      expect(await refused("get", "--raw", "/api/v1/namespaces/shop/pods/pair/log?container=third")).toContain(
        "container third is not valid for pod pair",
      );
    });
  });

  describe("a rollout", () => {
    const image = () => read("deployment web", "{.spec.template.spec.containers[0].image}");

    it("follows what is set", async () => {
      await k.ok("set", "image", "deployment/web", "web=registry.example/web:2");
      await k.ok("annotate", "deployment/web", "kubernetes.io/change-cause=version 2");
      expect(await rolledOut("web")).toMatch(/deployment "web" successfully rolled out\n$/);
      await k.ok("set", "env", "deployment/web", "COLOUR=red", "SIZE=large");
      expect(await k.ok("set", "env", "deployment/web", "--list")).toBe("# Deployment web, container web\nCOLOUR=red\nSIZE=large\n");
      await k.ok("set", "resources", "deployment/web", "--requests=cpu=200m");
      expect(await read("deployment web", "{.spec.template.spec.containers[0].resources.requests.cpu}")).toBe("200m");
      expect(await refused("set", "image", "deployment/web", "other=x")).toContain('unable to find container named "other"');
      await rolledOut("web");
    });

    it("has a history", async () => {
      expect(await k.ok("rollout", "history", "deployment/web")).toMatch(
        /^deployment\.apps\/web \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +version 2\n3 +version 2\n4 +version 2\n\n$/,
      );
      expect(await k.ok("rollout", "history", "deployment/web", "--revision=1")).toMatch(
        /revision #1\nPod Template:[^]*Image:\tregistry\.example\/web:1\n/,
      );
      expect(await refused("rollout", "history", "deployment/web", "--revision=99")).toContain("unable to find the specified revision");
    });

    it("is undone", async () => {
      await k.ok("rollout", "undo", "deployment/web", "--to-revision=1");
      expect(await image()).toBe("registry.example/web:1");
      await rolledOut("web");
      await k.ok("rollout", "undo", "deployment/web");
      expect(await image()).toBe("registry.example/web:2");
      expect(await refused("rollout", "undo", "deployment/web", "--to-revision=99")).toContain(
        "unable to find specified revision 99 in history",
      );
      await rolledOut("web");
    });

    it("pauses and resumes", async () => {
      await k.ok("rollout", "pause", "deployment/web");
      await k.ok("set", "image", "deployment/web", "web=registry.example/web:3");
      expect(await refused("rollout", "status", "deployment/web", "--timeout=1s")).toContain("timed out waiting");
      expect(await refused("rollout", "undo", "deployment/web")).toContain("you cannot rollback a paused deployment");
      await k.ok("rollout", "resume", "deployment/web");
      await rolledOut("web");
      expect(await read("pods -l app=web", "{.items[*].spec.containers[0].image}")).toContain("registry.example/web:3");
    });

    it("restarts", async () => {
      const before = await k.ok("get", "replicasets", "-l", "app=web", "-o", "name");
      await k.ok("rollout", "restart", "deployment/web");
      await rolledOut("web");
      expect(lines(await k.ok("get", "replicasets", "-l", "app=web", "-o", "name"))).toHaveLength(lines(before).length + 1);
    });

    it("scales", async () => {
      expect(await k.ok("scale", "deployment/web", "--replicas=3")).toBe("deployment.apps/web scaled\n");
      await k.ok("wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=3", "--timeout=30s");
      expect(await refused("scale", "deployment/web", "--current-replicas=9", "--replicas=1")).toContain(
        "Expected replicas to be 9, was 3",
      );
      await k.ok("scale", "deployment/web", "--replicas=0");
      await k.ok("wait", "pod", "-l", "app=web", "--for=delete", "--timeout=30s");
      await k.ok("scale", "replicaset", "-l", "app=web", "--replicas=0");
    });
  });

  describe("changes", () => {
    beforeAll(async () => {
      await k.ok("create", "configmap", "colours", "--from-literal=sky=blue");
      await k.ok("create", "deployment", "api", "--image=registry.example/api:1", "--replicas=0");
    });
    const sky = () => read("configmap colours", "{.data.sky}");

    it("of labels", async () => {
      await k.ok("label", "configmap", "colours", "tier=front", "a=b");
      expect(await refused("label", "configmap", "colours", "tier=back")).toContain(
        "'tier' already has a value (front), and --overwrite is false",
      );
      await k.ok("label", "configmap", "colours", "tier=back", "a-", "--overwrite");
      expect(await read("configmap colours", "{.metadata.labels}")).toBe('{"tier":"back"}');
      expect(await refused("label", "configmap", "colours", "tier=no spaces", "--overwrite")).toContain("a valid label must be");
    });

    it("of annotations", async () => {
      await k.ok("annotate", "configmap", "colours", "note=a b", "gone=soon");
      await k.ok("annotate", "configmap", "colours", "gone-");
      expect(await read("configmap colours", "{.metadata.annotations}")).toBe('{"note":"a b"}');
    });

    it("in an editor", async () => {
      const editor = (name: string, script: string) => {
        const path = join(plane.data, name);
        writeFileSync(path, `#!/bin/sh\n${script}\n`);
        chmodSync(path, 0o755);
        if (!newest) throw new Error("no kubectl");
        return kubectl(newest, plane.kubeconfig, { KUBE_EDITOR: path });
      };
      expect(await editor("grey", `sed -i 's/sky: .*/sky: grey/' "$1"`).ok("edit", "configmap", "colours")).toBe(
        "configmap/colours edited\n",
      );
      expect(await sky()).toBe("grey");
      expect((await editor("nothing", "true")("edit", "configmap", "colours")).stderr).toBe("Edit cancelled, no changes made.\n");
      const wrong = await editor("wrong", `sed -i 's/replicas: .*/replicas: many/' "$1"`)("edit", "deployment", "api");
      expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("is invalid") });
    });

    it("by patches of each kind", async () => {
      const patch = (type: string, body: unknown) => k("patch", "deployment", "api", `--type=${type}`, "-p", JSON.stringify(body));
      const variables = { name: "api", env: [{ name: "A", value: "1" }] };
      expect(await patch("strategic", { spec: { template: { spec: { containers: [variables] } } } })).toMatchObject({
        stdout: "deployment.apps/api patched\n",
      });
      expect(await read("deployment api", "{.spec.template.spec.containers[0]['image','env']}")).toBe(
        'registry.example/api:1 [{"name":"A","value":"1"}]',
      );
      await patch("merge", { metadata: { labels: { app: null, tier: "back" } } });
      expect(await read("deployment api", "{.metadata.labels}")).toBe('{"tier":"back"}');
      await patch("json", [{ op: "add", path: "/spec/template/spec/containers/0/env/-", value: { name: "B", value: "2" } }]);
      expect(await read("deployment api", "{.spec.template.spec.containers[0].env[*].name}")).toBe("A B");
      expect((await patch("merge", { metadata: { labels: { tier: "back" } } })).stdout).toBe("deployment.apps/api patched (no change)\n");
      await k.ok("patch", "deployment", "api", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":0}}');
    });

    it("by patches that do not fit", async () => {
      const patch = async (type: string, body: unknown) =>
        refused("patch", "deployment", "api", `--type=${type}`, "-p", JSON.stringify(body));
      expect(await patch("json", [{ op: "test", path: "/spec/replicas", value: 9 }])).toContain(
        "testing value /spec/replicas failed: test failed",
      );
      expect(await patch("json", [{ op: "remove", path: "/spec/nothing" }])).toContain(
        "Unable to remove nonexistent key: nothing: missing value",
      );
      expect(await patch("strategic", { spec: { replicas: "many" } })).toContain("json: cannot unmarshal string into Go struct field");
      expect(await patch("merge", { spec: { replicas: -1 } })).toContain(
        "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
      );
      expect(await patch("merge", { spec: { selector: { matchLabels: { app: "other" } } } })).toContain("field is immutable");
    });

    it("by replacing", async () => {
      const stale = await k.ok("get", "configmap", "colours", "-o", "yaml");
      const next = stale.replace("sky: grey", "sky: black");
      expect((await k.pipe(next, "replace", "-f", "-")).stdout).toBe("configmap/colours replaced\n");
      expect(await sky()).toBe("black");
      expect((await k.pipe(stale, "replace", "-f", "-")).stderr).toContain(
        "the object has been modified; please apply your changes to the latest version and try again",
      );
      const uid = await read("configmap colours", "{.metadata.uid}");
      await k.pipe(stale, "replace", "--force", "-f", "-");
      expect(await read("configmap colours", "{.metadata.uid}")).not.toBe(uid);
    });
  });

  describe("apply", () => {
    it("creates, changes, leaves alone, and removes what is left out", async () => {
      const settings = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: ${data}\n`;
      expect((await apply(settings("{a: one, b: two}"))).stdout).toBe("configmap/settings created\n");
      expect((await apply(settings("{a: one, b: two}"))).stdout).toBe("configmap/settings unchanged\n");
      await k.ok("patch", "configmap", "settings", "-p", '{"data":{"c":"theirs"}}');
      expect((await apply(settings("{a: other}"))).stdout).toBe("configmap/settings configured\n");
      expect(JSON.parse(await read("configmap settings", "{.data}"))).toEqual({ a: "other", c: "theirs" });
      expect(await k.ok("apply", "view-last-applied", "configmap/settings")).toContain("a: other\n");
    });

    it("shows with diff what it would change", async () => {
      const changed = await k.pipe(web("registry.example/web:9"), "diff", "-f", "-");
      expect(changed).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^-\s+- image: registry.*|^-.*image: registry\.example\/web:3$/m),
      });
      expect(changed.stdout).toMatch(/^\+.*image: registry\.example\/web:9$/m);
      await apply(configMap("same"));
      expect(await k.pipe(configMap("same"), "diff", "-f", "-")).toMatchObject({ code: 0, stdout: "" });
      expect(await k.pipe(configMap("new"), "diff", "-f", "-")).toMatchObject({ code: 1, stdout: expect.stringContaining("+  name: new") });
      expect(await refused("get", "configmap", "new")).toContain("NotFound");
    });

    it("server-side: fields have owners", async () => {
      const owned = (sky: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: owned}\ndata: {sky: ${sky}}\n`;
      const serverSide = (sky: string, manager: string, ...args: string[]) =>
        k.pipe(owned(sky), "apply", "--server-side", `--field-manager=${manager}`, "-f", "-", ...args);
      expect((await serverSide("blue", "one")).stdout).toBe("configmap/owned serverside-applied\n");
      expect(await serverSide("grey", "two")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining('Apply failed with 1 conflict: conflict with "one": .data.sky'),
      });
      expect(await serverSide("grey", "two", "--force-conflicts")).toMatchObject({ code: 0 });
      expect(await serverSide("blue", "one")).toMatchObject({ code: 1, stderr: expect.stringContaining('conflict with "two": .data.sky') });
      expect(await k.ok("get", "configmap", "owned", "-o", "yaml", "--show-managed-fields")).toMatch(/manager: two\n +operation: Apply/);
      expect(await k.ok("get", "configmap", "owned", "-o", "yaml")).not.toContain("managedFields");
    });

    it("server-side after client-side raises no conflict", async () => {
      await apply(web("registry.example/web:4"));
      expect(await apply(web("registry.example/web:5"), "--server-side")).toMatchObject({
        code: 0,
        stdout: "deployment.apps/web serverside-applied\n",
      });
    });

    it("prunes what is no longer there", async () => {
      const both = configMap("kept", "set: one") + configMap("pruned", "set: one");
      await apply(both, "--prune", "-l", "set=one", "--prune-allowlist=core/v1/ConfigMap");
      const { stdout } = await apply(configMap("kept", "set: one"), "--prune", "-l", "set=one", "--prune-allowlist=core/v1/ConfigMap");
      expect(lines(stdout)).toEqual(["configmap/kept unchanged", "configmap/pruned pruned"]);
    });

    it("dry runs change nothing", async () => {
      const bad = web().replace("replicas: 2", "replicas: -2");
      expect((await apply(configMap("dry"), "--dry-run=server")).stdout).toBe("configmap/dry created (server dry run)\n");
      expect((await apply(configMap("dry"), "--dry-run=client")).stdout).toBe("configmap/dry created (dry run)\n");
      expect((await k.pipe(bad, "create", "--dry-run=server", "-f", "-")).stderr).toContain("spec.replicas: Invalid value: -2");
      expect(await k.ok("run", "dry", "--image=a", "--dry-run=client", "-o", "yaml")).toContain("run: dry");
      expect(
        await k.ok("create", "deployment", "dry", "--image=a", "--dry-run=server", "-o", "jsonpath={.spec.progressDeadlineSeconds}"),
      ).toBe("600");
      expect(await k.ok("scale", "deployment/web", "--replicas=9", "--dry-run=server")).toContain("(server dry run)");
      expect(await k.ok("delete", "deployment", "web", "--dry-run=server")).toContain("(server dry run)");
      expect(await read("deployment web", "{.spec.replicas}")).toBe("2");
      expect(await k.ok("get", "configmap,deployment,pod", "-o", "name")).not.toContain("dry");
    });
  });

  describe("create", () => {
    it.each([
      ["configmap", ["map", "--from-literal=a=b"], "configmap/map"],
      ["secret", ["generic", "word", "--from-literal=a=b"], "secret/word"],
      ["secret", ["docker-registry", "pull", "--docker-server=x", "--docker-username=u", "--docker-password=p"], "secret/pull"],
      ["namespace", ["second"], "namespace/second"],
      ["serviceaccount", ["robot"], "serviceaccount/robot"],
      ["service", ["clusterip", "inside", "--tcp=80:8080"], "service/inside"],
      ["service", ["nodeport", "outside", "--tcp=80:8080"], "service/outside"],
      ["service", ["loadbalancer", "balanced", "--tcp=80:8080"], "service/balanced"],
      ["service", ["externalname", "elsewhere", "--external-name=example.com"], "service/elsewhere"],
      ["role", ["reader", "--verb=get", "--resource=pods"], "role.rbac.authorization.k8s.io/reader"],
      ["rolebinding", ["readers", "--role=reader", "--serviceaccount=shop:robot"], "rolebinding.rbac.authorization.k8s.io/readers"],
      ["quota", ["limits", "--hard=pods=50"], "resourcequota/limits"],
      ["poddisruptionbudget", ["few", "--selector=app=none", "--min-available=1"], "poddisruptionbudget.policy/few"],
      ["ingress", ["front", "--rule=example.com/=web:80"], "ingress.networking.k8s.io/front"],
    ] as const)("%s %j", async (kind, args, created) => {
      expect(await k.ok("create", kind, ...args)).toBe(`${created} created\n`);
      expect(await k.ok("get", created, "-o", "name")).toBe(`${created}\n`);
      expect(await refused("create", kind, ...args)).toContain("already exists");
    });

    it("a Deployment and a Service for it", async () => {
      await k.ok("create", "deployment", "front", "--image=registry.example/front:1", "--replicas=2", "--port=80");
      expect(await k.ok("expose", "deployment", "front", "--type=NodePort")).toBe("service/front exposed\n");
      await k.ok("wait", "--for=condition=Available", "deployment/front", "--timeout=30s");
      await expect
        .poll(() => read("endpointslices -l kubernetes.io/service-name=front", "{.items[*].endpoints[*].conditions.ready}"))
        .toBe("true true");
      expect(await k.ok("get", "service", "front")).toMatch(/front +NodePort +10\.\S+ +<none> +80:3\d{4}\/TCP/);
    });

    it("a Job, and one from a CronJob", async () => {
      await k.ok("create", "job", "task", "--image=registry.example/tool:1", "--", "true");
      await k.ok("create", "cronjob", "nightly", "--image=registry.example/tool:1", "--schedule=0 3 * * *", "--", "true");
      await k.ok("create", "job", "tonight", "--from=cronjob/nightly");
      await k.ok("wait", "--for=condition=Complete", "job/task", "job/tonight", "--timeout=30s");
      expect(await k.ok("get", "jobs")).toMatch(/task +Complete +1\/1 [^]*tonight +Complete +1\/1 /);
      expect(await k.ok("get", "cronjobs")).toMatch(/nightly +0 3 \* \* \* +<none> +False +0 +<none>/);
    });

    it("a Pod with run", async () => {
      expect(await k.ok("run", "server", "--image=registry.example/server:1", "--env=A=1", "--labels=a=b", "--port=80")).toBe(
        "pod/server created\n",
      );
      await k.ok("run", "tool", "--image=registry.example/tool:1", "--restart=Never", "--command", "--", "sh", "-c", "exit 4");
      await k.ok("wait", "pod/server", "--for=condition=Ready", "--timeout=30s");
      await k.ok("wait", "pod/tool", "--for=jsonpath={.status.phase}=Failed", "--timeout=30s");
      expect(await read("pod tool", "{.status.containerStatuses[0].state.terminated.exitCode}")).toBe("4");
      expect(await k.ok("get", "pods", "tool")).toMatch(/tool +0\/1 +Error +0/);
    });

    it("what is wrong is refused with the reason", async () => {
      expect(await refused("create", "deployment", "Web", "--image=a")).toContain("a lowercase RFC 1123 subdomain");
      expect(await refused("create", "cronjob", "never", "--image=a", "--schedule=99 * * * *")).toMatch(
        /spec\.schedule: Invalid value: "99 \* \* \* \*"/,
      );
      expect(await refused("run", "web", "--image= ")).toMatch(/image/);
    });
  });

  describe("wait", () => {
    it("gives up", async () => {
      expect(await refused("wait", "pod/pair", "--for=condition=Never", "--timeout=1s")).toBe(
        "error: timed out waiting for the condition on pods/pair\n",
      );
      expect(await refused("wait", "pod/nobody", "--for=condition=Ready", "--timeout=1s")).toContain("NotFound");
    });

    it("waits for what is created and deleted", async () => {
      const created = k.ok("wait", "--for=create", "configmap/late", "--timeout=30s");
      await k.ok("create", "configmap", "late");
      expect(await created).toBe("configmap/late condition met\n");
      const gone = k.ok("wait", "--for=delete", "configmap/late", "--timeout=30s");
      await k.ok("delete", "configmap", "late");
      await gone;
    });
  });

  describe("delete", () => {
    const replicaSet = (name: string) => k.ok("get", "replicasets,pods", "-l", `app=${name}`, "-o", "name");
    const deployment = async (name: string) => {
      await k.ok("create", "deployment", name, "--image=registry.example/web:1");
      await rolledOut(name);
    };

    it("in the background", async () => {
      await deployment("background");
      expect(await k.ok("delete", "deployment", "background")).toMatch(/^deployment\.apps "background" deleted/);
      await expect.poll(() => replicaSet("background"), { timeout: 20_000 }).toBe("");
    });

    it("in the foreground: when it is gone, so are its Pods", async () => {
      await deployment("foreground");
      await k.ok("delete", "deployment", "foreground", "--cascade=foreground", "--timeout=30s");
      expect(await replicaSet("foreground")).toBe("");
    });

    it("leaving orphans, which a new owner adopts", async () => {
      await deployment("orphan");
      const before = await replicaSet("orphan");
      await k.ok("delete", "deployment", "orphan", "--cascade=orphan");
      expect(await replicaSet("orphan")).toBe(before);
      expect(await read("replicasets -l app=orphan", "{.items[*].metadata.ownerReferences}")).toBe("");
      await deployment("orphan");
      expect(await replicaSet("orphan")).toBe(before);
    });

    it("at once, by selector, and all", async () => {
      expect((await k("delete", "pod", "pair", "--grace-period=0", "--force")).stdout).toMatch(/pod "pair" force deleted/);
      expect(await refused("get", "pod", "pair")).toContain("NotFound");
      await k.ok("create", "namespace", "crowd");
      for (const name of ["one", "two", "three"]) await k.ok("run", name, "-n", "crowd", "--image=registry.example/web:1");
      await k.ok("delete", "pods", "-n", "crowd", "-l", "run in (one, two)");
      expect(await k.ok("get", "pods", "-n", "crowd", "-o", "name")).toBe("pod/three\n");
      await k.ok("delete", "pods", "-n", "crowd", "--all");
      expect(await k.ok("get", "pods", "-n", "crowd", "-o", "name")).toBe("");
      await k.ok("delete", "namespace", "crowd", "--timeout=30s");
    });

    it("what is not there", async () => {
      expect(await refused("delete", "deployment", "nobody")).toBe('Error from server (NotFound): deployments.apps "nobody" not found\n');
      expect(await k.ok("delete", "deployment", "nobody", "--ignore-not-found")).toBe("");
    });
  });

  describe("nodes", () => {
    it("are cordoned, drained of what has an owner, and uncordoned", async () => {
      const node = String(nodes[1]);
      await k.ok("create", "deployment", "moved", "--image=registry.example/web:1");
      const pinned = {
        apiVersion: "v1",
        kind: "Pod",
        metadata: { name: "bare" },
        spec: { nodeName: node, containers: [{ name: "a", image: "registry.example/a:1" }] },
      };
      await apply(JSON.stringify(pinned));
      await k.ok("patch", "deployment", "moved", "-p", JSON.stringify({ spec: { template: { spec: { nodeName: node } } } }));
      await rolledOut("moved");
      await k.ok(
        "patch",
        "deployment",
        "moved",
        "--type=json",
        "-p",
        '[{"op":"remove","path":"/spec/template/spec/nodeName"}]',
        "--dry-run=client",
      );
      expect(await k.ok("cordon", node)).toBe(`node/${node} cordoned\n`);
      expect(await k.ok("get", "node", node)).toContain(" Ready,SchedulingDisabled ");
      expect(await refused("drain", node)).toContain(
        "cannot delete cannot delete Pods that declare no controller (use --force to override): shop/bare",
      );
      const budget = ["create", "poddisruptionbudget", "moved", "--selector=app=moved"];
      await k.ok(...budget, "--max-unavailable=1");
      await k.ok("patch", "deployment", "moved", "--type=json", "-p", '[{"op":"remove","path":"/spec/template/spec/nodeName"}]');
      await rolledOut("moved");
      expect(await k.ok("drain", node, "--force", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=30s")).toContain(
        `node/${node} drained`,
      );
      expect(await k.ok("get", "pods", "-A", `--field-selector=spec.nodeName=${node}`, "-o", "name")).toBe("");
      expect(await k.ok("uncordon", node)).toBe(`node/${node} uncordoned\n`);
    });

    it("are tainted", async () => {
      const node = String(nodes[2]);
      expect(await k.ok("taint", "node", node, "for=others:NoSchedule")).toBe(`node/${node} tainted\n`);
      expect(await refused("taint", "node", node, "for=us:NoSchedule")).toContain("--overwrite is false");
      await k.ok("taint", "node", node, "for=us:NoExecute");
      expect(await read(`node ${node}`, "{.spec.taints[*].effect}")).toBe("NoSchedule NoExecute");
      await k.ok("taint", "node", node, "for-");
      expect(await read(`node ${node}`, "{.spec.taints}")).toBe("");
      expect(await refused("taint", "node", node, "for=us:Never")).toContain("invalid taint effect");
    });
  });

  describe.each([newest, oldest].filter((binary) => binary !== undefined))("kubectl $minor", (binary) => {
    let own: Kubectl;
    beforeAll(() => {
      own = kubectl(binary, plane.kubeconfig);
    });

    it("finds out what the server can do", async () => {
      expect(await own.ok("version")).toMatch(/Server Version: v1\.36\.\d+\+binnacle/);
      expect(await own.ok("cluster-info")).toMatch(/control plane.* is running at .*https:\/\/127\.0\.0\.1:/);
      expect(lines(await own.ok("api-versions"))).toEqual(
        expect.arrayContaining(["apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1", "v1"]),
      );
      expect(await own.ok("api-resources")).toMatch(
        /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\n[^]*pods +po +v1 +true +Pod\n[^]*deployments +deploy +apps\/v1/,
      );
      expect(lines(await own.ok("api-resources", "--verbs=create", "--namespaced=false", "-o", "name"))).toContain("namespaces");
    });

    it("explains fields", async () => {
      expect(await own.ok("explain", "pod.spec.containers.imagePullPolicy")).toMatch(/KIND: +Pod\n[^]*FIELD: imagePullPolicy <string>/);
      expect(await own.ok("explain", "deployment.spec.strategy", "--recursive")).toMatch(
        /rollingUpdate\t<RollingUpdateDeployment>\n +maxSurge\t<IntOrString>/,
      );
      expect(await own.ok("explain", "cronjobs", "--api-version=batch/v1")).toContain("CronJob");
      expect((await own("explain", "pod.spec.nothing")).stderr).toContain('field "nothing" does not exist');
    });

    it("asks what it may do", async () => {
      expect(await own.ok("auth", "can-i", "create", "deployments")).toBe("yes\n");
      expect(await own("auth", "can-i", "delete", "nodes", "--as=stranger")).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^no/),
      });
      expect(await own.ok("auth", "can-i", "--list")).toMatch(/\*\.\*/);
    });

    it("says that there are no metrics", async () => {
      for (const what of ["pods", "nodes"]) {
        expect(await own("top", what)).toMatchObject({ code: 1, stderr: "error: Metrics API not available\n" });
      }
    });

    it("takes a Deployment through its life", async () => {
      const name = `life-${binary.minor.replace(".", "-")}`;
      const manifest = web().replaceAll(/\bweb\b(?!:)/g, name);
      const step = async (...args: string[]) => expect(await own.pipe(manifest, ...args)).toMatchObject({ code: 0 });
      await step("apply", "-f", "-");
      await step("rollout", "status", `deployment/${name}`, "--timeout=30s");
      await step("diff", "-f", "-");
      await step("apply", "--server-side", "-f", "-");
      await step("set", "image", `deployment/${name}`, `${name}=registry.example/web:2`);
      await step("rollout", "undo", `deployment/${name}`);
      await step("rollout", "status", `deployment/${name}`, "--timeout=30s");
      await step("scale", `deployment/${name}`, "--replicas=1");
      await step("describe", "deployment", name);
      await step("logs", `deployment/${name}`);
      await step("events", "--for", `deployment/${name}`);
      await step("delete", "deployment", name, "--cascade=foreground", "--timeout=30s");
    });
  });

  it("says who one is", async () => {
    expect(await k.ok("auth", "whoami")).toMatch(/Username +kubernetes-admin\nGroups +\[system:masters system:authenticated\]/);
    expect(await k.ok("auth", "whoami", "--as=joe", "--as-group=team", "-o", "jsonpath={.status.userInfo.groups}")).toBe(
      '["team","system:authenticated"]',
    );
  });
});
