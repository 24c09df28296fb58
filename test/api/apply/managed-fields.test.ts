import { describe, expect, it } from "vitest";
import { FieldSet } from "../../../shared/api/apply/field-set.ts";
import { applyConfiguration, type Operation, trackUpdate } from "../../../shared/api/apply/managed-fields.ts";
import { builtinSchema } from "../../../shared/api/builtin-schemas.ts";
import type { JsonObject, ManagedFieldsEntry } from "../../../shared/api/objects.ts";
import type { SchemaNode } from "../../../shared/api/schema.ts";

const schema = builtinSchema("io.k8s.api.apps.v1.Deployment");
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";
const noon = new Date("2026-11-20T12:00:00Z");
const later = new Date("2026-11-20T12:05:00Z");

const by = (manager: string, more: Partial<Operation> = {}): Operation => ({
  schema,
  manager,
  apiVersion: "apps/v1",
  subresource: "",
  now: noon,
  ...more,
});
const applyBy = (manager: string, live: JsonObject | undefined, config: JsonObject, more: Partial<Operation> & { force?: boolean } = {}) =>
  applyConfiguration(live, { object: config, sent: config }, { ...by(manager, more), force: more.force ?? false });

const deployment = (spec: JsonObject = {}, labels?: Record<string, string>): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "web", ...(labels && { labels }) },
  spec,
});
const container = (name: string, image: string, more: JsonObject = {}) => ({ name, image, ...more });
const withContainers = (...containers: JsonObject[]) => deployment({ template: { spec: { containers } } });
const imageField = (name: string) =>
  `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\\"name\\":\\"${name}\\"}":{".":{},"f:image":{},"f:name":{}}}}}}}`;
const entries = (object: JsonObject) => (object.metadata as JsonObject).managedFields as ManagedFieldsEntry[];
const owned = (object: JsonObject, manager: string) => JSON.stringify(entries(object).find((entry) => entry.manager === manager)?.fieldsV1);

