import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../shared/api/objects.ts";
import { aConfigMap, aRegistry, context, refusal, type TestRegistry } from "../support/registry.ts";

const cronTabSchema: JsonObject = {
  type: "object",
  required: ["spec"],
  properties: {
    spec: {
      type: "object",
      required: ["cronSpec"],
      properties: {
        cronSpec: { type: "string", pattern: "^\\S+( \\S+)*$", maxLength: 20 },
        replicas: { type: "integer", minimum: 1, maximum: 10, default: 1 },
        mode: { type: "string", enum: ["fast", "slow"] },
        port: { "x-kubernetes-int-or-string": true },
        note: { type: "string", nullable: true },
        plain: { type: "string", default: "x" },
        free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
        labels: { type: "object", additionalProperties: { type: "string" } },
        hosts: {
          type: "array",
          "x-kubernetes-list-type": "map",
          "x-kubernetes-list-map-keys": ["name"],
          items: { type: "object", required: ["name"], properties: { name: { type: "string" }, weight: { type: "number", default: 1 } } },
        },
        until: { type: "string", format: "date-time" },
      },
    },
    status: { type: "object", properties: { replicas: { type: "integer" }, labelSelector: { type: "string" } } },
  },
};

interface DefinitionOptions {
  readonly versions?: readonly JsonObject[];
  readonly names?: JsonObject;
  readonly group?: string;
}

const version = (extra: JsonObject = {}): JsonObject => ({
  name: "v1",
  served: true,
  storage: true,
  schema: { openAPIV3Schema: cronTabSchema },
  subresources: {
    status: {},
    scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas", labelSelectorPath: ".status.labelSelector" },
  },
  ...extra,
});

const definition = ({ versions = [version()], names = {}, group = "stable.example.com" }: DefinitionOptions = {}): JsonObject => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `${(names.plural as string) ?? "crontabs"}.${group}` },
  spec: { group, scope: "Namespaced", names: { plural: "crontabs", kind: "CronTab", shortNames: ["ct"], ...names }, versions },
});

const definitions = "customresourcedefinitions.apiextensions.k8s.io";
const crontabs = "crontabs.stable.example.com";

const cronTab = (name: string, spec: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
  apiVersion: "stable.example.com/v1",
  kind: "CronTab",
  metadata: { name },
  spec: { cronSpec: "* * *", ...spec },
  ...more,
});

async function withCronTabs(options: DefinitionOptions = {}): Promise<TestRegistry> {
  const api = await aRegistry();
  await api.create(definitions, definition(options));
  return api;
}

