/** The OpenAPI documents of a cluster: version 3 one by one, version 2 in one piece. */
import { apiVersionOf, type Kind } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { patchTypes } from "../body.ts";
import type { ApiGroup } from "../discovery/documents.ts";
import { json, protobuf, yaml } from "../media-types.ts";
import { type Operation, type Path, pathsOf } from "./operations.ts";
import { collectDefinitions, type Definitions, type Dialect, gvkExtension, refTo, tagOf } from "./schemas.ts";

const info = { title: "Kubernetes", version: "unversioned" };
const bearer = { BearerToken: { type: "apiKey", in: "header", name: "authorization", description: "Bearer Token authentication" } };
const descriptions: Readonly<Record<number, string>> = { 200: "OK", 201: "Created", 202: "Accepted", 401: "Unauthorized" };

const producedBy = ({ custom }: Path): string[] => (custom ? [json, yaml] : [json, yaml, protobuf]);
const streamed = ["application/json;stream=watch", `${protobuf};stream=watch`];
const patchTypesOf = ({ custom }: Path): string[] =>
  Object.entries(patchTypes)
    .filter(([, type]) => !custom || type !== "strategic")
    .map(([mediaType]) => mediaType);

/** `api/v1`, `apis/apps/v1` */
export const documentPath = (group: string, version: string): string => `${group ? "apis" : "api"}/${apiVersionOf({ group, version })}`;

/** One group version, complete in itself. */
export function documentV3(group: string, version: string, kinds: readonly Kind[]): JsonObject {
  const definitions = collectDefinitions("v3");
  const paths = renderPaths("v3", group, version, kinds, definitions);
  return { openapi: "3.0.0", info, paths, components: { schemas: definitions.all(), securitySchemes: bearer } };
}

/** Everything. */
export function documentV2(groups: readonly ApiGroup[]): JsonObject {
  const definitions = collectDefinitions("v2");
  const paths: JsonObject = {};
  for (const { name, versions } of groups)
    for (const { version, kinds } of versions) Object.assign(paths, renderPaths("v2", name, version, kinds, definitions));
  return { swagger: "2.0", info, paths, definitions: definitions.all(), securityDefinitions: bearer, security: [{ BearerToken: [] }] };
}

function renderPaths(dialect: Dialect, group: string, version: string, kinds: readonly Kind[], definitions: Definitions): JsonObject {
  for (const kind of kinds) definitions.addKind(kind);
  const tag = tagOf(group, version);
  return Object.fromEntries(
    pathsOf(group, version, kinds).map((path) => {
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
  const types = answer ? [...producedBy(path), ...(isLong(operation) && !path.custom ? streamed : [])] : ["text/plain"];
  const content = Object.fromEntries(types.map((type) => [type, { schema }]));
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
    produces: answer ? [...producedBy(path), ...(isLong(operation) && !path.custom ? streamed : [])] : ["text/plain"],
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
