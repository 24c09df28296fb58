import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../shared/api/objects.ts";
import type { DeleteParameters } from "../../shared/registry/registry.ts";
import { aConfigMap, aPodBody, aRegistry, context, refusal, type TestRegistry } from "../support/registry.ts";

const waiting = "example.com/wait";

/** A Pod on a node, with a grace period of 30 seconds. */
async function runningPod(metadata: JsonObject = {}): Promise<TestRegistry> {
  const api = await aRegistry();
  await api.create("pods", aPodBody("p", { nodeName: "n", terminationGracePeriodSeconds: 30 }, metadata));
  return api;
}

describe("checklist 41: DELETE", () => {
  it("answers the object as it was", async () => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a", { k: "v" }));
    const answer = await api.remove("configmaps", "a");
    expect(answer).toMatchObject({ type: "deleted", object: { data: { k: "v" }, metadata: { uid: made.metadata.uid } } });
    expect(await api.exists("configmaps", "a")).toBe(false);
  });

  it("of what does not exist is NotFound", async () => {
    const api = await aRegistry();
    expect(await refusal(api.remove("configmaps", "a"))).toMatchObject({ code: 404, message: 'configmaps "a" not found' });
  });

  it("with more grace than there is time ends when time does", async () => {
    const api = await aRegistry();
    const most = JSON.rawJSON("9223372036854775807");
    await api.create("pods", aPodBody("p", { nodeName: "n", terminationGracePeriodSeconds: most }));
    const labelled = await api.patch("pods", "p", { type: "merge", body: { metadata: { labels: { a: "b" } } } });
    expect(labelled.spec).toMatchObject({ terminationGracePeriodSeconds: most });
    const { object } = await api.remove("pods", "p");
    expect(object.metadata).toMatchObject({
      deletionTimestamp: "9999-12-31T23:59:59Z",
      deletionGracePeriodSeconds: Number.MAX_SAFE_INTEGER,
    });
  });

  it("refuses what the system cannot do without", async () => {
    const api = await aRegistry();
    const name = "system-node-critical";
    await api.create("priorityclasses.scheduling.k8s.io", { metadata: { name }, value: 2_000_001_000 });
    expect(await refusal(api.remove("priorityclasses.scheduling.k8s.io", name))).toMatchObject({
      code: 403,
      message: `priorityclasses.scheduling.k8s.io "${name}" is forbidden: this is a system priority class and cannot be deleted`,
    });
  });

  it("of a Job says that its Pods stay, unless the client decided", async () => {
    const api = await aRegistry();
    const template = { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } };
    await api.create("jobs.batch", { metadata: { name: "j" }, spec: { template } });
    const warned = async (options: Partial<DeleteParameters>) => {
      const asked = context();
      const key = { namespace: "default", name: "j" };
      await api.registry.delete(await api.kind("jobs.batch"), key, { dryRun: true, ...options }, asked);
      return asked.warnings;
    };
    expect(await warned({})).toEqual([expect.stringMatching(/^child pods are preserved by default when jobs are deleted; set/)]);
    expect(await warned({ propagationPolicy: "Background" })).toEqual([]);
    expect(await warned({ orphanDependents: true })).toEqual([]);
  });

  it("with a negative grace period means one second", async () => {
    const api = await runningPod();
    const { object } = await api.remove("pods", "p", { gracePeriodSeconds: -5 });
    expect(object.metadata.deletionGracePeriodSeconds).toBe(1);
  });

  it.each([
    {
      name: "both ways to say what becomes of dependents",
      options: { orphanDependents: true, propagationPolicy: "Orphan" } as const,
      message: "orphanDependents and deletionPropagation cannot be both set",
    },
    {
      name: "an unknown policy",
      options: { propagationPolicy: "Sideways" as "Orphan" },
      message: 'supported values: "Foreground", "Background", "Orphan", "nil"',
    },
  ])("refuses $name", async ({ options, message }) => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    expect(await refusal(api.remove("configmaps", "a", options))).toMatchObject({ code: 422, message: expect.stringContaining(message) });
  });
});

describe("checklist 42: preconditions", () => {
  it.each([
    { name: "uid", of: () => ({ uid: "other" }), message: "the UID in the precondition (other) does not match the UID in record" },
    {
      name: "resourceVersion",
      of: () => ({ resourceVersion: "5" }),
      message: "the ResourceVersion in the precondition (5) does not match the ResourceVersion in record",
    },
  ])("a wrong $name is a conflict", async ({ of, message }) => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    expect(await refusal(api.remove("configmaps", "a", { preconditions: of() }))).toMatchObject({
      code: 409,
      reason: "Conflict",
      message: expect.stringContaining(message),
      details: { name: "a", kind: "ConfigMap" },
    });
    expect(await api.exists("configmaps", "a")).toBe(true);
  });

  it("right ones delete", async () => {
    const api = await aRegistry();
    const { metadata } = await api.create("configmaps", aConfigMap("a"));
    const { uid, resourceVersion } = metadata;
    expect(await api.remove("configmaps", "a", { preconditions: { uid, resourceVersion } })).toMatchObject({ type: "deleted" });
  });
});

