import { describe, expect, it } from "vitest";
import { builtinKinds } from "../../../shared/api/builtin-kinds.ts";
import { apiVersionOf, hasStatus, type Kind } from "../../../shared/api/kind.ts";
import { behaviours } from "../../../shared/api/kinds/index.ts";
import * as refs from "../../../shared/api/kinds.ts";
import { columnsOf, created, kindOf, updated } from "../../support/kind-pipeline.ts";

const named = (apiVersion: string, kind: string): Kind => kindOf({ apiVersion, kind });

/** Kinds for which something holds, by plural. */
const pluralsWhere = (holds: (kind: Kind) => unknown): string[] => [
  ...new Set(
    builtinKinds()
      .filter(holds)
      .map(({ plural }) => plural)
      .toSorted(),
  ),
];

const isStored = ({ verbs }: Kind): boolean => verbs.includes("list");

describe("built-in kinds", () => {
  it("are the same objects every time", () => {
    expect(builtinKinds()).toBe(builtinKinds());
  });

  it("include every kind that has a typed reference", () => {
    const known = new Set(builtinKinds().map((kind) => `${kind.plural} ${apiVersionOf(kind)} ${kind.kind} ${kind.namespaced}`));
    for (const ref of Object.values(refs)) expect(known).toContain(`${ref.plural} ${apiVersionOf(ref)} ${ref.kind} ${ref.namespaced}`);
  });

  it("all behave, if they can be stored", () => {
    const declared = new Set(behaviours.map(({ kind }) => `${kind.plural} ${apiVersionOf(kind)}`));
    expect(
      builtinKinds()
        .filter(isStored)
        .filter((kind) => !declared.has(`${kind.plural} ${apiVersionOf(kind)}`)),
    ).toEqual([]);
  });

  it("are each declared once", () => {
    const names = behaviours.map(({ kind }) => `${kind.plural} ${apiVersionOf(kind)}`);
    expect(names).toEqual([...new Set(names)]);
  });

  it("share one log among all versions, and among both Events APIs", () => {
    const storages = (plural: string) => [...new Set(builtinKinds().flatMap((kind) => (kind.plural === plural ? [kind.storage] : [])))];
    expect(storages("events")).toEqual(["events"]);
    expect(storages("horizontalpodautoscalers")).toEqual(["horizontalpodautoscalers.autoscaling"]);
    expect(storages("pods")).toEqual(["pods"]);
    expect(storages("deployments")).toEqual(["deployments.apps"]);
  });

  it("give every other resource a log of its own", () => {
    const shared = new Set(["events", "horizontalpodautoscalers.autoscaling"]);
    const storages = builtinKinds().flatMap(({ storage }) => (shared.has(storage) ? [] : [storage]));
    expect(storages).toEqual([...new Set(storages)]);
  });

  it("list as <Kind>List", () => {
    expect(named("v1", "Endpoints").listKind).toBe("EndpointsList");
    expect(named("apps/v1", "Deployment").listKind).toBe("DeploymentList");
  });

  it("create by PUT only where Kubernetes does", () => {
    expect(pluralsWhere(({ behaviour }) => behaviour.allowCreateOnUpdate)).toEqual([
      "clusterrolebindings",
      "clusterroles",
      "endpoints",
      "events",
      "leases",
      "limitranges",
      "rolebindings",
      "roles",
      "runtimeclasses",
      "services",
    ]);
  });

  it("orphan dependents by default only for the two oldest controllers", () => {
    expect(pluralsWhere(({ behaviour }) => behaviour.defaultPropagation === "Orphan")).toEqual(["jobs", "replicationcontrollers"]);
  });

  it("delete gracefully only Pods", () => {
    expect(pluralsWhere(({ behaviour }) => "gracePeriodSeconds" in behaviour)).toEqual(["pods"]);
  });

  it("scale where discovery says so", () => {
    expect(pluralsWhere(({ behaviour }) => behaviour.scale)).toEqual(
      pluralsWhere(({ subresources }) => subresources.some(({ name }) => name === "scale")),
    );
  });

  it("name every column once, the name first but for Events", () => {
    for (const kind of builtinKinds().filter(isStored)) {
      const names = columnsOf(kind).map(({ name }) => name);
      expect(names, kind.kind).toEqual([...new Set(names)]);
      if (kind.kind !== "Event") expect(names[0], kind.kind).toBe("Name");
    }
  });
});

const deployment = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", namespace: "default" },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: "web", tier: "front" } },
    template: { metadata: { labels: { app: "web", tier: "front" } }, spec: { containers: [{ name: "c", image: "nginx" }] } },
  },
};

