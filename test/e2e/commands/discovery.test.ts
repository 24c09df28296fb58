/**
 * The commands that ask what there is and who may do what, and a Deployment's life from apply to delete: with the oldest kubectl at hand,
 * the first that writes protobuf, and the newest.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl, typicalKubectls } from "../../support/kubectl.ts";
import { deployment, lines, soon } from "../../support/shop.ts";

const newest = requireKubectl();
const patience = "--timeout=90s";

describe.skipIf(!newest)("with kubectl", { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
  }, 60_000);
  afterAll(() => plane?.remove(), 60_000);

  describe.each(typicalKubectls())("$minor", (binary) => {
    const namespace = `life-${binary.minor.replace(".", "-")}`;
    let k: Kubectl;
    beforeAll(() => {
      k = kubectl(binary, plane.kubeconfig, {}, ["-n", namespace]);
    });

    it("finds out what the server can do", async () => {
      expect(await k.ok("version")).toMatch(/Server Version: .*v1\.36\.\d+\+binnacle/);
      expect(await k.ok("cluster-info")).toMatch(/control plane.* is running at .*https:\/\/127\.0\.0\.1:/);
      expect(lines(await k.ok("api-versions"))).toEqual(
        expect.arrayContaining(["apps/v1", "batch/v1", "rbac.authorization.k8s.io/v1", "v1"]),
      );
      expect(await k.ok("api-resources")).toMatch(
        /^NAME +SHORTNAMES +APIVERSION +NAMESPACED +KIND\n[^]*pods +po +v1 +true +Pod\n[^]*deployments +deploy +apps\/v1/,
      );
      expect(lines(await k.ok("api-resources", "--verbs=create", "--namespaced=false", "-o", "name"))).toContain("namespaces");
    });

    it("explains fields", async () => {
      expect(await k.ok("explain", "pod.spec.containers.imagePullPolicy")).toMatch(/KIND: +Pod\n[^]*FIELD: +imagePullPolicy +<string>/);
      expect(await k.ok("explain", "deployment.spec.strategy", "--recursive")).toMatch(
        /rollingUpdate\t<RollingUpdateDeployment>\n +maxSurge\t<IntOrString>/,
      );
      expect(await k.ok("explain", "cronjobs", "--api-version=batch/v1")).toContain("CronJob");
      expect(await k.ok("explain", "pod.metadata")).toMatch(
        /DESCRIPTION:\n +Standard object's metadata[^]*creationTimestamp\t<string>\n +CreationTimestamp is a timestamp/,
      );
      expect(await k.refused("explain", "pod.spec.nothing")).toContain('field "nothing" does not exist');
    });

    it("asks what it may do", async () => {
      expect(await k.ok("auth", "can-i", "create", "deployments")).toBe("yes\n");
      expect(await k("auth", "can-i", "delete", "nodes", "--as=stranger")).toMatchObject({
        code: 1,
        stdout: expect.stringMatching(/^no/),
      });
      expect(await k.ok("auth", "can-i", "--list")).toMatch(/\*\.\*/);
    });

    it("says that there are no metrics", async () => {
      for (const what of ["pods", "nodes"]) {
        expect(await k("top", what)).toMatchObject({ code: 1, stderr: "error: Metrics API not available\n" });
      }
    });

    it("takes a Deployment through its life", async () => {
      const rolledOut = () => k.ok("rollout", "status", "deployment/web", patience);
      await k.ok("create", "namespace", namespace);
      expect(await k.apply(deployment("web"))).toBe("deployment.apps/web created\n");
      await rolledOut();
      // What a controller writes between kubectl's two reads shows as a difference.
      await expect.poll(() => k.pipe(deployment("web"), "diff", "-f", "-"), soon).toMatchObject({ code: 0, stdout: "" });
      await k.apply(deployment("web"), "--server-side");
      await k.ok("set", "image", "deployment/web", "web=registry.example/web:2");
      // There is nothing to go back to before the new revision is there.
      await rolledOut();
      await k.ok("rollout", "undo", "deployment/web");
      await rolledOut();
      await k.ok("scale", "deployment/web", "--replicas=1");
      // As long as others are ending, `logs` may choose one of them and find it gone.
      await expect.poll(async () => lines(await k.ok("get", "pods", "-l", "app=web", "-o", "name")).length, soon).toBe(1);
      expect(await k.ok("describe", "deployment", "web")).toContain("1 desired");
      expect(await k.ok("logs", "deployment/web")).toContain("registry.example/web:1");
      expect(await k.ok("events", "--for", "deployment/web")).toContain("ScalingReplicaSet");
      await k.ok("delete", "deployment", "web", "--cascade=foreground", patience);
      expect(await k.ok("get", "pods,replicasets", "-o", "name")).toBe("");
      await k.ok("delete", "namespace", namespace, patience);
    });
  });

  it("says who one is", async () => {
    if (!newest) throw new Error("no kubectl");
    const k = kubectl(newest, plane.kubeconfig);
    expect(await k.ok("auth", "whoami")).toMatch(/Username +kubernetes-admin\nGroups +\[system:masters system:authenticated\]/);
    expect(await k.ok("auth", "whoami", "--as=joe", "--as-group=team", "-o", "jsonpath={.status.userInfo.groups}")).toBe(
      '["team","system:authenticated"]',
    );
  });
});