describe("checklist 43: graceful deletion of Pods", () => {
  it("sets when the Pod has to be gone", async () => {
    const api = await runningPod();
    const { type, object } = await api.remove("pods", "p");
    expect(type).toBe("marked");
    expect(object.metadata).toMatchObject({ deletionTimestamp: "2026-01-01T00:00:30Z", deletionGracePeriodSeconds: 30, generation: 2 });
  });

  it.each([
    { name: "one that waits for a node", spec: {}, status: undefined },
    { name: "one that succeeded", spec: { nodeName: "n" }, status: { phase: "Succeeded" } },
    { name: "one that failed", spec: { nodeName: "n" }, status: { phase: "Failed" } },
  ])("removes $name at once", async ({ spec, status }) => {
    const api = await aRegistry();
    await api.create("pods", aPodBody("p", spec));
    if (status) await api.patch("pods", "p", { type: "merge", body: { status } }, { subresource: "status" });
    expect((await api.remove("pods", "p")).type).toBe("deleted");
  });

  it("a second deletion can only shorten it", async () => {
    const api = await runningPod();
    const first = await api.remove("pods", "p");
    const longer = await api.remove("pods", "p", { gracePeriodSeconds: 60 });
    expect(longer.object).toEqual(first.object);
    await api.clock.advance(2_000);
    const shorter = await api.remove("pods", "p", { gracePeriodSeconds: 10 });
    expect(shorter.object.metadata).toMatchObject({
      deletionTimestamp: "2026-01-01T00:00:10Z",
      deletionGracePeriodSeconds: 10,
      generation: 2,
    });
  });

  it("shortening never moves the deadline into the past", async () => {
    const api = await runningPod();
    await api.remove("pods", "p");
    await api.clock.advance(20_000);
    const { object } = await api.remove("pods", "p", { gracePeriodSeconds: 5 });
    expect(object.metadata).toMatchObject({ deletionTimestamp: "2026-01-01T00:00:20Z", deletionGracePeriodSeconds: 1 });
  });

  it("grace 0 removes", async () => {
    const api = await runningPod();
    await api.remove("pods", "p");
    expect((await api.remove("pods", "p", { gracePeriodSeconds: 0 })).type).toBe("deleted");
    expect(await api.exists("pods", "p")).toBe(false);
  });

  it("is not for other kinds", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    expect((await api.remove("configmaps", "a", { gracePeriodSeconds: 60 })).type).toBe("deleted");
  });
});

describe("checklist 44: finalizers", () => {
  it("hold what is deleted: it is marked, and watchers see a change", async () => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a", {}, { finalizers: [waiting] }));
    const watch = await api.watch("configmaps", { resourceVersion: made.metadata.resourceVersion });
    const { type, object } = await api.remove("configmaps", "a");
    expect(type).toBe("marked");
    expect(object.metadata).toMatchObject({ deletionTimestamp: "2026-01-01T00:00:00Z", deletionGracePeriodSeconds: 0 });
    await api.patch("configmaps", "a", { type: "merge", body: { metadata: { finalizers: null } } });
    await api.clock.advance(2_000);
    expect(watch.said).toEqual(["MODIFIED a", "DELETED a"]);
    await watch.stop();
    expect(await api.exists("configmaps", "a")).toBe(false);
  });

  it("deleting again changes nothing", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a", {}, { finalizers: [waiting] }));
    const first = await api.remove("configmaps", "a");
    await api.clock.advance(5_000);
    expect((await api.remove("configmaps", "a")).object.metadata.resourceVersion).toBe(first.object.metadata.resourceVersion);
  });

  it("none can be added once the deletion has begun", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a", {}, { finalizers: [waiting] }));
    await api.remove("configmaps", "a");
    const body = { metadata: { finalizers: [waiting, "example.com/more"] } };
    expect(await refusal(api.patch("configmaps", "a", { type: "merge", body }))).toMatchObject({
      code: 422,
      message: expect.stringContaining("no new finalizers can be added if the object is being deleted"),
    });
  });

  it("and grace periods both have to pass", async () => {
    const api = await runningPod({ finalizers: [waiting] });
    expect((await api.remove("pods", "p")).object.metadata.deletionGracePeriodSeconds).toBe(30);
    // The grace period is not over: the last finalizer's removal does not delete.
    await api.patch("pods", "p", { type: "merge", body: { metadata: { finalizers: null } } });
    expect(await api.exists("pods", "p")).toBe(true);
    expect((await api.remove("pods", "p", { gracePeriodSeconds: 0 })).type).toBe("deleted");
  });

  it("grace 0 leaves what a finalizer holds", async () => {
    const api = await runningPod({ finalizers: [waiting] });
    await api.remove("pods", "p");
    const { type, object } = await api.remove("pods", "p", { gracePeriodSeconds: 0 });
    expect([type, object.metadata.deletionGracePeriodSeconds]).toEqual(["marked", 0]);
    await api.patch("pods", "p", { type: "merge", body: { metadata: { finalizers: null } } });
    expect(await api.exists("pods", "p")).toBe(false);
  });
});