describe("checklist 60: a CustomResourceDefinition", () => {
  it("is accepted and established in the write that makes it", async () => {
    const api = await aRegistry();
    const made = await api.create(definitions, definition());
    expect(made).toMatchObject({
      metadata: { generation: 1 },
      status: {
        acceptedNames: { plural: "crontabs", singular: "crontab", kind: "CronTab", listKind: "CronTabList", shortNames: ["ct"] },
        storedVersions: ["v1"],
        conditions: [
          { type: "NamesAccepted", status: "True", reason: "NoConflicts" },
          { type: "Established", status: "True", reason: "InitialNamesAccepted" },
        ],
      },
    });
  });

  it("makes a kind in the catalog, which then has another version", async () => {
    const api = await aRegistry();
    const before = await api.registry.catalog("test", { fresh: true });
    expect(before.byResource("stable.example.com", "v1", "crontabs")).toBeUndefined();
    await api.create(definitions, definition());
    const after = await api.registry.catalog("test", { fresh: true });
    expect(after.version).not.toBe(before.version);
    expect(after.byKind("stable.example.com", "v1", "CronTab")).toMatchObject({
      plural: "crontabs",
      singular: "crontab",
      listKind: "CronTabList",
      namespaced: true,
      storage: "crontabs.stable.example.com",
      definition: "com.example.stable.v1.CronTab",
      subresources: [{ name: "status" }, { name: "scale", group: "autoscaling", kind: "Scale" }],
    });
  });

  it("serves the versions that say so", async () => {
    const api = await withCronTabs({
      versions: [version(), version({ name: "v2", storage: false }), version({ name: "v3", storage: false, served: false })],
    });
    const kinds = (await api.registry.catalog("test", { fresh: true })).all().filter(({ custom }) => custom);
    expect(kinds.map((kind) => kind.version)).toEqual(["v1", "v2"]);
  });

  it("does not get names that another has", async () => {
    const api = await withCronTabs();
    const other = await api.create(definitions, definition({ names: { plural: "others", shortNames: ["ct"], kind: "Other" } }));
    expect(other).toMatchObject({
      status: {
        conditions: [
          { type: "NamesAccepted", status: "False", reason: "ShortNamesConflict", message: '"ct" is already in use' },
          { type: "Established", status: "False", reason: "NotAccepted" },
        ],
      },
    });
    const catalog = await api.registry.catalog("test", { fresh: true });
    expect(catalog.byResource("stable.example.com", "v1", "others")).toBeUndefined();
  });

  it.each([
    { name: "another name than plural.group", change: { metadata: { name: "other" } }, field: "metadata.name" },
    {
      name: "a version without a schema",
      change: { spec: { versions: [{ name: "v1", served: true, storage: true }] } },
      field: "spec.versions[0].schema.openAPIV3Schema",
    },
    {
      name: "a schema without a type",
      change: { spec: { versions: [version({ schema: { openAPIV3Schema: { properties: { spec: { type: "object" } } } } })] } },
      field: "spec.validation.openAPIV3Schema.type",
    },
    { name: "two stored versions", change: { spec: { versions: [version(), version({ name: "v2" })] } }, field: "spec.versions" },
  ])("is refused with $name", async ({ change, field }) => {
    const api = await aRegistry();
    const body = definition();
    const { metadata, spec } = change as { metadata?: JsonObject; spec?: JsonObject };
    const status = await refusal(
      api.create(definitions, { ...body, ...(metadata && { metadata }), spec: { ...(body.spec as object), ...spec } }),
    );
    expect(status.code).toBe(422);
    expect(status.details?.causes?.map((cause) => cause.field)).toContain(field);
  });

  it("keeps the versions that objects are stored in", async () => {
    const api = await withCronTabs({ versions: [version(), version({ name: "v2", storage: false })] });
    const moved = [version({ storage: false }), version({ name: "v2" })];
    const changed = await api.patch(definitions, crontabs, { type: "merge", body: { spec: { versions: moved } } });
    expect(changed).toMatchObject({ status: { storedVersions: ["v1", "v2"] } });
    const status = await refusal(
      api.patch(definitions, crontabs, { type: "merge", body: { spec: { versions: [version({ name: "v2" })] } } }),
    );
    expect(status.details?.causes?.map(({ field }) => field)).toContain("status.storedVersions[0]");
  });

  it("warns of formats that nobody knows, once", async () => {
    const api = await aRegistry();
    const warnings: string[] = [];
    const schema = { type: "object", properties: { spec: { type: "object", properties: { a: { type: "string", format: "strange" } } } } };
    await api.create(definitions, definition({ versions: [version({ schema: { openAPIV3Schema: schema } })] }), { warnings });
    expect(warnings).toEqual(['unrecognized format "strange"']);
    await api.patch(definitions, crontabs, { type: "merge", body: { metadata: { labels: { a: "b" } } } }, { warnings });
    expect(warnings).toHaveLength(1);
  });

  it("is refused with a group of the Kubernetes community that nobody approved", async () => {
    const api = await aRegistry();
    const status = await refusal(api.create(definitions, definition({ group: "stable.k8s.io" })));
    expect(status.details?.causes?.map(({ field }) => field)).toEqual(["metadata.annotations[api-approved.kubernetes.io]"]);
  });
});