describe("checklist 38: managed fields on every write", () => {
  it("give a creation's fields to its manager", () => {
    const created = trackUpdate(undefined, withContainers(container("web", "web:1")), by("kubectl-create"));
    expect(entries(created)[0]).toMatchObject({
      manager: "kubectl-create",
      operation: "Update",
      apiVersion: "apps/v1",
      time: "2026-11-20T12:00:00Z",
      fieldsType: "FieldsV1",
    });
    expect(owned(created, "kubectl-create")).toBe(imageField("web"));
  });

  it("lose what was below a part that becomes null, and keep the part", () => {
    const config: SchemaNode = { type: "map", values: { type: "scalar", scalar: "string" }, atomic: false, nullable: true };
    const fields = new Map([["config", config]]);
    const operation = by("one", { schema: { type: "object", fields, required: new Set(), preserveUnknown: false, atomic: false } });
    const object = (value: JsonObject | null) => ({ apiVersion: "x.y/v1", kind: "Z", metadata: { name: "a" }, config: value });
    const created = trackUpdate(undefined, object({ k: "v" }), operation);
    expect(owned(created, "one")).toBe('{"f:config":{".":{},"f:k":{}}}');
    const cleared = trackUpdate(created, { ...created, config: null }, operation);
    expect(owned(cleared, "one")).toBe('{"f:config":{}}');
    const filled = trackUpdate(cleared, { ...cleared, config: { l: "w" } }, operation);
    expect(owned(filled, "one")).toBe('{"f:config":{".":{},"f:l":{}}}');
  });

  it("do not name what Go always writes and nobody filled", () => {
    const bare = { ...deployment({ template: { metadata: {}, spec: { containers: [] } } }), status: {} };
    expect(entries(trackUpdate(undefined, bare, by("one")))).toBeUndefined();
    const role = trackUpdate(undefined, { rules: [] }, by("one", { schema: builtinSchema("io.k8s.api.rbac.v1.ClusterRole") }));
    expect(entries(role)).toBeUndefined();
    const event = { involvedObject: { kind: "Pod" }, source: {}, reportingComponent: "", reportingInstance: "" };
    const tracked = trackUpdate(undefined, event, by("one", { schema: builtinSchema("io.k8s.api.core.v1.Event") }));
    expect(owned(tracked, "one")).toBe('{"f:involvedObject":{}}');
  });

  it("name it where somebody filled it, though an object before had nothing there", () => {
    const roleBy = by("one", { schema: builtinSchema("io.k8s.api.rbac.v1.Role") });
    const rule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
    const role = (rules: JsonObject[]) => ({ metadata: { labels: { app: "web" } }, rules });
    expect(owned(trackUpdate(undefined, role([]), roleBy), "one")).not.toContain("f:rules");
    expect(owned(trackUpdate(undefined, role([rule]), roleBy), "one")).toContain("f:rules");
  });

  it("name it within what was not there before: an item of a list, a part that may be absent", () => {
    const container = { name: "web", resources: { limits: { cpu: "1" } } };
    const created = trackUpdate(undefined, withContainers(container), by("one"));
    expect(owned(created, "one")).toContain('"f:resources":{".":{},"f:limits":{".":{},"f:cpu":{}}}');
    const template = { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "web" }] } };
    const controller = builtinSchema("io.k8s.api.core.v1.ReplicationController");
    const replicated = trackUpdate(undefined, { spec: { template } }, by("one", { schema: controller }));
    expect(owned(replicated, "one")).toBe(
      '{"f:spec":{"f:template":{".":{},"f:metadata":{".":{},"f:labels":{".":{},"f:a":{}}},"f:spec":{".":{},"f:containers":{".":{},"k:{\\"name\\":\\"web\\"}":{".":{},"f:name":{}}}}}}}',
    );
  });

  it("know no fields of an object of another kind within", () => {
    const revision = { revision: 1, data: { spec: { template: {} } } };
    const tracked = trackUpdate(undefined, revision, by("one", { schema: builtinSchema("io.k8s.api.apps.v1.ControllerRevision") }));
    expect(owned(tracked, "one")).toBe('{"f:data":{},"f:revision":{}}');
  });

  it("move a changed field to whoever changed it", () => {
    const created = trackUpdate(undefined, deployment({ replicas: 1, paused: true }), by("one"));
    const updated = trackUpdate(created, { ...created, spec: { replicas: 2, paused: true } }, by("two", { now: later }));
    expect(owned(updated, "one")).toBe('{"f:spec":{"f:paused":{}}}');
    expect(owned(updated, "two")).toBe('{"f:spec":{"f:replicas":{}}}');
  });

  it("take removed fields from everybody", () => {
    const created = trackUpdate(undefined, deployment({ replicas: 1, paused: true }), by("one"));
    const { metadata, ...rest } = created;
    const updated = trackUpdate(created, { ...rest, metadata, spec: { replicas: 1 } }, by("two"));
    expect(owned(updated, "one")).toBe('{"f:spec":{"f:replicas":{}}}');
  });

  it("take a removed field from everybody, though every object seems to have one of that name", () => {
    const created = trackUpdate(undefined, deployment({}, { app: "web", constructor: "me" }), by("one"));
    const { metadata, ...rest } = created;
    const updated = trackUpdate(created, { ...rest, metadata: { ...(metadata as JsonObject), labels: { app: "web" } } }, by("two"));
    expect(entries(updated).map(({ manager }) => manager)).toEqual(["one"]);
    expect(owned(updated, "one")).not.toContain("constructor");
  });

  it("are the same whether a client sends them back or not", () => {
    const created = trackUpdate(undefined, deployment({ replicas: 1, paused: true }), by("one"));
    const sentBack = JSON.parse(JSON.stringify(created)) as JsonObject;
    const change = (object: JsonObject) => trackUpdate(created, { ...object, spec: { replicas: 2, paused: true } }, by("two"));
    expect(JSON.stringify(change(sentBack))).toBe(JSON.stringify(change(created)));
  });

  it("are those of the object's own, whatever its labels are called", () => {
    const labels: Record<string, string>[] = [
      { a: "", b: "" },
      { "a 1:b": "" },
      { "1:a 1:b": "" },
      { "a {1:b": "" },
      { "a }": "" },
      { a: "", "}": "" },
    ];
    for (const names of [...labels, ...labels]) {
      const { fieldsV1 } = entries(trackUpdate(undefined, deployment({}, names), by("one")))[0] ?? {};
      const { "f:metadata": metadata } = fieldsV1 as { "f:metadata": { "f:labels": JsonObject } };
      expect(Object.keys(metadata["f:labels"])).toEqual([".", ...Object.keys(names).map((name) => `f:${name}`)].toSorted());
    }
  });

  it("of two objects with the same fields are one, so that a thousand Pods of a template hold one", () => {
    const [one, two] = ["one", "two"].map((image) => trackUpdate(undefined, withContainers(container("web", image)), by("ci")));
    expect(entries(one as JsonObject)[0]?.fieldsV1).toBe(entries(two as JsonObject)[0]?.fieldsV1);
  });

  it("keep the time of a write that changes nothing", () => {
    const created = trackUpdate(undefined, deployment({ replicas: 1 }), by("one"));
    expect(trackUpdate(created, created, by("one", { now: later }))).toEqual(created);
  });

  it("are cleared by [{}]", () => {
    const created = trackUpdate(undefined, deployment({ replicas: 1 }), by("one"));
    const cleared = trackUpdate(created, { ...created, metadata: { name: "web", managedFields: [{}] } }, by("one"));
    expect(entries(cleared)).toBeUndefined();
  });

  it("stay cleared until somebody applies, who finds everything owned before him", () => {
    const created = trackUpdate(undefined, deployment({ replicas: 1 }), by("one"));
    const cleared = trackUpdate(created, { ...created, metadata: { name: "web", managedFields: [{}] } }, by("one"));
    const updated = trackUpdate(cleared, { ...cleared, spec: { replicas: 2 } }, by("one"));
    expect(entries(updated)).toBeUndefined();
    expect(() => applyBy("ci", updated, deployment({ replicas: 5 }))).toThrow(
      'Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1: .spec.replicas',
    );
  });

  it("are not taken from the body of a subresource", () => {
    const created = trackUpdate(undefined, deployment({ replicas: 1 }), by("one"));
    const sent = { ...created, metadata: { name: "web", managedFields: [{}] } };
    expect(entries(trackUpdate(created, sent, by("two", { subresource: "status" })))).toEqual(entries(created));
  });

  it("merge the oldest of more than ten update managers", () => {
    let object = deployment({});
    for (let index = 0; index < 14; index++) {
      const metadata = object.metadata as JsonObject;
      const labels = { ...(metadata.labels as object), [`l${index}`]: "x" };
      object = trackUpdate(
        index === 0 ? undefined : object,
        { ...object, metadata: { ...metadata, labels } },
        by(`m${index}`, { now: new Date(noon.getTime() + index * 1000) }),
      );
    }
    const names = entries(object).map(({ manager }) => manager);
    expect(names).toHaveLength(10);
    expect(names).toContain("ancient-changes");
    expect(owned(object, "ancient-changes")).toContain("f:l0");
  });

  it("leave the status to /status", () => {
    const ignored = FieldSet.of([["f:status"]]);
    const created = trackUpdate(undefined, { ...deployment({ replicas: 1 }), status: { replicas: 3 } }, by("one", { ignored }));
    expect(owned(created, "one")).toBe('{"f:spec":{"f:replicas":{}}}');
  });
});