describe("checklist 45: propagation", () => {
  it.each([
    { options: {}, finalizers: undefined },
    { options: { propagationPolicy: "Background" }, finalizers: undefined },
    { options: { propagationPolicy: "Foreground" }, finalizers: ["foregroundDeletion"] },
    { options: { propagationPolicy: "Orphan" }, finalizers: ["orphan"] },
    { options: { orphanDependents: true }, finalizers: ["orphan"] },
    { options: { orphanDependents: false }, finalizers: undefined },
  ] as const)("$options leaves $finalizers to the garbage collector", async ({ options, finalizers }) => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const { type, object } = await api.remove("configmaps", "a", options);
    expect(type).toBe(finalizers ? "marked" : "deleted");
    expect(object.metadata.finalizers).toEqual(finalizers);
  });

  it("a finalizer that is there decides when nothing is said", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a", {}, { finalizers: ["orphan"] }));
    expect((await api.remove("configmaps", "a")).object.metadata.finalizers).toEqual(["orphan"]);
    await api.create("configmaps", aConfigMap("b", {}, { finalizers: ["orphan"] }));
    expect((await api.remove("configmaps", "b", { propagationPolicy: "Background" })).type).toBe("deleted");
  });
});

describe("checklist 47: deletecollection", () => {
  it("deletes what is selected and answers the list as it was before", async () => {
    const api = await aRegistry();
    for (const name of ["a", "b", "c"]) await api.create("configmaps", aConfigMap(name, {}, { labels: { first: String(name === "a") } }));
    const which = { namespace: "default", labelSelector: "first=false", fieldSelector: "" };
    const before = await api.list("configmaps", which);
    const gone = await api.registry.deleteCollection(await api.kind("configmaps"), which, { dryRun: false }, context());
    expect(gone.items.map(({ metadata }) => metadata.name)).toEqual(["b", "c"]);
    expect(gone).toEqual(before);
    expect((await api.list("configmaps")).items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
  });

  it("of a page deletes that page, and says how the list goes on", async () => {
    const api = await aRegistry();
    for (const name of ["a", "b", "c"]) await api.create("configmaps", aConfigMap(name));
    const which = { namespace: "default", labelSelector: "", fieldSelector: "", limit: 2 };
    const gone = await api.registry.deleteCollection(await api.kind("configmaps"), which, { dryRun: false }, context());
    expect(gone).toMatchObject({ resourceVersion: expect.stringMatching(/^[1-9]/u), remainingItemCount: 1, continue: expect.any(String) });
    expect((await api.list("configmaps")).items.map(({ metadata }) => metadata.name)).toEqual(["c"]);
  });
});

describe("checklist 48: namespaces", () => {
  it("are labelled with their name and held by a finalizer in their spec", async () => {
    const api = await aRegistry();
    expect(await api.create("namespaces", { metadata: { name: "n" } })).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "n" } },
      spec: { finalizers: ["kubernetes"] },
      status: { phase: "Active" },
    });
    const generated = await api.create("namespaces", { metadata: { generateName: "g-" } });
    expect(generated.metadata.labels).toEqual({ "kubernetes.io/metadata.name": generated.metadata.name });
  });

  it("terminate until the finalizer is taken away through /finalize", async () => {
    const api = await aRegistry();
    await api.create("namespaces", { metadata: { name: "n" } });
    const { type, object } = await api.remove("namespaces", "n");
    expect(type).toBe("marked");
    expect(object).toMatchObject({ status: { phase: "Terminating" }, metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } });
    expect((await api.remove("namespaces", "n")).object).toEqual(object);

    // Not through the object itself.
    const tried = await api.update("namespaces", { ...object, spec: { finalizers: [] } });
    expect(tried).toMatchObject({ spec: { finalizers: ["kubernetes"] } });
    await api.update("namespaces", { ...tried, spec: { finalizers: [] } }, { subresource: "finalize" });
    expect(await api.exists("namespaces", "n")).toBe(false);
  });

  it("stay while their own metadata names a finalizer", async () => {
    const api = await aRegistry();
    await api.create("namespaces", { metadata: { name: "n", finalizers: [waiting] } });
    const { object } = await api.remove("namespaces", "n");
    await api.update("namespaces", { ...object, spec: { finalizers: [] } }, { subresource: "finalize" });
    expect(await api.exists("namespaces", "n")).toBe(true);
    await api.patch("namespaces", "n", { type: "merge", body: { metadata: { finalizers: null } } });
    expect(await api.exists("namespaces", "n")).toBe(false);
  });
});