describe("checklist 60: an established CustomResourceDefinition", () => {
  it("keeps its scope, kind, group and plural", async () => {
    const api = await withCronTabs();
    const fixed = ["spec.scope", "spec.names.kind", "spec.group", "spec.names.plural"];
    const body = { spec: { scope: "Cluster", group: "other.example.com", names: { kind: "Other", plural: "others" } } };
    const { details } = await refusal(api.patch(definitions, crontabs, { type: "merge", body }));
    expect(details?.causes?.map(({ field, message }) => `${field} ${message}`)).toEqual(
      fixed.map((field) => expect.stringMatching(new RegExp(`^${field} .*field is immutable$`))),
    );
  });
});

describe("checklist 60: a custom resource", () => {
  it("is pruned, defaulted and stored with all its text", async () => {
    const api = await withCronTabs();
    const made = await api.create(crontabs, cronTab("a", { unknown: 1, port: "http", free: { any: { thing: [1] } }, labels: { a: "b" } }));
    expect(made.spec).toEqual({
      cronSpec: "* * *",
      replicas: 1,
      plain: "x",
      port: "http",
      free: { any: { thing: [1] } },
      labels: { a: "b" },
    });
    expect(made.metadata.generation).toBe(1);
    expect(await api.get(crontabs, "a")).toEqual(made);
  });

  it("keeps numbers that a double cannot hold", async () => {
    const api = await withCronTabs();
    const big = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON("9007199254740993");
    const made = await api.create(crontabs, cronTab("a", { free: { big } }));
    expect(JSON.stringify(made.spec)).toContain('"big":9007199254740993');
  });

  it("drops nulls that a field cannot hold, and keeps those it can", async () => {
    const api = await withCronTabs();
    expect((await api.create(crontabs, cronTab("a", { note: null, mode: null, plain: null }))).spec).toEqual({
      cronSpec: "* * *",
      note: null,
      plain: "x",
      replicas: 1,
    });
  });

  it("names unknown fields where asked to be strict", async () => {
    const api = await withCronTabs();
    const body = cronTab("a", { unknown: 1, hosts: [{ name: "h", extra: 1 }] }, { top: 1 });
    expect(await refusal(api.create(crontabs, body, { fieldValidation: "Strict" }))).toMatchObject({
      code: 400,
      message: expect.stringContaining(
        'strict decoding error: unknown field "spec.hosts[0].extra", unknown field "spec.unknown", unknown field "top"',
      ),
    });
  });

  it.each([
    {
      name: "a missing field",
      spec: { cronSpec: undefined },
      reason: "FieldValueRequired",
      message: "Required value",
      field: "spec.cronSpec",
    },
    {
      name: "a wrong type",
      spec: { plain: 5 },
      reason: "FieldValueTypeInvalid",
      message: 'Invalid value: "integer": spec.plain in body must be of type string: "integer"',
      field: "spec.plain",
    },
    {
      name: "too small",
      spec: { replicas: 0 },
      reason: "FieldValueInvalid",
      message: "Invalid value: 0: spec.replicas in body should be greater than or equal to 1",
      field: "spec.replicas",
    },
    {
      name: "too large",
      spec: { replicas: 11 },
      reason: "FieldValueInvalid",
      message: "Invalid value: 11: spec.replicas in body should be less than or equal to 10",
      field: "spec.replicas",
    },
    {
      name: "a text that does not match",
      spec: { cronSpec: "a  b" },
      reason: "FieldValueInvalid",
      message: "Invalid value: \"a  b\": spec.cronSpec in body should match '^\\S+( \\S+)*$'",
      field: "spec.cronSpec",
    },
    {
      name: "too long",
      spec: { cronSpec: "x".repeat(21) },
      reason: "FieldValueTooLong",
      message: "Too long: may not be more than 20 bytes",
      field: "spec.cronSpec",
    },
    {
      name: "not one of the values",
      spec: { mode: "odd" },
      reason: "FieldValueNotSupported",
      message: 'Unsupported value: "odd": supported values: "fast", "slow"',
      field: "spec.mode",
    },
    {
      name: "neither integer nor string",
      spec: { port: true },
      reason: "FieldValueTypeInvalid",
      message: 'Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
      field: "spec.port",
    },
    {
      name: "a key twice",
      spec: { hosts: [{ name: "h" }, { name: "h" }] },
      reason: "FieldValueDuplicate",
      message: 'Duplicate value: {"name":"h"}',
      field: "spec.hosts[1]",
    },
    {
      name: "another format",
      spec: { until: "tomorrow" },
      reason: "FieldValueTypeInvalid",
      message: 'Invalid value: "tomorrow": spec.until in body must be of type date-time: "tomorrow"',
      field: "spec.until",
    },
    {
      name: "a map with other values",
      spec: { labels: { a: 1 } },
      reason: "FieldValueTypeInvalid",
      message: 'Invalid value: "integer": spec.labels.a in body must be of type string: "integer"',
      field: "spec.labels.a",
    },
  ])("is refused for $name, in Kubernetes' words", async ({ spec, reason, message, field }) => {
    const api = await withCronTabs();
    const status = await refusal(api.create(crontabs, cronTab("a", spec)));
    expect(status).toMatchObject({ code: 422, details: { kind: "CronTab", group: "stable.example.com" } });
    expect(status.details?.causes).toEqual([{ reason, message, field }]);
  });

  it("is only held to what an update changes", async () => {
    const api = await aRegistry();
    const lax = {
      type: "object",
      properties: { spec: { type: "object", properties: { mode: { type: "string" }, replicas: { type: "integer" } } } },
    };
    await api.create(definitions, definition({ versions: [version({ schema: { openAPIV3Schema: lax } })] }));
    await api.create(crontabs, { metadata: { name: "a" }, spec: { mode: "odd", replicas: 1 } });
    const strict = structuredClone(lax);
    (strict.properties.spec.properties.mode as JsonObject).enum = ["fast"];
    await api.patch(definitions, crontabs, {
      type: "merge",
      body: { spec: { versions: [version({ schema: { openAPIV3Schema: strict } })] } },
    });
    expect(await api.patch(crontabs, "a", { type: "merge", body: { spec: { replicas: 2 } } })).toMatchObject({
      spec: { mode: "odd", replicas: 2 },
    });
    expect(await refusal(api.patch(crontabs, "a", { type: "merge", body: { spec: { mode: "other" } } }))).toMatchObject({ code: 422 });
  });

  it("takes merge, JSON and apply patches, but no strategic ones", async () => {
    const api = await withCronTabs();
    await api.create(crontabs, cronTab("a"));
    expect(await api.patch(crontabs, "a", { type: "json", body: [{ op: "replace", path: "/spec/replicas", value: 2 }] })).toMatchObject({
      spec: { replicas: 2 },
    });
    const applied = await api.patch(
      crontabs,
      "b",
      { type: "apply", body: cronTab("b", { hosts: [{ name: "h" }] }) },
      { fieldManager: "me" },
    );
    expect(applied).toMatchObject({ spec: { hosts: [{ name: "h", weight: 1 }], replicas: 1 } });
    expect(JSON.stringify(applied.metadata.managedFields)).not.toContain("f:weight");
    expect(await refusal(api.patch(crontabs, "a", { type: "strategic", body: {} }))).toMatchObject({ code: 415 });
  });

  it("is what it says it is: another kind is Invalid, another version refused", async () => {
    const api = await withCronTabs();
    const body = cronTab("a");
    expect(await refusal(api.create(crontabs, { ...body, kind: "Other" }))).toMatchObject({
      code: 422,
      message: 'Other.stable.example.com "a" is invalid: kind: Invalid value: "Other": must be CronTab',
    });
    expect(await refusal(api.create(crontabs, { ...body, kind: "Other", apiVersion: "stable.example.com/v9" }))).toMatchObject({
      code: 400,
      message: expect.stringMatching(/^the API version in the data \(stable\.example\.com\/v9\) does not match the expected API version/u),
    });
  });

  it("keeps its type: a patch to another kind or version is Invalid", async () => {
    const api = await withCronTabs();
    const made = await api.create(crontabs, cronTab("a"));
    const { apiVersion } = made;
    expect(await refusal(api.patch(crontabs, "a", { type: "merge", body: { kind: "Other" } }))).toMatchObject({
      code: 422,
      message: 'Other.stable.example.com "a" is invalid: kind: Invalid value: "Other": must be CronTab',
    });
    const operations = [{ op: "replace", path: "/apiVersion", value: "v1" }];
    expect(await refusal(api.patch(crontabs, "a", { type: "json", body: operations }))).toMatchObject({
      code: 422,
      message: `CronTab "a" is invalid: apiVersion: Invalid value: "v1": must be ${apiVersion}`,
    });
    expect(await refusal(api.patch(crontabs, "a", { type: "merge", body: { kind: null } }))).toMatchObject({
      code: 422,
      message: expect.stringContaining("Object 'Kind' is missing"),
    });
    expect(await api.get(crontabs, "a")).toEqual(made);
    // Through the status nothing but the status changes, the type neither.
    const changed = await api.patch(
      crontabs,
      "a",
      { type: "merge", body: { kind: "Other", status: { replicas: 3 } } },
      { subresource: "status" },
    );
    expect(changed).toMatchObject({ apiVersion, kind: "CronTab", status: { replicas: 3 } });
  });

  it("has a status of its own, through which nothing else changes", async () => {
    const api = await withCronTabs();
    const made = await api.create(crontabs, cronTab("a", {}, { status: { replicas: 9 } }));
    expect(made).not.toHaveProperty("status");
    const body = { metadata: { labels: { no: "thing" } }, spec: { replicas: 5 }, status: { replicas: 3 } };
    const changed = await api.patch(crontabs, "a", { type: "merge", body }, { subresource: "status" });
    expect(changed).toMatchObject({ spec: { replicas: 1 }, status: { replicas: 3 }, metadata: { generation: 1 } });
    expect(changed.metadata.labels).toBeUndefined();
  });

  it("can be scaled", async () => {
    const api = await withCronTabs();
    await api.create(crontabs, cronTab("a", { replicas: 2 }));
    await api.patch(crontabs, "a", { type: "merge", body: { status: { replicas: 1, labelSelector: "a=b" } } }, { subresource: "status" });
    const kind = await api.kind(crontabs);
    expect(await api.registry.getSubresource(kind, { namespace: "default", name: "a" }, "scale", context())).toMatchObject({
      kind: "Scale",
      spec: { replicas: 2 },
      status: { replicas: 1, selector: "a=b" },
    });
    await api.update(crontabs, { metadata: { name: "a" }, spec: { replicas: 4 } }, { subresource: "scale" });
    expect(await api.get(crontabs, "a")).toMatchObject({ spec: { replicas: 4 }, metadata: { generation: 2 } });
  });

  it("has replicas that a Scale can show, whatever its schema says", async () => {
    const bare = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const api = await withCronTabs({ versions: [version({ schema: bare })] });
    const made = (spec: unknown) => refusal(api.create(crontabs, { ...cronTab("a"), spec }));
    const refused = (problem: string) => ({ code: 422, message: `CronTab.stable.example.com "a" is invalid: ${problem}` });
    expect(await made({ replicas: -1 })).toMatchObject(refused(".spec.replicas: Invalid value: -1: should be a non-negative integer"));
    expect(await made({ replicas: 2 ** 31 })).toMatchObject(
      refused(".spec.replicas: Invalid value: 2147483648: should be less than or equal to 2147483647"),
    );
    expect(await made({ replicas: "3" })).toMatchObject(
      refused(".spec.replicas: Invalid value: 0: .spec.replicas accessor error: 3 is of the type string, expected int64"),
    );
    expect(await made([])).toMatchObject(
      refused(
        ".spec.replicas: Invalid value: 0: .spec.replicas accessor error: [] is of the type []interface {}, expected map[string]interface{}",
      ),
    );
    await api.create(crontabs, cronTab("a"));
    const scale = { metadata: { name: "a" }, spec: { replicas: -4 } };
    expect(await refusal(api.update(crontabs, scale, { subresource: "scale" }))).toMatchObject(
      refused(".spec.replicas: Invalid value: -4: should be a non-negative integer"),
    );
    const status = { status: { labelSelector: 5 } };
    expect(await refusal(api.patch(crontabs, "a", { type: "merge", body: status }, { subresource: "status" }))).toMatchObject(
      refused('.status.labelSelector: Invalid value: "": .status.labelSelector accessor error: 5 is of the type int64, expected string'),
    );
  });

  it("has no Scale to read without replicas, and gets them through it", async () => {
    const bare = { openAPIV3Schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true } };
    const api = await withCronTabs({ versions: [version({ schema: bare })] });
    await api.create(crontabs, cronTab("a"));
    const kind = await api.kind(crontabs);
    const read = () => api.registry.getSubresource(kind, { namespace: "default", name: "a" }, "scale", context());
    expect(await refusal(read())).toMatchObject({
      code: 500,
      message: 'Internal error occurred: the spec replicas field ".spec.replicas" does not exist',
    });
    await api.patch(crontabs, "a", { type: "merge", body: { spec: { replicas: 3 } } }, { subresource: "scale" });
    expect(await read()).toMatchObject({ spec: { replicas: 3 } });
  });

  it("has metadata that is an object", async () => {
    const api = await withCronTabs();
    expect(await refusal(api.create(crontabs, { ...cronTab("a"), metadata: 5 }))).toMatchObject({
      code: 400,
      message: 'CronTab in version "v1" cannot be handled as a CronTab: json: cannot unmarshal number into Go value of type v1.ObjectMeta',
    });
  });

  it("is told of unknown fields in order", async () => {
    const api = await withCronTabs();
    const warnings: string[] = [];
    const body = { ...cronTab("a", { zz: 1, aa: 2 }), metadata: { name: "a", odd: 1 }, more: 1 };
    await api.create(crontabs, body, { fieldValidation: "Warn", warnings });
    expect(warnings).toEqual(["metadata.odd", "more", "spec.aa", "spec.zz"].map((field) => `unknown field "${field}"`));
  });

  it("is served in every version, stored in one", async () => {
    const api = await withCronTabs({ versions: [version(), version({ name: "v2", storage: false })] });
    await api.create(`${crontabs}/v2`, { ...cronTab("a"), apiVersion: "stable.example.com/v2" });
    expect((await api.get(`${crontabs}/v1`, "a")).apiVersion).toBe("stable.example.com/v1");
    expect((await api.get(`${crontabs}/v2`, "a")).apiVersion).toBe("stable.example.com/v2");
    const stored = await api.cluster.resource(crontabs).get("default/a");
    expect(stored.object?.value.apiVersion).toBe("stable.example.com/v1");
  });

  it("is read with the defaults of the version that it is stored in, and without what another does not have", async () => {
    const schemaOf = (properties: JsonObject) => ({
      schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } },
    });
    const versions = [
      version(schemaOf({ a: { type: "string", default: "stored" }, b: { type: "string" } })),
      version({
        name: "v2",
        storage: false,
        ...schemaOf({ a: { type: "string", default: "other" }, c: { type: "string", default: "c" } }),
      }),
    ];
    const api = await withCronTabs({ versions });
    await api.create(crontabs, { ...cronTab("a"), spec: { b: "b" } });
    expect((await api.get(`${crontabs}/v2`, "a")).spec).toEqual({ a: "stored" });
  });

  it("trap 6: is rewritten by an update that changes nothing when the stored version is another now", async () => {
    const api = await withCronTabs({ versions: [version(), version({ name: "v2", storage: false })] });
    const made = await api.create(crontabs, cronTab("a"));
    await api.patch(definitions, crontabs, {
      type: "merge",
      body: { spec: { versions: [version({ storage: false }), version({ name: "v2" })] } },
    });
    const again = await api.update(crontabs, { ...cronTab("a"), metadata: made.metadata });
    expect(again.metadata.resourceVersion).not.toBe(made.metadata.resourceVersion);
    expect((await api.cluster.resource(crontabs).get("default/a")).object?.value.apiVersion).toBe("stable.example.com/v2");
  });

  it("says so when only a webhook could convert it", async () => {
    const api = await aRegistry();
    const body = definition({ versions: [version(), version({ name: "v2", storage: false })] });
    const webhook = { clientConfig: { url: "https://convert.example.com" }, conversionReviewVersions: ["v1"] };
    await api.create(definitions, { ...body, spec: { ...(body.spec as object), conversion: { strategy: "Webhook", webhook } } });
    await api.create(`${crontabs}/v1`, cronTab("a"));
    expect(await refusal(api.get(`${crontabs}/v2`, "a"))).toMatchObject({
      code: 500,
      message: expect.stringMatching(
        /^conversion webhook for stable.example.com\/v1, Kind=CronTab failed: conversion webhooks are not called/,
      ),
    });
  });

  it("shows the defaults of a definition that came after it", async () => {
    const api = await withCronTabs();
    await api.create(crontabs, cronTab("a"));
    const schema = structuredClone(cronTabSchema) as { properties: { spec: { properties: JsonObject } } };
    schema.properties.spec.properties.added = { type: "string", default: "later" };
    await api.patch(definitions, crontabs, {
      type: "merge",
      body: { spec: { versions: [version({ schema: { openAPIV3Schema: schema } })] } },
    });
    expect(await api.get(crontabs, "a")).toMatchObject({ spec: { added: "later" } });
  });

  it("can be selected by the fields that its definition names", async () => {
    const api = await withCronTabs({ versions: [version({ selectableFields: [{ jsonPath: ".spec.mode" }] })] });
    await api.create(crontabs, cronTab("a", { mode: "fast" }));
    await api.create(crontabs, cronTab("b", { mode: "slow" }));
    const { items } = await api.list(crontabs, { fieldSelector: "spec.mode=slow" });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["b"]);
    expect(await refusal(api.list(crontabs, { fieldSelector: "spec.other=slow" }))).toMatchObject({
      code: 400,
      message: "field label not supported: spec.other",
    });
  });

  it("is printed by its definition's columns", async () => {
    const columns = [
      { name: "Spec", type: "string", jsonPath: ".spec.cronSpec" },
      { name: "Replicas", type: "integer", jsonPath: ".spec.replicas", priority: 1 },
      { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
    ];
    const api = await withCronTabs({ versions: [version({ additionalPrinterColumns: columns })] });
    const made = await api.create(crontabs, cronTab("a"));
    const { behaviour } = await api.kind(crontabs);
    expect(behaviour.ownAge).toBe(true);
    const cells = behaviour.columns?.map((column) => column.value(made, new Date("2026-01-01T00:05:00Z")));
    expect(cells).toEqual(["* * *", 1, "5m"]);
    const wide = { ...made, spec: { replicas: JSON.rawJSON("9223372036854775807") } };
    expect(JSON.stringify(behaviour.columns?.map((column) => column.value(wide, new Date(0))))).toContain("9223372036854775807");
  });

  it("may be required to have a type and metadata, and its name be restricted", async () => {
    const metadata = { type: "object", properties: { name: { type: "string", maxLength: 3 } } };
    const properties = { apiVersion: { type: "string" }, kind: { type: "string" }, metadata, spec: { type: "object" } };
    const schema = { openAPIV3Schema: { type: "object", required: ["apiVersion", "kind", "metadata", "spec"], properties } };
    const api = await withCronTabs({ versions: [version({ schema, subresources: {} })] });
    await api.create(crontabs, cronTab("abc"));
    await api.patch(crontabs, "abc", { type: "merge", body: { metadata: { labels: { a: "b" } } } });
    expect(await refusal(api.create(crontabs, cronTab("abcd")))).toMatchObject({
      code: 422,
      details: { causes: [{ reason: "FieldValueTooLong", field: "metadata.name" }] },
    });
  });

  it("has columns of the format and priority that its definition says", async () => {
    const column = { name: "Spec", type: "string", jsonPath: ".spec.cronSpec", format: "byte", priority: 10 };
    const api = await withCronTabs({ versions: [version({ additionalPrinterColumns: [column] })] });
    expect((await api.kind(crontabs)).behaviour.columns).toMatchObject([{ format: "byte", priority: 10 }]);
  });

  it("of a deprecated version comes with a warning", async () => {
    const old = version({ name: "v1beta1", storage: false, deprecated: true });
    const api = await withCronTabs({ versions: [version(), old, { ...old, name: "v1alpha1", deprecationWarning: "no more" }] });
    expect((await api.kind(crontabs)).deprecation).toBeUndefined();
    expect((await api.kind(`${crontabs}/v1alpha1`)).deprecation).toBe("no more");
    expect((await api.kind(`${crontabs}/v1beta1`)).deprecation).toBe(
      "stable.example.com/v1beta1 CronTab is deprecated; use stable.example.com/v1 CronTab",
    );
  });

  it("with a finalizer whose name others might choose comes with a warning", async () => {
    const api = await withCronTabs();
    const warnings: string[] = [];
    await api.create(
      crontabs,
      { ...cronTab("a"), metadata: { name: "a", finalizers: ["example.com", "stable.example.com/clean"] } },
      { warnings },
    );
    expect(warnings).toEqual([
      'metadata.finalizers: "example.com": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers',
    ]);
  });
});