describe("checklist 38: server-side apply", () => {
  it("creates and owns exactly what the configuration names", () => {
    const { object, changed } = applyBy("ci", undefined, withContainers(container("web", "web:1")));
    expect(changed).toBe(true);
    expect(entries(object)[0]).toMatchObject({ manager: "ci", operation: "Apply" });
    expect(owned(object, "ci")).toBe(imageField("web"));
  });

  it("changes nothing when applied again", () => {
    const { object } = applyBy("ci", undefined, withContainers(container("web", "web:1")));
    const again = applyBy("ci", object, withContainers(container("web", "web:1")), { now: later });
    expect(again.changed).toBe(false);
    expect(again.object).toEqual(object);
  });

  it("merges list items by key and keeps those of others", () => {
    const { object } = applyBy("ci", undefined, withContainers(container("web", "web:1")));
    const both = applyBy("mesh", object, withContainers(container("proxy", "proxy:1")));
    expect((both.object.spec as any).template.spec.containers).toEqual([container("web", "web:1"), container("proxy", "proxy:1")]);
  });

  it("removes what its manager no longer names, unless somebody else owns it", () => {
    const first = applyBy("ci", undefined, deployment({ replicas: 2, paused: true }, { a: "1", b: "2" })).object;
    const shared = applyBy("other", first, deployment({}, { a: "1" })).object;
    const { object } = applyBy("ci", shared, deployment({ replicas: 2 }));
    expect(object.spec).toEqual({ replicas: 2 });
    expect((object.metadata as JsonObject).labels).toEqual({ a: "1" });
  });

  it("removes an object of which nothing is named any more, with the defaults in it", () => {
    const strategy = { rollingUpdate: { maxSurge: 1 } };
    const first = applyBy("ci", undefined, deployment({ strategy, replicas: 2 })).object;
    const defaulted = { ...first, spec: { strategy: { ...strategy, type: "RollingUpdate" }, replicas: 2 } };
    expect(applyBy("ci", defaulted, deployment({ replicas: 2 })).object.spec).toEqual({ replicas: 2 });
  });

  it("leaves a list or an object as it is where the configuration has null for it", () => {
    const first = applyBy("ci", undefined, withContainers(container("web", "web:1"))).object;
    const { object } = applyBy("other", first, deployment({ template: { spec: { containers: null } } }));
    expect(object.spec).toEqual(first.spec);
    expect(owned(object, "other")).toBe('{"f:spec":{"f:template":{"f:spec":{"f:containers":{}}}}}');
  });

  it("owns the keys of a map, and fields that no schema declares, as it owns items of lists", () => {
    const free: SchemaNode = {
      type: "object",
      fields: new Map([["spec", { type: "any" }]]),
      required: new Set(),
      preserveUnknown: true,
      atomic: false,
    };
    const { object } = applyBy("ci", undefined, { metadata: {}, spec: { a: { b: 1 } } }, { schema: free });
    expect(owned(object, "ci")).toBe('{"f:spec":{"f:a":{".":{},"f:b":{}}}}');
  });

  it("removes a list item that it alone owned", () => {
    const first = applyBy("ci", undefined, withContainers(container("web", "web:1"), container("old", "old:1"))).object;
    const { object } = applyBy("ci", first, withContainers(container("web", "web:1")));
    expect((object.spec as any).template.spec.containers).toEqual([container("web", "web:1")]);
  });

  it("refuses to change what somebody else owns, and says whose and which", () => {
    const live = trackUpdate(undefined, deployment({ replicas: 1 }), by("kubectl-scale"));
    expect(() => applyBy("ci", live, deployment({ replicas: 5 }))).toThrow(
      expect.objectContaining({
        reason: "Conflict",
        message: 'Apply failed with 1 conflict: conflict with "kubectl-scale" using apps/v1: .spec.replicas',
        details: {
          causes: [{ reason: "FieldManagerConflict", message: 'conflict with "kubectl-scale" using apps/v1', field: ".spec.replicas" }],
        },
      }),
    );
  });

  it("lists more than one conflict below whoever owns the fields", () => {
    const { object: one } = applyBy("one", undefined, deployment({ replicas: 1, paused: true }));
    const { object: live } = applyBy("another", one, deployment({ minReadySeconds: 1 }));
    expect(() => applyBy("ci", live, deployment({ replicas: 5, paused: false, minReadySeconds: 2 }))).toThrow(
      'Apply failed with 3 conflicts: conflicts with "another":\n- .spec.minReadySeconds\nconflicts with "one":\n- .spec.paused\n- .spec.replicas',
    );
  });

  it("owns empty objects and nulls that its configuration names", () => {
    const { object } = applyBy("ci", undefined, { ...deployment({}, {}), spec: { template: null } });
    expect(owned(object, "ci")).toBe('{"f:metadata":{"f:labels":{}},"f:spec":{"f:template":{}}}');
  });

  it("raises no conflict over what its endpoint ignores", () => {
    const live = applyBy("one", undefined, deployment({ replicas: 1 })).object;
    const ignored = FieldSet.of([["f:spec"]]);
    const config = { ...deployment({ replicas: 5 }), status: { observedGeneration: 1 } };
    const { object } = applyBy("two", live, config, { ignored, subresource: "status" });
    expect(owned(object, "two")).toBe('{"f:status":{"f:observedGeneration":{}}}');
    expect(owned(object, "one")).toBe('{"f:spec":{"f:replicas":{}}}');
  });

  it("takes it over by force", () => {
    const live = trackUpdate(undefined, deployment({ replicas: 1 }), by("kubectl-scale"));
    const { object } = applyBy("ci", live, deployment({ replicas: 5 }), { force: true });
    expect(object.spec).toEqual({ replicas: 5 });
    expect(owned(object, "kubectl-scale")).toBeUndefined();
  });

  it("shares a field that both want alike", () => {
    const live = applyBy("one", undefined, deployment({ replicas: 1 })).object;
    const { object } = applyBy("two", live, deployment({ replicas: 1 }));
    expect(new Set(entries(object).map(({ manager }) => manager))).toEqual(new Set(["one", "two"]));
  });

  it("dates changes of the object alone, not who owns it", () => {
    const live = applyBy("one", undefined, deployment({ replicas: 1, paused: true })).object;
    const times = (object: JsonObject) => entries(object).map(({ manager, time }) => `${manager} ${time}`);
    const shared = applyBy("two", live, deployment({ replicas: 1 }), { now: later }).object;
    expect(times(shared)).toEqual(["two undefined", "one 2026-11-20T12:00:00Z"]);
    const changed = applyBy("two", shared, deployment({ replicas: 1, minReadySeconds: 1 }), { now: later }).object;
    expect(times(changed)).toEqual(["one 2026-11-20T12:00:00Z", "two 2026-11-20T12:05:00Z"]);
  });

  it("raises no conflict for kubectl over its own client-side apply (trap 12)", () => {
    const config = deployment({ replicas: 1 });
    const annotations = { "kubectl.kubernetes.io/last-applied-configuration": JSON.stringify(config) };
    const live = trackUpdate(undefined, { ...config, metadata: { name: "web", annotations } }, by("kubectl-client-side-apply"));
    const { object } = applyBy("kubectl", live, deployment({ replicas: 2 }));
    expect(object.spec).toEqual({ replicas: 2 });
    expect(() => applyBy("somebody", live, deployment({ replicas: 2 }))).toThrow(/conflict/);
  });

  it("raises one for kubectl over what somebody else changed since its client-side apply", () => {
    const config = deployment({ replicas: 1 });
    const annotations = { [lastApplied]: JSON.stringify(config) };
    const live = trackUpdate(undefined, { ...config, metadata: { name: "web", annotations } }, by("kubectl-client-side-apply"));
    const scaled = trackUpdate(live, { ...live, spec: { replicas: 7 } }, by("scaler"));
    expect(() => applyBy("kubectl", scaled, deployment({ replicas: 2 }))).toThrow(/conflict with "scaler"/);
  });

  it("keeps the annotation of client-side apply in step for kubectl alone", () => {
    const config = deployment({ replicas: 1 });
    const annotations = { [lastApplied]: JSON.stringify(config) };
    const live = trackUpdate(undefined, { ...config, metadata: { name: "web", annotations } }, by("kubectl-client-side-apply"));
    const annotation = (object: JsonObject) => ((object.metadata as JsonObject).annotations as JsonObject)[lastApplied];
    const { object } = applyBy("kubectl", live, deployment({ replicas: 2 }, { a: "1" }));
    expect(annotation(object)).toBe(
      '{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"labels":{"a":"1"},"name":"web"},"spec":{"replicas":2}}\n',
    );
    expect(annotation(applyBy("ci", live, deployment({ paused: true })).object)).toBe(JSON.stringify(config));
  });

  it("refuses a configuration with managedFields", () => {
    expect(() => applyBy("ci", undefined, { ...deployment(), metadata: { name: "web", managedFields: [{ manager: "x" }] } })).toThrow(
      /managedFields must be nil/,
    );
  });
});
