/** The commands that write objects, with a real kubectl, as a user gives them: label to replace, apply, create, expose, run. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../../support/kubectl.ts";
import { configMap, deployment, lines, soon } from "../../support/shop.ts";

const binary = requireKubectl();
const patience = "--timeout=90s";

describe.skipIf(!binary)("with kubectl", { timeout: 120_000 }, () => {
  let plane: ControlPlane;

  /** kubectl in a namespace, with settings of its own. */
  const inNamespace = (name: string, environment: Record<string, string> = {}): Kubectl => {
    if (!binary) throw new Error("no kubectl");
    return kubectl(binary, plane.kubeconfig, environment, ["-n", name]);
  };

  beforeAll(async () => {
    plane = await startControlPlane();
  }, 60_000);
  afterAll(() => plane?.remove(), 60_000);

  describe("changes", () => {
    let k: Kubectl;
    beforeAll(async () => {
      k = inNamespace("changes");
      await k.ok("create", "namespace", "changes");
      await k.ok("create", "configmap", "colours", "--from-literal=sky=blue");
      await k.ok("create", "deployment", "api", "--image=registry.example/api:1", "--replicas=0");
    }, 60_000);
    const sky = () => k.read("configmap colours", "{.data.sky}");

    it("of labels", async () => {
      await k.ok("label", "configmap", "colours", "tier=front", "a=b");
      expect(await k.refused("label", "configmap", "colours", "tier=back")).toContain(
        "'tier' already has a value (front), and --overwrite is false",
      );
      await k.ok("label", "configmap", "colours", "tier=back", "a-", "--overwrite");
      expect(await k.read("configmap colours", "{.metadata.labels}")).toBe('{"tier":"back"}');
      expect(await k.refused("label", "configmap", "colours", "tier=no spaces", "--overwrite")).toContain("a valid label must be");
    });

    it("of annotations", async () => {
      await k.ok("annotate", "configmap", "colours", "note=a b", "gone=soon");
      await k.ok("annotate", "configmap", "colours", "gone-");
      expect(await k.read("configmap colours", "{.metadata.annotations}")).toBe('{"note":"a b"}');
    });

    it("in an editor", async () => {
      const editor = (name: string, script: string) => {
        const path = join(plane.data, name);
        writeFileSync(path, `#!/bin/sh\n${script}\n`);
        chmodSync(path, 0o755);
        return inNamespace("changes", { KUBE_EDITOR: path });
      };
      // Without sed -i, whose arguments differ between systems.
      const replace = (pattern: string) => `sed '${pattern}' "$1" > "$1.new" && mv "$1.new" "$1"`;
      expect(await editor("grey", replace("s/sky: .*/sky: grey/")).ok("edit", "configmap", "colours")).toBe("configmap/colours edited\n");
      expect(await sky()).toBe("grey");
      expect((await editor("nothing", "true")("edit", "configmap", "colours")).stderr).toBe("Edit cancelled, no changes made.\n");
      const wrong = await editor("wrong", replace("s/replicas: .*/replicas: many/"))("edit", "deployment", "api");
      expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining("is invalid") });
    });

    it("by patches of each kind", async () => {
      const patch = (type: string, body: unknown) => k.ok("patch", "deployment", "api", `--type=${type}`, "-p", JSON.stringify(body));
      const variables = { name: "api", env: [{ name: "A", value: "1" }] };
      expect(await patch("strategic", { spec: { template: { spec: { containers: [variables] } } } })).toBe("deployment.apps/api patched\n");
      expect(await k.read("deployment api", "{.spec.template.spec.containers[0]['image','env']}")).toBe(
        'registry.example/api:1 [{"name":"A","value":"1"}]',
      );
      await patch("merge", { metadata: { labels: { app: null, tier: "back" } } });
      expect(await k.read("deployment api", "{.metadata.labels}")).toBe('{"tier":"back"}');
      await patch("json", [{ op: "add", path: "/spec/template/spec/containers/0/env/-", value: { name: "B", value: "2" } }]);
      expect(await k.read("deployment api", "{.spec.template.spec.containers[0].env[*].name}")).toBe("A B");
      // Whether nothing changes is told by resourceVersion: the controller must have had its say.
      await k.ok("rollout", "status", "deployment/api", patience);
      await expect
        .poll(() => patch("merge", { metadata: { labels: { tier: "back" } } }), soon)
        .toBe("deployment.apps/api patched (no change)\n");
      expect(await k.ok("patch", "deployment", "api", "--subresource=scale", "--type=merge", "-p", '{"spec":{"replicas":1}}')).toContain(
        "api patched\n",
      );
      expect(await k.read("deployment api", "{.spec.replicas}")).toBe("1");
    });

    it("by patches that do not fit", async () => {
      const patch = async (type: string, body: unknown) =>
        k.refused("patch", "deployment", "api", `--type=${type}`, "-p", JSON.stringify(body));
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
      const next = stale.replace(/sky: \w+/, "sky: black");
      expect(await k.pipe(next, "replace", "-f", "-")).toMatchObject({ code: 0, stdout: "configmap/colours replaced\n" });
      expect(await sky()).toBe("black");
      expect((await k.pipe(stale, "replace", "-f", "-")).stderr).toContain(
        "the object has been modified; please apply your changes to the latest version and try again",
      );
      const uid = await k.read("configmap colours", "{.metadata.uid}");
      expect(await k.pipe(stale, "replace", "--force", "-f", "-")).toMatchObject({ code: 0 });
      expect(await k.read("configmap colours", "{.metadata.uid}")).not.toBe(uid);
    });
  });

  describe("apply", () => {
    let k: Kubectl;
    beforeAll(async () => {
      k = inNamespace("applied");
      await k.ok("create", "namespace", "applied");
      await k.apply(deployment("web"));
    }, 60_000);

    it("creates, changes, leaves alone, and removes what is left out", async () => {
      const settings = (data: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: ${data}\n`;
      expect(await k.apply(settings("{a: one, b: two}"))).toBe("configmap/settings created\n");
      expect(await k.apply(settings("{a: one, b: two}"))).toBe("configmap/settings unchanged\n");
      await k.ok("patch", "configmap", "settings", "-p", '{"data":{"c":"theirs"}}');
      expect(await k.apply(settings("{a: other}"))).toBe("configmap/settings configured\n");
      expect(JSON.parse(await k.read("configmap settings", "{.data}"))).toEqual({ a: "other", c: "theirs" });
      expect(await k.ok("apply", "view-last-applied", "configmap/settings")).toContain("a: other\n");
    });

    it("shows with diff what it would change", async () => {
      const changed = await k.pipe(deployment("web", "registry.example/web:9"), "diff", "-f", "-");
      expect(changed).toMatchObject({ code: 1, stdout: expect.stringMatching(/^-.*image: registry\.example\/web:1$/m) });
      expect(changed.stdout).toMatch(/^\+.*image: registry\.example\/web:9$/m);
      await k.apply(configMap("same"));
      expect(await k.pipe(configMap("same"), "diff", "-f", "-")).toMatchObject({ code: 0, stdout: "" });
      expect(await k.pipe(configMap("new"), "diff", "-f", "-")).toMatchObject({ code: 1, stdout: expect.stringContaining("+  name: new") });
      expect(await k.refused("get", "configmap", "new")).toContain("NotFound");
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
      await k.apply(deployment("web", "registry.example/web:4"));
      expect(await k.apply(deployment("web", "registry.example/web:5"), "--server-side")).toBe("deployment.apps/web serverside-applied\n");
    });

    it("prunes what is no longer there", async () => {
      const [kept, pruned] = [configMap("kept", "set: one"), configMap("pruned", "set: one")];
      const prune = ["--prune", "-l", "set=one", "--prune-allowlist=core/v1/ConfigMap"];
      await k.apply(kept + pruned, ...prune);
      expect(lines(await k.apply(kept, ...prune))).toEqual(["configmap/kept unchanged", "configmap/pruned pruned"]);
      expect(await k.refused("get", "configmap", "pruned")).toContain("NotFound");
    });

    it("dry runs change nothing", async () => {
      const bad = deployment("bad").replace("replicas: 2", "replicas: -2");
      expect(await k.apply(configMap("dry"), "--dry-run=server")).toBe("configmap/dry created (server dry run)\n");
      expect(await k.apply(configMap("dry"), "--dry-run=client")).toBe("configmap/dry created (dry run)\n");
      expect((await k.pipe(bad, "create", "--dry-run=server", "-f", "-")).stderr).toContain("spec.replicas: Invalid value: -2");
      expect(await k.ok("run", "dry", "--image=a", "--dry-run=client", "-o", "yaml")).toContain("run: dry");
      expect(
        await k.ok("create", "deployment", "dry", "--image=a", "--dry-run=server", "-o", "jsonpath={.spec.progressDeadlineSeconds}"),
      ).toBe("600");
      expect(await k.ok("scale", "deployment/web", "--replicas=9", "--dry-run=server")).toContain("(server dry run)");
      expect(await k.ok("delete", "deployment", "web", "--dry-run=server")).toContain("(server dry run)");
      expect(await k.read("deployment web", "{.spec.replicas}")).toBe("2");
      expect(await k.ok("get", "configmap,deployment,pod", "-o", "name")).not.toContain("dry");
    });
  });

  describe("create", () => {
    let k: Kubectl;
    beforeAll(async () => {
      k = inNamespace("created");
      await k.ok("create", "namespace", "created");
    }, 60_000);

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
      ["rolebinding", ["readers", "--role=reader", "--serviceaccount=created:robot"], "rolebinding.rbac.authorization.k8s.io/readers"],
      ["quota", ["limits", "--hard=secrets=50"], "resourcequota/limits"],
      ["poddisruptionbudget", ["few", "--selector=app=none", "--min-available=1"], "poddisruptionbudget.policy/few"],
      ["ingress", ["front", "--rule=example.com/=web:80"], "ingress.networking.k8s.io/front"],
    ] as const)("%s %j", async (kind, args, created) => {
      expect(await k.ok("create", kind, ...args)).toBe(`${created} created\n`);
      expect(await k.ok("get", created, "-o", "name")).toBe(`${created}\n`);
      expect(await k.refused("create", kind, ...args)).toContain("already exists");
    });

    it("a Deployment and a Service for it", async () => {
      await k.ok("create", "deployment", "front", "--image=registry.example/front:1", "--replicas=2", "--port=80");
      expect(await k.ok("expose", "deployment", "front", "--type=NodePort")).toBe("service/front exposed\n");
      await k.ok("wait", "--for=condition=Available", "deployment/front", patience);
      await expect
        .poll(() => k.read("endpointslices -l kubernetes.io/service-name=front", "{.items[*].endpoints[*].conditions.ready}"), soon)
        .toBe("true true");
      expect(await k.ok("get", "service", "front")).toMatch(/front +NodePort +10\.\S+ +<none> +80:3\d{4}\/TCP/);
    });

    it("a Job, and one from a CronJob", async () => {
      await k.ok("create", "job", "task", "--image=registry.example/tool:1", "--", "true");
      // Not a time that comes while this runs.
      await k.ok("create", "cronjob", "rarely", "--image=registry.example/tool:1", "--schedule=0 3 29 2 *", "--", "true");
      await k.ok("create", "job", "tonight", "--from=cronjob/rarely");
      await k.ok("wait", "--for=condition=Complete", "job/task", "job/tonight", patience);
      expect(await k.ok("get", "jobs")).toMatch(/task +Complete +1\/1 [^]*tonight +Complete +1\/1 /);
      expect(await k.ok("get", "cronjobs")).toMatch(/rarely +0 3 29 2 \* +<none> +False +0 +<none>/);
    });

    it("a Pod with run", async () => {
      expect(await k.ok("run", "server", "--image=registry.example/server:1", "--env=A=1", "--labels=a=b", "--port=80")).toBe(
        "pod/server created\n",
      );
      await k.ok("run", "tool", "--image=registry.example/tool:1", "--restart=Never", "--command", "--", "sh", "-c", "exit 4");
      await k.ok("wait", "pod/server", "--for=condition=Ready", patience);
      await k.ok("wait", "pod/tool", "--for=jsonpath={.status.phase}=Failed", patience);
      expect(await k.read("pod tool", "{.status.containerStatuses[0].state.terminated.exitCode}")).toBe("4");
      expect(await k.ok("get", "pods", "tool")).toMatch(/tool +0\/1 +Error +0/);
    });

    it("what is wrong is refused with the reason", async () => {
      expect(await k.refused("create", "deployment", "Web", "--image=a")).toContain("a lowercase RFC 1123 subdomain");
      expect(await k.refused("create", "cronjob", "never", "--image=a", "--schedule=99 * * * *")).toMatch(
        /spec\.schedule: Invalid value: "99 \* \* \* \*"/,
      );
      expect(await k.refused("run", "web", "--image= ")).toMatch(/image/i);
    });
  });
});
