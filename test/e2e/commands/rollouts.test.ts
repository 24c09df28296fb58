/** The commands that move Pods, with a real kubectl, as a user gives them: set, rollout, scale, delete, and those about Nodes. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../../support/kubectl.ts";
import { deployment, lines, soon } from "../../support/shop.ts";

const binary = requireKubectl();
const patience = "--timeout=90s";

describe.skipIf(!binary)("with kubectl", { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  let nodes: readonly string[];

  /** kubectl in a namespace of its own. */
  const inNamespace = async (name: string): Promise<Kubectl> => {
    if (!binary) throw new Error("no kubectl");
    const k = kubectl(binary, plane.kubeconfig, {}, ["-n", name]);
    await k.ok("create", "namespace", name);
    return k;
  };

  beforeAll(async () => {
    plane = await startControlPlane();
    if (binary) nodes = (await kubectl(binary, plane.kubeconfig).read("nodes", "{.items[*].metadata.name}")).split(" ");
  }, 90_000);
  afterAll(() => plane?.remove(), 60_000);

  describe("a rollout", () => {
    let k: Kubectl;
    beforeAll(async () => {
      k = await inNamespace("rollouts");
      await k.apply(deployment("web"));
      await rolledOut();
    }, 180_000);
    const rolledOut = () => k.ok("rollout", "status", "deployment/web", patience);
    const image = () => k.read("deployment web", "{.spec.template.spec.containers[0].image}");

    it("follows what is set", async () => {
      await k.ok("set", "image", "deployment/web", "web=registry.example/web:2");
      await k.ok("annotate", "deployment/web", "kubernetes.io/change-cause=version 2");
      expect(await rolledOut()).toMatch(/deployment "web" successfully rolled out\n$/);
      await k.ok("set", "env", "deployment/web", "COLOUR=red", "SIZE=large");
      expect(await k.ok("set", "env", "deployment/web", "--list")).toBe("# Deployment web, container web\nCOLOUR=red\nSIZE=large\n");
      // Two changes in quick succession may become one revision.
      await rolledOut();
      await k.ok("set", "resources", "deployment/web", "--requests=cpu=200m");
      expect(await k.read("deployment web", "{.spec.template.spec.containers[0].resources.requests.cpu}")).toBe("200m");
      expect(await k.refused("set", "image", "deployment/web", "other=x")).toContain('unable to find container named "other"');
      await rolledOut();
    });

    it("has a history", async () => {
      await expect
        .poll(() => k.ok("rollout", "history", "deployment/web"), soon)
        .toMatch(/^deployment\.apps\/web \nREVISION +CHANGE-CAUSE\n1 +<none>\n2 +version 2\n3 +version 2\n4 +version 2\n\n$/);
      expect(await k.ok("rollout", "history", "deployment/web", "--revision=1")).toMatch(
        /revision #1\nPod Template:[^]*Image:\tregistry\.example\/web:1\n/,
      );
      expect(await k.refused("rollout", "history", "deployment/web", "--revision=99")).toContain("unable to find the specified revision");
    });

    it("is undone", async () => {
      await k.ok("rollout", "undo", "deployment/web", "--to-revision=1");
      expect(await image()).toBe("registry.example/web:1");
      await rolledOut();
      await k.ok("rollout", "undo", "deployment/web");
      expect(await image()).toBe("registry.example/web:2");
      expect(await k.refused("rollout", "undo", "deployment/web", "--to-revision=99")).toContain(
        "unable to find specified revision 99 in history",
      );
      await rolledOut();
    });

    it("pauses and resumes", async () => {
      await k.ok("rollout", "pause", "deployment/web");
      await k.ok("set", "image", "deployment/web", "web=registry.example/web:3");
      expect(await k.refused("rollout", "status", "deployment/web", "--timeout=3s")).toContain("timed out waiting");
      expect(await k.refused("rollout", "undo", "deployment/web")).toContain("you cannot rollback a paused deployment");
      await k.ok("rollout", "resume", "deployment/web");
      await rolledOut();
      expect(await k.read("pods -l app=web", "{.items[*].spec.containers[0].image}")).toContain("registry.example/web:3");
    });

    it("restarts", async () => {
      const replicaSets = () => k.ok("get", "replicasets", "-l", "app=web", "-o", "name");
      const before = lines(await replicaSets());
      await k.ok("rollout", "restart", "deployment/web");
      await rolledOut();
      expect(lines(await replicaSets())).toHaveLength(before.length + 1);
    });

    it("scales", async () => {
      expect(await k.ok("scale", "deployment/web", "--replicas=3")).toBe("deployment.apps/web scaled\n");
      await k.ok("wait", "deployment/web", "--for=jsonpath={.status.readyReplicas}=3", patience);
      expect(await k.refused("scale", "deployment/web", "--current-replicas=9", "--replicas=1")).toContain(
        "Expected replicas to be 9, was 3",
      );
      await k.ok("scale", "deployment/web", "--replicas=0");
      await expect.poll(() => k.ok("get", "pods", "-l", "app=web", "-o", "name"), soon).toBe("");
      expect(await k.ok("scale", "replicaset", "-l", "app=web", "--replicas=0")).toMatch(/^replicaset\.apps\/web-\w+ scaled\n/);
    });
  });

  describe("delete", () => {
    let k: Kubectl;
    beforeAll(async () => {
      k = await inNamespace("deletions");
    }, 60_000);
    const whatIsLeft = (name: string) => k.ok("get", "replicasets,pods", "-l", `app=${name}`, "-o", "name");
    const create = async (name: string) => {
      await k.ok("create", "deployment", name, "--image=registry.example/web:1");
      await k.ok("rollout", "status", `deployment/${name}`, patience);
    };

    it("in the background", async () => {
      await create("background");
      expect(await k.ok("delete", "deployment", "background")).toMatch(/^deployment\.apps "background" deleted/);
      await expect.poll(() => whatIsLeft("background"), soon).toBe("");
    });

    it("in the foreground: when it is gone, so are its Pods", async () => {
      await create("foreground");
      await k.ok("delete", "deployment", "foreground", "--cascade=foreground", patience);
      expect(await whatIsLeft("foreground")).toBe("");
    });

    it("leaving orphans, which a new owner adopts", async () => {
      await create("orphan");
      const before = await whatIsLeft("orphan");
      await k.ok("delete", "deployment", "orphan", "--cascade=orphan");
      expect(await whatIsLeft("orphan")).toBe(before);
      expect(await k.read("replicasets -l app=orphan", "{.items[*].metadata.ownerReferences}")).toBe("");
      await create("orphan");
      expect(await whatIsLeft("orphan")).toBe(before);
      expect(await k.read("replicasets -l app=orphan", "{.items[*].metadata.ownerReferences[*].name}")).toBe("orphan");
    });

    it("at once, by selector, all, and with the namespace", async () => {
      const crowd = await inNamespace("crowd");
      for (const name of ["one", "two", "three", "four"]) await crowd.ok("run", name, "--image=registry.example/web:1");
      expect((await crowd("delete", "pod", "four", "--grace-period=0", "--force")).stdout).toMatch(/pod "four" force deleted/);
      expect(await crowd.refused("get", "pod", "four")).toContain("NotFound");
      await crowd.ok("delete", "pods", "-l", "run in (one, two)");
      expect(await crowd.ok("get", "pods", "-o", "name")).toBe("pod/three\n");
      await crowd.ok("delete", "pods", "--all");
      expect(await crowd.ok("get", "pods", "-o", "name")).toBe("");
      await crowd.ok("delete", "namespace", "crowd", patience);
      expect(await crowd.refused("get", "namespace", "crowd")).toContain("NotFound");
    });

    it("what is not there", async () => {
      expect(await k.refused("delete", "deployment", "nobody")).toBe('Error from server (NotFound): deployments.apps "nobody" not found\n');
      expect(await k.ok("delete", "deployment", "nobody", "--ignore-not-found")).toBe("");
    });
  });

  describe("a Node", () => {
    let k: Kubectl;
    beforeAll(async () => {
      k = await inNamespace("nodes");
    }, 60_000);

    it("is cordoned, drained, and uncordoned", async () => {
      await k.apply(deployment("moved"));
      await k.ok("rollout", "status", "deployment/moved", patience);
      const node = await k.read("pods -l app=moved", "{.items[0].spec.nodeName}");
      const bare = { name: "a", image: "registry.example/a:1" };
      await k.apply(
        JSON.stringify({ apiVersion: "v1", kind: "Pod", metadata: { name: "bare" }, spec: { nodeName: node, containers: [bare] } }),
      );
      expect(await k.ok("cordon", node)).toBe(`node/${node} cordoned\n`);
      expect(await k.ok("get", "node", node)).toContain(" Ready,SchedulingDisabled ");
      expect(await k.refused("drain", node)).toMatch(/Pods that declare no controller.*: nodes\/bare/);
      const drained = await k.ok("drain", node, "--force", "--ignore-daemonsets", "--delete-emptydir-data", patience);
      expect(drained).toMatch(new RegExp(`evicting pod nodes/moved-[^]*node/${node} drained`));
      expect(await k.ok("get", "pods", "-A", `--field-selector=spec.nodeName=${node}`, "-o", "name")).toBe("");
      await k.ok("wait", "deployment/moved", "--for=jsonpath={.status.readyReplicas}=2", patience);
      expect(await k.ok("uncordon", node)).toBe(`node/${node} uncordoned\n`);
    });

    it("is tainted", async () => {
      const node = String(nodes[2]);
      const effects = async () => (await k.read(`node ${node}`, '{.spec.taints[?(@.key=="for")].effect}')).split(" ").toSorted();
      expect(await k.ok("taint", "node", node, "for=others:NoSchedule")).toBe(`node/${node} tainted\n`);
      expect(await k.refused("taint", "node", node, "for=us:NoSchedule")).toContain("--overwrite is false");
      await k.ok("taint", "node", node, "for=us:NoExecute");
      expect(await effects()).toEqual(["NoExecute", "NoSchedule"]);
      await k.ok("taint", "node", node, "for-");
      expect(await effects()).toEqual([""]);
      expect(await k.refused("taint", "node", node, "for=us:Never")).toContain("invalid taint effect");
    });
  });
});
