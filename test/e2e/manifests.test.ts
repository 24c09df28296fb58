/** Well-known sample applications, unchanged, on simulated nodes: what people try first on a new cluster. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../support/kubectl.ts";
import { podsWithTasks } from "../support/running-tasks.ts";
import { manifestData } from "../support/shared-data.ts";

const binary = requireKubectl();
const cassandra = manifestData("cassandra.yaml");
const guestbook = manifestData("guestbook.yaml");
const onlineBoutique = manifestData("online-boutique.yaml");
const argoRollouts = manifestData("argo-rollouts-install.yaml.gz");

describe.skipIf(!binary || !cassandra || !guestbook || !onlineBoutique || !argoRollouts)("with kubectl", { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  let k: Kubectl;

  beforeAll(async () => {
    plane = await startControlPlane("--nodes", "4", "--provision-any");
    if (binary) k = kubectl(binary, plane.kubeconfig);
    // Its Pods follow each other, each with 15 s to its first probe: they come up while the others are tested.
    await k.ok("apply", "-f", String(cassandra));
  }, 90_000);
  afterAll(() => plane?.remove());

  const lines = (text: string) => text.trim().split("\n");
  const podNames = async (namespace: string, selector = "") =>
    (await k.ok("get", "pods", "-n", namespace, "-l", selector, "-o", "jsonpath={.items[*].metadata.name}")).split(" ").filter(Boolean);

  describe("Online Boutique", () => {
    const available = () => k.ok("wait", "-n", "shop", "--for=condition=Available", "deployment", "--all", "--timeout=120s");

    it("is applied, and every Deployment becomes available", async () => {
      await k.ok("create", "namespace", "shop");
      const created = lines(await k.ok("apply", "-n", "shop", "-f", String(onlineBoutique)));
      expect(created.filter((line) => !line.endsWith(" created"))).toEqual([]);
      expect(created).toHaveLength(35);
      expect(lines(await available())).toHaveLength(12);
    });

    it("runs one task for each Pod", async () => {
      const pods = await podNames("shop");
      expect(pods).toHaveLength(12);
      expect(await podsWithTasks(plane, "shop")).toEqual(pods.toSorted());
    });

    it("is unchanged when it is applied again", async () => {
      const again = lines(await k.ok("apply", "-n", "shop", "-f", String(onlineBoutique)));
      expect(again.filter((line) => !line.endsWith(" unchanged"))).toEqual([]);
    });

    it("gets a new Pod for one that is deleted", async () => {
      const [before] = await podNames("shop", "app=emailservice");
      await k.ok("delete", "pod", "-n", "shop", String(before));
      await available();
      const after = await podNames("shop", "app=emailservice");
      expect(after).toHaveLength(1);
      expect(after).not.toContain(before);
    });

    it("is rolled out with another image, and back", async () => {
      const image = () =>
        k.ok("get", "pods", "-n", "shop", "-l", "app=emailservice", "-o", "jsonpath={.items[*].spec.containers[0].image}");
      const status = () => k.ok("rollout", "status", "-n", "shop", "deployment/emailservice", "--timeout=60s");
      const original = await image();
      await k.ok("set", "image", "-n", "shop", "deployment/emailservice", "server=registry.example/emailservice:next");
      await status();
      // The old Pod may still be terminating when the rollout is complete, as on any cluster.
      await expect.poll(image, { timeout: 30_000 }).toBe("registry.example/emailservice:next");
      await k.ok("rollout", "undo", "-n", "shop", "deployment/emailservice");
      await status();
      await expect.poll(image, { timeout: 30_000 }).toBe(original);
    });

    it("is gone with its namespace, and its tasks with it", async () => {
      await k.ok("delete", "namespace", "shop", "--timeout=90s");
      expect(await podNames("shop")).toEqual([]);
      await expect.poll(() => podsWithTasks(plane, "shop"), { timeout: 30_000 }).toEqual([]);
    });
  });

  describe("the guestbook", () => {
    it("is applied, and its Service finds the Pods", async () => {
      await k.ok("create", "namespace", "guestbook");
      await k.ok("apply", "-n", "guestbook", "-f", String(guestbook));
      await k.ok("wait", "-n", "guestbook", "--for=condition=Available", "deployment", "--all", "--timeout=90s");
      const ready = "jsonpath={.items[*].endpoints[?(@.conditions.ready==true)].addresses[0]}";
      const addresses = () => k.ok("get", "endpointslices", "-n", "guestbook", "-l", "kubernetes.io/service-name=frontend", "-o", ready);
      await expect.poll(async () => (await addresses()).split(" ").length, { timeout: 30_000 }).toBe(3);
    });

    it("is deleted as it was applied", async () => {
      await k.ok("delete", "-n", "guestbook", "-f", String(guestbook), "--timeout=60s");
      await expect.poll(() => podNames("guestbook"), { timeout: 30_000 }).toEqual([]);
      await expect.poll(() => podsWithTasks(plane, "guestbook"), { timeout: 30_000 }).toEqual([]);
    });
  });

  describe("Argo Rollouts", () => {
    const manifest = () => gunzipSync(readFileSync(String(argoRollouts))).toString();
    const rollout = (extra = "") => `
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "registry.example/web:1"}]}
  strategy: {canary: {steps: [{setWeight: 20}, {pause: {}}]}}
${extra}`;

    it("trap 1: client-side apply fails for the two definitions that do not fit into an annotation", async () => {
      await k.ok("create", "namespace", "argo-rollouts");
      const applied = await k.pipe(manifest(), "apply", "-n", "argo-rollouts", "-f", "-");
      expect(applied.code).not.toBe(0);
      const errors = lines(applied.stderr).filter((line) => !line.startsWith("Warning:"));
      expect(errors).toHaveLength(2);
      for (const [index, name] of ["analysisruns", "rollouts"].entries()) {
        expect(errors[index]).toContain(
          `CustomResourceDefinition.apiextensions.k8s.io "${name}.argoproj.io" is invalid: metadata.annotations: Too long`,
        );
      }
    });

    it("server-side apply takes all of it, without a conflict with what was applied before", async () => {
      const applied = await k.pipe(manifest(), "apply", "-n", "argo-rollouts", "--server-side", "-f", "-");
      expect(applied).toMatchObject({ code: 0 });
      expect(applied.stderr).not.toMatch(/[Ee]rror/);
      expect(lines(applied.stdout).filter((line) => !line.endsWith(" serverside-applied"))).toEqual([]);
      await k.ok("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s");
      await k.ok("rollout", "status", "-n", "argo-rollouts", "deployment/argo-rollouts", "--timeout=60s");
    });

    it("a Rollout is created, pruned, printed and explained", async () => {
      const strict = await k.pipe(rollout("  colour: blue"), "create", "-n", "argo-rollouts", "-f", "-");
      expect(strict.stderr).toMatch(/unknown field "spec.colour"/);
      const created = await k.pipe(rollout("  colour: blue"), "create", "--validate=false", "-n", "argo-rollouts", "-f", "-");
      expect(created.stdout).toBe("rollout.argoproj.io/web created\n");
      expect(await k.ok("get", "rollout", "web", "-n", "argo-rollouts", "-o", "jsonpath={.spec.colour}")).toBe("");
      const printed = await k.ok("get", "ro", "-n", "argo-rollouts");
      expect(printed).toMatch(/^NAME\s+DESIRED\s+CURRENT\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb\s+2\s/);
      expect(await k.ok("explain", "rollout.spec.strategy.canary.steps.setWeight")).toMatch(/FIELD: setWeight <integer>/);
    });

    it("everything goes with the definitions and the namespace", async () => {
      await k.pipe(manifest(), "delete", "-n", "argo-rollouts", "-f", "-");
      expect((await k("get", "rollouts", "-A")).stderr).toMatch(/the server (?:could not find|doesn't have)/);
      await k.ok("delete", "namespace", "argo-rollouts", "--timeout=60s");
      await expect.poll(() => podsWithTasks(plane, "argo-rollouts"), { timeout: 30_000 }).toEqual([]);
    });

    it("create takes all of it, too", async () => {
      await k.ok("create", "namespace", "argo-rollouts");
      const created = await k.pipe(manifest(), "create", "-n", "argo-rollouts", "-f", "-");
      expect(created).toMatchObject({ code: 0 });
      await k.ok("wait", "--for=condition=Established", "crd/rollouts.argoproj.io", "--timeout=30s");
    });
  });

  describe("Cassandra", () => {
    it("comes up one after the other, to three of three", async () => {
      await k.ok("rollout", "status", "statefulset/cassandra", "--timeout=100s");
      expect(await k.ok("get", "statefulset", "cassandra")).toMatch(/cassandra\s+3\/3/);
      expect(await podNames("default", "app=cassandra")).toEqual(["cassandra-0", "cassandra-1", "cassandra-2"]);
      const started = await k.ok("get", "pods", "-l", "app=cassandra", "-o", "jsonpath={.items[*].status.startTime}");
      expect(started.split(" ")).toEqual(started.split(" ").toSorted());
    });

    it("has a bound claim for each Pod", async () => {
      const claims = await k.ok(
        "get",
        "pvc",
        "-o",
        "jsonpath={range .items[*]}{.metadata.name} {.status.phase} {.status.capacity.storage}\n{end}",
      );
      expect(lines(claims)).toEqual([0, 1, 2].map((ordinal) => `cassandra-data-cassandra-${ordinal} Bound 1Gi`));
      expect(lines(await k.ok("get", "pv", "-o", "jsonpath={range .items[*]}{.status.phase}\n{end}"))).toEqual(["Bound", "Bound", "Bound"]);
    });

    it("gets a deleted Pod back under its name, with its claim", async () => {
      const claim = () => k.ok("get", "pvc", "cassandra-data-cassandra-2", "-o", "jsonpath={.metadata.uid} {.spec.volumeName}");
      const uid = () => k.ok("get", "pod", "cassandra-2", "--ignore-not-found", "-o", "jsonpath={.metadata.uid}");
      const before = { claim: await claim(), uid: await uid() };
      // It asks for half an hour to end: the simulated engine needs a moment.
      await k.ok("delete", "pod", "cassandra-2", "--timeout=60s");
      await expect.poll(uid, { timeout: 30_000 }).not.toMatch(new RegExp(`^(?:${before.uid})?$`));
      expect(await claim()).toBe(before.claim);
    });
  });
});