describe("scale", () => {
  const { scale } = named("apps/v1", "Deployment").behaviour;
  const { object } = created(deployment);

  it("tells what is wanted, what there is, and whose Pods they are", () => {
    expect(scale?.specReplicas(object)).toBe(3);
    expect(scale?.statusReplicas(object)).toBe(0);
    expect(scale?.selector(object)).toBe("app=web,tier=front");
  });

  it("changes a copy", () => {
    const scaled = scale?.withReplicas(object, 7);
    expect(scale?.specReplicas(scaled ?? object)).toBe(7);
    expect(scale?.specReplicas(object)).toBe(3);
  });
});

describe("generation", () => {
  const before = { ...deployment, metadata: { ...deployment.metadata, resourceVersion: "1" } };
  const { behaviour } = named("apps/v1", "Deployment");
  const hasChanged = (after: object): boolean => {
    const { object } = updated(after, before);
    return (
      JSON.stringify(behaviour.generationFields?.(object)) !== JSON.stringify(behaviour.generationFields?.(updated(before, before).object))
    );
  };

  it("follows the spec", () => {
    expect(hasChanged({ ...before, spec: { ...before.spec, replicas: 4 } })).toBe(true);
  });

  it("does not follow labels and status", () => {
    expect(hasChanged({ ...before, metadata: { ...before.metadata, labels: { a: "b" } }, status: { replicas: 3 } })).toBe(false);
  });

  it("does not exist for kinds like ConfigMaps", () => {
    const object = created({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "c", namespace: "default" }, data: { a: "b" } }).object;
    expect(named("v1", "ConfigMap").behaviour.generationFields?.(object)).toBeUndefined();
  });

  it("is said by every kind that is stored", () => {
    expect(pluralsWhere((kind) => isStored(kind) && !kind.behaviour.generationFields && !hasStatus(kind))).toEqual([]);
  });
});

describe("field selectors", () => {
  const select = (object: { apiVersion: string; kind: string }, field: string) =>
    kindOf(object).behaviour.selectableFields?.[field]?.(created(object).object);
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default" },
    spec: { nodeName: "n1", serviceAccountName: "sa", containers: [{ name: "c", image: "nginx" }] },
  };

  it.each([
    ["spec.nodeName", "n1"],
    ["spec.host", "n1"],
    ["spec.restartPolicy", "Always"],
    ["spec.schedulerName", "default-scheduler"],
    ["spec.serviceAccountName", "sa"],
    ["spec.hostNetwork", "false"],
    ["status.phase", "Pending"],
    ["status.podIP", ""],
    ["status.nominatedNodeName", ""],
  ])("find Pods by %s", (field, value) => {
    expect(select(pod, field)).toBe(value);
  });

  it("find Events by the source in one API and by the controller in the other", () => {
    expect(Object.keys(named("v1", "Event").behaviour.selectableFields ?? {})).toContain("source");
    expect(Object.keys(named("v1", "Event").behaviour.selectableFields ?? {})).toContain("involvedObject.uid");
    expect(Object.keys(named("events.k8s.io/v1", "Event").behaviour.selectableFields ?? {})).toContain("reportingController");
    expect(Object.keys(named("events.k8s.io/v1", "Event").behaviour.selectableFields ?? {})).not.toContain("source");
  });

  it("exist for these kinds and no others", () => {
    expect(pluralsWhere(({ behaviour }) => behaviour.selectableFields)).toEqual([
      "certificatesigningrequests",
      "events",
      "jobs",
      "namespaces",
      "nodes",
      "pods",
      "replicationcontrollers",
      "resourceslices",
      "secrets",
      "services",
    ]);
  });
});

describe("the grace of a deleted Pod", () => {
  const grace = (spec: object, status: object, requested?: number) => {
    const { object } = created({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "default" },
      spec: { containers: [{ name: "c", image: "nginx" }], ...spec },
    });
    return named("v1", "Pod").behaviour.gracePeriodSeconds?.({ ...object, status } as never, requested);
  };

  it("is its own when none is asked for", () => {
    expect(grace({ nodeName: "n" }, { phase: "Running" })).toBe(30);
    expect(grace({ nodeName: "n", terminationGracePeriodSeconds: 5 }, { phase: "Running" })).toBe(5);
  });

  it("is what is asked for", () => {
    expect(grace({ nodeName: "n" }, { phase: "Running" }, 7)).toBe(7);
    expect(grace({ nodeName: "n" }, { phase: "Running" }, 0)).toBe(0);
  });

  it("is none before it has a node and after it has ended", () => {
    expect(grace({}, { phase: "Pending" }, 7)).toBe(0);
    expect(grace({ nodeName: "n" }, { phase: "Succeeded" }, 7)).toBe(0);
    expect(grace({ nodeName: "n" }, { phase: "Failed" })).toBe(0);
  });
});
