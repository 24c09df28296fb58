import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../shared/api/objects.ts";
import { apiGroups } from "../../shared/server/discovery/documents.ts";
import { documentPath, documentV2, documentV3, pathsOfServer, serverDocumentV3 } from "../../shared/server/openapi/documents.ts";
import type { OpenIdOptions } from "../../shared/server/openid.ts";
import { aCustomKind } from "../support/custom-kind.ts";
import { catalogOf } from "../support/fake-registry.ts";
import { plainKinds } from "../support/plain-kinds.ts";
import { readProtobuf } from "../support/raw-protobuf.ts";
import { kubernetesData } from "../support/shared-data.ts";
import { testServer } from "../support/test-server.ts";

const has = { openId: true };
/** Somebody who signs, with no key yet. */
const openId = { keys: { verificationKeys: async () => [] }, issuers: () => "https://issuer.test" } as unknown as OpenIdOptions;
const gnostic = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";

describe("/openapi/v3", () => {
  it("trap 8: the index names URLs rooted at /openapi/v3, whatever the cluster's path", async () => {
    const { json } = testServer();
    const { paths } = await json("/openapi/v3");
    expect(Object.keys(paths)).toContain("api/v1");
    expect(paths["apis/apps/v1"].serverRelativeURL).toMatch(/^\/openapi\/v3\/apis\/apps\/v1\?hash=[0-9A-F]{128}$/);
    expect(await json("/clusters/blue/openapi/v3")).toEqual({ paths });
  });

  it("the index names what belongs to no group version, but groups of custom resources, as upstream", async () => {
    const { ask, json } = testServer({ kinds: [...plainKinds(), aCustomKind()], openId });
    const { paths } = await json("/openapi/v3");
    expect(Object.keys(paths)).toEqual(Object.keys(paths).toSorted());
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining([".well-known/openid-configuration", "api", "apis", "apis/apps", "openid/v1/jwks", "version"]),
    );
    expect(Object.keys(paths)).not.toContain("apis/stable.example.com");
    for (const name of ["api", "apis/apps", "openid/v1/jwks"]) {
      const document: any = await (await ask(paths[name].serverRelativeURL)).json();
      expect(Object.keys(document.paths)).toEqual([`/${name}/`]);
    }
    const without = await testServer().json("/openapi/v3");
    expect(Object.keys(without.paths)).not.toContain("openid/v1/jwks");
  });

  it("what belongs to no group version answers as its document says", async () => {
    const { ask } = testServer({ openId });
    for (const path of pathsOfServer(apiGroups(plainKinds()), has)) {
      const { paths }: any = serverDocumentV3(path);
      for (const form of Object.keys(paths[path.path].get.responses[200].content)) {
        const response = await ask(path.path, { headers: { accept: form } });
        expect([path.path, form, response.status, response.headers.get("content-type")]).toEqual([path.path, form, 200, form]);
      }
    }
  });

  it("a document with its hash may be kept for ever, without it may not", async () => {
    const { ask, json } = testServer();
    const { paths } = await json("/openapi/v3");
    const kept = await ask(paths["apis/apps/v1"].serverRelativeURL);
    expect(kept.headers.get("cache-control")).toBe("private, immutable");
    expect(kept.headers.get("expires")).toBe("Fri, 01 Jan 2027 00:00:00 GMT");
    const passing = await ask("/openapi/v3/apis/apps/v1");
    expect(passing.headers.get("cache-control")).toBe("no-cache, private");
    expect(await passing.json()).toEqual(await kept.json());
    const etag = kept.headers.get("etag") ?? "";
    expect((await ask("/openapi/v3/apis/apps/v1", { headers: { "if-none-match": etag } })).status).toBe(304);
  });

  it("trap 8: a stale hash leads to the new one, wherever the document was asked for", async () => {
    const { ask, json } = testServer();
    const { paths } = await json("/openapi/v3");
    const stale = await ask("/clusters/blue/openapi/v3/apis/apps/v1?hash=OLD");
    expect(stale.status).toBe(301);
    const target = new URL(stale.headers.get("location") ?? "", "https://k8s.test/k/clusters/blue/openapi/v3/apis/apps/v1?hash=OLD");
    expect(`${target.pathname}${target.search}`).toBe(`/k/clusters/blue${paths["apis/apps/v1"].serverRelativeURL}`);
  });

  it("trap 7: operations say what they do, to which kind, and with which parameters", async () => {
    const { json } = testServer();
    const { paths } = await json("/openapi/v3/apis/apps/v1");
    const { patch } = paths["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
    expect(patch).toMatchObject({
      operationId: "patchAppsV1NamespacedDeployment",
      "x-kubernetes-action": "patch",
      "x-kubernetes-group-version-kind": { group: "apps", version: "v1", kind: "Deployment" },
    });
    expect(patch.parameters.map(({ name }: any) => name)).toEqual(["dryRun", "fieldManager", "fieldValidation", "force", "pretty"]);
  });

  it("schemas carry what merging needs", async () => {
    const { components } = await testServer().json("/openapi/v3/api/v1");
    expect(components.schemas["io.k8s.api.core.v1.PodSpec"].properties.containers).toEqual({
      type: "array",
      items: { $ref: "#/components/schemas/io.k8s.api.core.v1.Container" },
      "x-kubernetes-list-map-keys": ["name"],
      "x-kubernetes-list-type": "map",
      "x-kubernetes-patch-merge-key": "name",
      "x-kubernetes-patch-strategy": "merge",
    });
    expect(components.schemas["io.k8s.api.core.v1.ContainerPort"]).toMatchObject({
      required: ["containerPort"],
      properties: { containerPort: { type: "integer", format: "int32" }, protocol: { type: "string", default: "TCP" } },
    });
  });

  it("every reference leads somewhere", () => {
    for (const { name, versions } of apiGroups([...plainKinds(), aCustomKind()]))
      for (const { version, kinds } of versions) expectReferences(documentV3(name, version, kinds));
    expectReferences(documentV2(apiGroups([...plainKinds(), aCustomKind()]), has));
  });

  it("documents change when their kinds do, and only then", async () => {
    const kinds = plainKinds();
    const hashes = async (all: typeof kinds) => {
      const { paths } = await testServer({ kinds: all }).json("/openapi/v3");
      return paths as Record<string, unknown>;
    };
    const before = await hashes(kinds);
    const after = await hashes([...kinds, aCustomKind()]);
    expect(after["apis/stable.example.com/v1"]).toBeDefined();
    expect({ ...after, "apis/stable.example.com/v1": undefined }).toEqual({ ...before, "apis/stable.example.com/v1": undefined });
    const changed = await hashes([...kinds, aCustomKind({ publishedSchema: { type: "object" } })]);
    expect(changed["apis/stable.example.com/v1"]).not.toEqual(after["apis/stable.example.com/v1"]);
  });

  it("follows the catalog of one and the same server", async () => {
    const server = testServer();
    const { paths } = await server.json("/openapi/v3");
    server.registry.catalog = async () => catalogOf([...plainKinds(), aCustomKind()], "2");
    expect(Object.keys((await server.json("/openapi/v3")).paths)).toHaveLength(Object.keys(paths).length + 1);
  });
});