describe("a CustomResourceDefinition that is deleted", () => {
  it("stays until its objects are gone, takes no new ones, and is empty when it comes back", async () => {
    const api = await withCronTabs();
    await api.create(crontabs, cronTab("a"));
    await api.create("configmaps", aConfigMap("unrelated"));
    const marked = await api.remove(definitions, crontabs);
    expect(marked).toMatchObject({
      type: "marked",
      object: { metadata: { finalizers: ["customresourcecleanup.apiextensions.k8s.io"] } },
    });
    expect(await refusal(api.create(crontabs, cronTab("b")))).toMatchObject({
      message: 'crontabs.stable.example.com "b" is forbidden: create not allowed while custom resource definition is terminating',
    });
    // Whoever has a finalizer on an object has to be able to take it off.
    await api.patch(crontabs, "a", { type: "merge", body: { metadata: { annotations: { seen: "yes" } } } });

    // What the cleanup controller does.
    await api.remove(crontabs, "a");
    await api.patch(definitions, crontabs, { type: "merge", body: { metadata: { finalizers: null } } });
    expect(await api.exists(definitions, crontabs)).toBe(false);
    expect((await api.registry.catalog("test", { fresh: true })).byResource("stable.example.com", "v1", "crontabs")).toBeUndefined();

    await api.create(definitions, definition());
    expect((await api.list(crontabs)).items).toEqual([]);
    expect(await api.exists("configmaps", "unrelated")).toBe(true);
  });
});

