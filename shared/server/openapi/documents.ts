/** The OpenAPI documents of a cluster: version 3 one by one, version 2 in one piece. */
import { apiVersionOf, type Kind } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { patchTypes } from "../body.ts";
import type { ApiGroup } from "../discovery/documents.ts";
import { json, protobuf, yaml } from "../media-types.ts";
import { type Operation, type Path, pathsOf, type ServerPath, serverPaths } from "./operations.ts";
import { collectDefinitions, type Definitions, type Dialect, gvkExtension, refTo, tagOf } from "./schemas.ts";

const info = { title: "Kubernetes", version: "unversioned" };
const bearer = { BearerToken: { type: "apiKey", in: "header", name: "authorization", description: "Bearer Token authentication" } };
const descriptions: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted", 401: "Unauthorized" };

const streamed = ["application/json;stream=watch", `${protobuf};stream=watch`];

function producedBy({ custom, produces }: Path, operation: Operation): readonly string[] {
  if (produces) return produces;
  if (!operation.answer) return ["text/plain"];
  return custom ? [json, yaml] : [json, yaml, protobuf, ...(isLong(operation) ? streamed : [])];
}

const patchTypesOf = ({ custom }: Path): string[] =>
  Object.entries(patchTypes)
    .filter(([, type]) => !custom || type !== "strategic")
    .map(([mediaType]) => mediaType);

/** `api/v1`, `apis/apps/v1` */
export const documentPath = (group: string, version: string): string => `${group ? "apis" : "api"}/${apiVersionOf({ group, version })}`;

/** One group version, complete in itself. */
export function documentV3(group: string, version: string, kinds: readonly Kind[]): JsonObject {
  const definitions = collectDefinitions("v3");
  return completeV3(renderGroupVersion("v3", group, version, kinds, definitions), definitions);
}

/** One path that belongs to no group version. */
export function serverDocumentV3(path: ServerPath): JsonObject {
  const definitions = collectDefinitions("v3");
  return completeV3(renderPaths("v3", [path], path.tag, definitions), definitions);
}

function completeV3(paths: JsonObject, definitions: Definitions): JsonObject {
  const schemas = definitions.all();
  const components = { ...(Object.keys(schemas).length > 0 && { schemas }), securitySchemes: bearer };
  return { openapi: "3.0.0", info, paths, components };
}

/** {@link serverPaths} of a cluster's groups. */
export const pathsOfServer = (groups: readonly ApiGroup[], has: { readonly openId: boolean }): ServerPath[] =>
  serverPaths(
    groups
      .filter(({ name, versions }) => name !== "" && versions.some(({ kinds }) => kinds.some(({ custom }) => !custom)))
      .map(({ name }) => name),
    has,
  );

/** Everything. */
export function documentV2(groups: readonly ApiGroup[], has: { readonly openId: boolean }): JsonObject {
  const definitions = collectDefinitions("v2");
  const paths: JsonObject = {};
  for (const path of pathsOfServer(groups, has)) Object.assign(paths, renderPaths("v2", [path], path.tag, definitions));
  for (const { name, versions } of groups)
    for (const { version, kinds } of versions) Object.assign(paths, renderGroupVersion("v2", name, version, kinds, definitions));
  return { swagger: "2.0", info, paths, definitions: definitions.all(), securityDefinitions: bearer, security: [{ BearerToken: [] }] };
}

function renderGroupVersion(
  dialect: Dialect,
  group: string,
  version: string,
  kinds: readonly Kind[],
  definitions: Definitions,
): JsonObject {
  for (const kind of kinds) definitions.addKind(kind);
  return renderPaths(dialect, pathsOf(group, version, kinds), tagOf(group, version), definitions);
}

function renderPaths(dialect: Dialect, paths: readonly Path[], tag: string, definitions: Definitions): JsonObject {
  return Object.fromEntries(
    paths.map((path) => {
      const operations = path.operations.map((operation) => {
        for (const name of [operation.body?.definition, operation.answer]) if (name) definitions.add(name);
        return [operation.method, (dialect === "v3" ? operationV3 : operationV2)(path, operation, tag)] as const;
      });
      const variables = path.variables.map((name) => parameter(dialect, name, "string", "path"));
      return [path.path, { ...Object.fromEntries(operations), ...(variables.length > 0 && { parameters: variables }) }];
    }),
  );
}

function parameter(dialect: Dialect, name: string, type: string, place: "path" | "query"): JsonObject {
  const schema = { type, uniqueItems: true };
  return { name, in: place, ...(place === "path" && { required: true }), ...(dialect === "v3" ? { schema } : schema) };
}

const queryParameters = (dialect: Dialect, { query }: Operation): JsonObject[] =>
  Object.entries(query)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, type]) => parameter(dialect, name, type, "query"));

const facts = ({ id, action, kind }: Operation, tag: string): JsonObject => ({
  operationId: id,
  tags: [tag],
  ...(action && { "x-kubernetes-action": action }),
  ...(kind && { [gvkExtension]: { group: kind.group, version: kind.version, kind: kind.kind } }),
});

const isLong = ({ action }: Operation): boolean => action === "list" || action === "watch" || action === "watchlist";

function operationV3(path: Path, operation: Operation, tag: string): JsonObject {
  const { body, answer, codes } = operation;
  const schema = answer ? refTo(answer, "v3") : { type: "string" };
  const content = Object.fromEntries(producedBy(path, operation).map((type) => [type, { schema }]));
  const bodyTypes = operation.method === "patch" ? patchTypesOf(path) : ["*/*"];
  return {
    ...facts(operation, tag),
    parameters: queryParameters("v3", operation),
    ...(body && {
      requestBody: {
        content: Object.fromEntries(bodyTypes.map((type) => [type, { schema: refTo(body.definition, "v3") }])),
        ...(body.required && { required: true }),
      },
    }),
    responses: {
      ...Object.fromEntries(codes.map((code) => [code, { description: descriptions[code], content }])),
      401: { description: descriptions[401] },
    },
  };
}

function operationV2(path: Path, operation: Operation, tag: string): JsonObject {
  const { body, answer, codes } = operation;
  const schema = answer ? refTo(answer, "v2") : { type: "string" };
  return {
    ...facts(operation, tag),
    consumes: operation.method === "patch" ? patchTypesOf(path) : ["*/*"],
    produces: producedBy(path, operation),
    schemes: ["https"],
    parameters: [
      ...(body ? [{ name: "body", in: "body", ...(body.required && { required: true }), schema: refTo(body.definition, "v2") }] : []),
      ...queryParameters("v2", operation),
    ],
    responses: {
      ...Object.fromEntries(codes.map((code) => [code, { description: descriptions[code], schema }])),
      401: { description: descriptions[401] },
    },
  };
}