function expectReferences(document: JsonObject): void {
  const text = JSON.stringify(document);
  const missing = new Set<string>();
  for (const [, place = "", name = ""] of text.matchAll(/"\$ref":"#\/(definitions|components\/schemas)\/([^"]+)"/g)) {
    const definitions = (place === "definitions" ? document.definitions : (document.components as JsonObject).schemas) as JsonObject;
    if (!definitions[name]) missing.add(name);
  }
  expect([...missing]).toEqual([]);
}

describe("custom resources", () => {
  const publishedSchema: JsonObject = {
    type: "object",
    description: "runs now and then",
    required: ["spec"],
    properties: {
      spec: {
        type: "object",
        required: ["schedule", "note"],
        properties: {
          schedule: { type: "string", pattern: "^\\d+$" },
          note: { type: "string", nullable: true },
          template: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
          inner: { type: "object", "x-kubernetes-embedded-resource": true, properties: { spec: { type: "object" } } },
          choice: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
        },
      },
    },
  };
  const kinds = [aCustomKind({ publishedSchema })];
  const name = "com.example.stable.v1.CronTab";

  it("are published with their schema, and the fields that every object has", () => {
    const { components } = documentV3("stable.example.com", "v1", kinds) as any;
    const schema = components.schemas[name];
    expect(schema).toMatchObject({
      type: "object",
      description: "runs now and then",
      required: ["spec"],
      properties: {
        apiVersion: { type: "string", description: expect.stringMatching(/^APIVersion defines/) },
        kind: { type: "string", description: expect.stringMatching(/^Kind/) },
        metadata: {
          allOf: [{ $ref: "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta" }],
          description: expect.stringMatching(/^Standard object's metadata/),
        },
        spec: {
          properties: {
            schedule: { pattern: "^\\d+$" },
            note: { nullable: true },
            choice: { anyOf: [{ type: "integer" }, { type: "string" }] },
          },
        },
      },
      "x-kubernetes-group-version-kind": [{ group: "stable.example.com", version: "v1", kind: "CronTab" }],
    });
    expect(schema.properties.spec.properties.inner).toMatchObject({
      required: ["kind", "apiVersion"],
      properties: { metadata: {}, spec: {} },
    });
    expect(components.schemas[`${name}List`].properties.items.items).toEqual({ $ref: `#/components/schemas/${name}` });
  });

  it("say what the fields of every object are for, in both documents", () => {
    const { components } = documentV3("stable.example.com", "v1", kinds) as any;
    const { definitions } = documentV2(apiGroups(kinds), has) as any;
    for (const schemas of [components.schemas, definitions]) {
      const objectMeta = schemas["io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"].properties;
      for (const [field, { description }] of Object.entries<any>(objectMeta)) expect(description, field).toMatch(/./);
      expect(objectMeta.creationTimestamp.description).toMatch(/^CreationTimestamp is a timestamp/);
      expect(schemas[`${name}List`].properties.metadata.description).toMatch(/^Standard list metadata/);
    }
    expect(definitions[name].properties.metadata).toEqual({
      $ref: "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta",
      description: expect.stringMatching(/^Standard object's metadata/),
    });
  });

  it("for old clients leave out what these take amiss", () => {
    const { definitions } = documentV2(apiGroups(kinds), has) as any;
    const { properties, required } = definitions[name].properties.spec;
    expect(required).toEqual(["schedule"]);
    expect(properties.note).toEqual({});
    expect(properties.template).toEqual({ "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true });
    expect(properties.choice).toEqual({ "x-kubernetes-int-or-string": true });
  });

  it("without a schema are objects of any shape", () => {
    const { components } = documentV3("stable.example.com", "v1", [aCustomKind()]) as any;
    expect(components.schemas[name]).not.toHaveProperty("properties");
  });

  it("are neither protobuf nor merged strategically", () => {
    const { paths } = documentV3("stable.example.com", "v1", kinds) as any;
    const { patch, get } = paths["/apis/stable.example.com/v1/namespaces/{namespace}/crontabs/{name}"];
    expect(Object.keys(patch.requestBody.content)).toEqual([
      "application/json-patch+json",
      "application/merge-patch+json",
      "application/apply-patch+yaml",
    ]);
    expect(Object.keys(get.responses[200].content)).toEqual(["application/json", "application/yaml"]);
    expect(get.operationId).toBe("readStableExampleComV1NamespacedCronTab");
  });
});

describe("/openapi/v2", () => {
  it("is one document as JSON", async () => {
    const { ask } = testServer();
    const response = await ask("/openapi/v2");
    expect(response.headers.get("content-type")).toBe("application/json");
    const document: any = await response.json();
    expect(document.swagger).toBe("2.0");
    expect(document.definitions["io.k8s.api.apps.v1.DeploymentSpec"].properties.strategy).toEqual({
      $ref: "#/definitions/io.k8s.api.apps.v1.DeploymentStrategy",
      "x-kubernetes-patch-strategy": "retainKeys",
    });
  });

  it("is protobuf for clients that take nothing else", async () => {
    const { ask } = testServer({ kinds: plainKinds().filter(({ plural }) => plural === "configmaps") });
    const response = await ask("/openapi/v2", { headers: { accept: gnostic } });
    expect(response.headers.get("content-type")).toBe("application/com.github.proto-openapi.spec.v2.v1.0+protobuf");
    const document = readProtobuf(new Uint8Array(await response.arrayBuffer()));
    expect(document.text(1)).toBe("2.0");
    // Paths › NamedPathItem › PathItem.patch › Operation.operationId
    const paths = document.message(8).messages(2);
    const one = paths.find((path) => path.text(1) === "/api/v1/namespaces/{namespace}/configmaps/{name}");
    expect(one?.message(2).message(8).text(5)).toBe("patchCoreV1NamespacedConfigMap");
    // Operation.parameters › Parameter › NonBodyParameter › QueryParameterSubSchema.name
    const parameters = one?.message(2).message(8).messages(8) ?? [];
    const queryNames = parameters
      .map((item) => item.message(1))
      .flatMap((item) => (item.has(2) ? [item.message(2).message(3).text(4)] : []));
    expect(queryNames).toContain("dryRun");
    const definitions = document.message(9).messages(1);
    expect(definitions.map((definition) => definition.text(1))).toContain("io.k8s.api.core.v1.ConfigMap");
  });

  it("has one ETag for each form", async () => {
    const { ask } = testServer();
    const etag = (await ask("/openapi/v2")).headers.get("etag") ?? "";
    expect((await ask("/openapi/v2", { headers: { "if-none-match": etag } })).status).toBe(304);
    expect((await ask("/openapi/v2", { headers: { accept: gnostic, "if-none-match": etag } })).status).toBe(200);
  });

  it("comes compressed when that is wanted", async () => {
    const { ask } = testServer();
    const plain = await (await ask("/openapi/v2")).text();
    const response = await ask("/openapi/v2", { headers: { "accept-encoding": "gzip" } });
    expect(response.headers.get("content-encoding")).toBe("gzip");
    expect(gunzipSync(await response.arrayBuffer()).toString()).toBe(plain);
  });

  it("is refused as a Status", async () => {
    expect(await testServer().json("/openapi/v2", { headers: { accept: "text/html" } })).toMatchObject({ code: 406 });
  });
});

const published = kubernetesData("openapi/v3");
const fileOf = (path: string) => `${path.replaceAll("/", "__")}_openapi.json.gz`;
const read = (path: string) => JSON.parse(gunzipSync(readFileSync(join(published ?? "", fileOf(path)))).toString());

describe.skipIf(published === undefined)("Kubernetes' own documents", () => {
  const ofServer = pathsOfServer(apiGroups(plainKinds()), has)
    // Its name begins with a point: it is not among the copies.
    .filter(({ document }) => existsSync(join(published ?? "", fileOf(document))));

  it.each(ofServer)("$document: the same operation, with the same answer in the same forms", (path) => {
    const ours: any = serverDocumentV3(path);
    const theirs = read(path.document);
    expect(operations(ours)).toEqual(operations(theirs));
    expect(schemasOf(ours)).toEqual(schemasOf(theirs));
    const forms = (document: any) => Object.keys(document.paths[path.path].get.responses[200].content).sort();
    expect(forms(ours)).toEqual(forms(theirs));
  });

  const groupVersions = apiGroups(plainKinds()).flatMap(({ name, versions }) =>
    versions.map(({ version, kinds }) => ({ name, version, kinds, path: documentPath(name, version) })),
  );

  it.each(groupVersions)("$path: the same operations", ({ name, version, kinds, path }) => {
    expect(operations(documentV3(name, version, kinds))).toEqual(operations(read(path)));
  });

  it.each(groupVersions)("$path: the same schemas, less their prose", ({ name, version, kinds, path }) => {
    expect(schemasOf(documentV3(name, version, kinds))).toEqual(schemasOf(read(path)));
  });

  /** Connections are not served; shards and unsafe deletion are alpha; a kubelet's certificate and one stream of a log are nothing we have. */
  const left = new Set(["shardSelector", "ignoreStoreReadErrorWithClusterBreakingPotential", "insecureSkipTLSVerifyBackend", "stream"]);

  function operations(document: any): unknown {
    return Object.fromEntries(
      Object.entries<any>(document.paths).flatMap(([path, item]) =>
        ["get", "post", "put", "patch", "delete"].flatMap((method) => {
          const operation = item[method];
          if (!operation || operation["x-kubernetes-action"] === "connect") return [];
          const parameters = [...(operation.parameters ?? []), ...(item.parameters ?? [])].filter(
            (parameter: any) => !left.has(parameter.name),
          );
          const facts = {
            id: operation.operationId,
            tags: operation.tags,
            action: operation["x-kubernetes-action"],
            kind: operation["x-kubernetes-group-version-kind"],
            parameters: parameters.map((parameter: any) => `${parameter.in} ${parameter.name} ${parameter.schema.type}`).sort(),
            body: Object.values<any>(operation.requestBody?.content ?? {})[0]?.schema,
            // The document of Kubernetes says that deleting a Namespace answers with a Status; it answers with the Namespace.
            ...(operation.operationId !== "deleteCoreV1Namespace" && {
              responses: Object.fromEntries(
                Object.entries<any>(operation.responses).map(([code, response]) => [
                  code,
                  Object.values<any>(response.content ?? {})[0]?.schema,
                ]),
              ),
            }),
          };
          return [[`${method} ${path}`, facts]];
        }),
      ),
    );
  }

  /** Names that our tables do not keep: free-form values are described where they stand. */
  const inlined: Record<string, unknown> = {
    "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": { type: "object" },
    "io.k8s.apimachinery.pkg.runtime.RawExtension": { type: "object" },
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": {},
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": {},
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": {},
    "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": {},
  };

  function schemasOf(document: any): unknown {
    return Object.fromEntries(
      Object.entries(document.components.schemas ?? {})
        .filter(([name]) => !(name in inlined))
        .map(([name, schema]) => [name, normal(schema)]),
    );
  }

  function normal(schema: any): any {
    if (Array.isArray(schema)) return schema.map(normal);
    if (typeof schema !== "object" || schema === null) return schema;
    if (schema.$ref) return inlined[schema.$ref.slice("#/components/schemas/".length)] ?? { $ref: schema.$ref };
    const { description: _prose, default: fallback, "x-kubernetes-unions": _unions, ...rest } = schema;
    const kinds = rest["x-kubernetes-group-version-kind"];
    // What belongs to every group version is listed once by us.
    if (
      Array.isArray(kinds) &&
      (kinds.length > 1 || kinds[0].kind === "DeleteOptions" || kinds[0].kind === "WatchEvent" || kinds[0].kind === "Status")
    )
      delete rest["x-kubernetes-group-version-kind"];
    if (rest.properties)
      rest.properties = Object.fromEntries(Object.entries(rest.properties).map(([name, inner]) => [name, normal(inner)]));
    for (const name of ["items", "additionalProperties"]) if (typeof rest[name] === "object") rest[name] = normal(rest[name]);
    if (rest.required) rest.required = rest.required.toSorted();
    if (rest.allOf?.length === 1) {
      const [only] = normal(rest.allOf);
      delete rest.allOf;
      Object.assign(rest, only);
    }
    // Zero values of required fields are no defaults.
    const zero = fallback === undefined || fallback === "" || fallback === 0 || fallback === false || JSON.stringify(fallback) === "{}";
    return zero ? rest : { ...rest, default: fallback };
  }
});