describe("trap 5: freshness across logs", () => {
  it("another process sees a definition that was made a moment ago", async () => {
    const one = await aRegistry();
    const other = await aRegistry({ table: one.table, clock: one.clock });
    await other.registry.catalog("test", { fresh: true });
    await one.create(definitions, definition());
    const kind = (await other.registry.catalog("test", { fresh: true })).byResource("stable.example.com", "v1", "crontabs");
    expect(kind).toBeDefined();
  });

  it("an object is judged by the definition as it is when the request arrives", async () => {
    const one = await withCronTabs();
    const other = await aRegistry({ table: one.table, clock: one.clock });
    const kind = await other.kind(crontabs);
    const schema = structuredClone(cronTabSchema) as { properties: { spec: { properties: { mode: JsonObject } } } };
    schema.properties.spec.properties.mode.enum = ["new"];
    await one.patch(definitions, crontabs, {
      type: "merge",
      body: { spec: { versions: [version({ schema: { openAPIV3Schema: schema } })] } },
    });
    // `other` still holds the kind of before.
    const write = { dryRun: false, fieldManager: "m", fieldValidation: "Ignore" } as const;
    expect(await other.registry.create(kind, "default", cronTab("a", { mode: "new" }), write, context())).toMatchObject({
      spec: { mode: "new" },
    });
  });
});
