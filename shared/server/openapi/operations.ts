/** What can be done with the kinds of a group version, path by path: the same facts for both versions of the OpenAPI document. */

import { definitionOf } from "../../api/builtin-schemas.ts";
import { apiVersionOf, type Kind } from "../../api/kind.ts";
import { answersWithDeleted } from "../deleted-answers.ts";
import { json } from "../media-types.ts";
import { openIdPaths } from "../openid.ts";
import { camel, capitalised, groupWords, listDefinition, names } from "./schemas.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

/** A query parameter: its name says the rest. */
export type ParameterType = "string" | "integer" | "boolean";

export interface Operation {
  readonly method: Method;
  readonly id: string;
  /** `x-kubernetes-action`; absent for discovery. */
  readonly action?: "get" | "list" | "post" | "put" | "patch" | "delete" | "deletecollection" | "watch" | "watchlist";
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string };
  readonly query: Readonly<Record<string, ParameterType>>;
  /** Definition of the request body. */
  readonly body?: { readonly definition: string; readonly required: boolean };
  /** Definition of the answer, or text. */
  readonly answer: string | undefined;
  readonly codes: readonly number[];
}

export interface Path {
  readonly path: string;
  /** Names of the segments in braces. */
  readonly variables: readonly string[];
  readonly operations: readonly Operation[];
  /** Serves custom resources: JSON and YAML only, no strategic merge. */
  readonly custom: boolean;
  /** Media types of the answer, where they are not those of a kind's. */
  readonly produces?: readonly string[];
}

/** Paths that belong to no group version: each has a document of its own in version 3. */
export interface ServerPath extends Path {
  /** `apis/apps` */
  readonly document: string;
  readonly tag: string;
}

const pretty = { pretty: "string" } as const;
const write = { dryRun: "string", fieldManager: "string", fieldValidation: "string" } as const;
const list = {
  allowWatchBookmarks: "boolean",
  continue: "string",
  fieldSelector: "string",
  labelSelector: "string",
  limit: "integer",
  resourceVersion: "string",
  resourceVersionMatch: "string",
  sendInitialEvents: "boolean",
  timeoutSeconds: "integer",
  watch: "boolean",
} as const;
const { allowWatchBookmarks: _bookmarks, watch: _watch, ...collection } = list;
const remove = { dryRun: "string", gracePeriodSeconds: "integer", orphanDependents: "boolean", propagationPolicy: "string" } as const;
const logs = {
  container: "string",
  follow: "boolean",
  limitBytes: "integer",
  previous: "boolean",
  sinceSeconds: "integer",
  tailLines: "integer",
  timestamps: "boolean",
} as const;

/** Connections into Pods, Nodes and Services are no operations of this document: nothing here answers them. */
const connections = new Set(["attach", "exec", "portforward", "proxy"]);

/** @param kinds of one group version */
export function pathsOf(group: string, version: string, kinds: readonly Kind[]): Path[] {
  const base = `/${group ? "apis/" : "api/"}${apiVersionOf({ group, version })}`;
  const prefix = `${groupWords(group).map(capitalised).join("")}${capitalised(version)}`;
  const discovery: Path = {
    path: `${base}/`,
    variables: [],
    operations: [{ method: "get", id: `get${prefix}APIResources`, query: {}, answer: names.apiResourceList, codes: [200] }],
    custom: false,
  };
  return [discovery, ...kinds.flatMap((kind) => kindPaths(base, prefix, kind))].filter(({ operations }) => operations.length > 0);
}

/**
 * What tells clients about the server itself.
 * @param groups built-in ones, without the core group. Upstream describes no others.
 */
export function serverPaths(groups: readonly string[], { openId }: { readonly openId: boolean }): ServerPath[] {
  const path = (document: string, tag: string, id: string, answer?: string, produces?: readonly string[]): ServerPath => ({
    document,
    tag,
    path: `/${document}/`,
    variables: [],
    operations: [{ method: "get", id, query: {}, answer, codes: [200] }],
    custom: false,
    ...(produces && { produces }),
  });
  return [
    path("api", "core", "getCoreAPIVersions", names.apiVersions),
    path("apis", "apis", "getAPIVersions", names.apiGroupList),
    ...groups.map((group) => {
      const words = groupWords(group);
      return path(`apis/${group}`, camel(words), `get${words.map(capitalised).join("")}APIGroup`, names.apiGroup);
    }),
    path("version", "version", "getCodeVersion", names.version, [json]),
    ...(openId
      ? [
          path(openIdPaths.configuration.slice(1), "WellKnown", "getServiceAccountIssuerOpenIDConfiguration", undefined, [json]),
          path(openIdPaths.keys.slice(1), "openid", "getServiceAccountIssuerOpenIDKeyset", undefined, ["application/jwk-set+json"]),
        ]
      : []),
  ];
}

function kindPaths(base: string, prefix: string, kind: Kind): Path[] {
  const scope = kind.namespaced ? "Namespaced" : "";
  const inScope = kind.namespaced ? "/namespaces/{namespace}" : "";
  const scopeVariables = kind.namespaced ? ["namespace"] : [];
  const collectionPath = `${base}${inScope}/${kind.plural}`;
  const self = { group: kind.group, version: kind.version, kind: kind.kind };
  const { custom } = kind;
  const has = (verb: string) => kind.verbs.includes(verb);
  const when = (verb: string, operation: Operation): Operation[] => (has(verb) ? [operation] : []);
  const own = { kind: self, answer: kind.definition } as const;

  const many: Operation[] = [
    ...when("list", {
      method: "get",
      id: `list${prefix}${scope}${kind.kind}`,
      action: "list",
      kind: self,
      query: { ...list, ...pretty },
      answer: listDefinition(kind),
      codes: [200],
    }),
    ...when("create", {
      method: "post",
      id: `create${prefix}${scope}${kind.kind}`,
      action: "post",
      ...own,
      query: { ...write, ...pretty },
      body: { definition: kind.definition, required: true },
      codes: [200, 201, 202],
    }),
    ...when("deletecollection", {
      method: "delete",
      id: `delete${prefix}Collection${scope}${kind.kind}`,
      action: "deletecollection",
      kind: self,
      query: { ...collection, ...remove, ...pretty },
      body: { definition: names.deleteOptions, required: false },
      answer: names.status,
      codes: [200],
    }),
  ];
  const one: Operation[] = [
    ...when("get", { method: "get", id: `read${prefix}${scope}${kind.kind}`, action: "get", ...own, query: pretty, codes: [200] }),
    ...when("update", {
      method: "put",
      id: `replace${prefix}${scope}${kind.kind}`,
      action: "put",
      ...own,
      query: { ...write, ...pretty },
      body: { definition: kind.definition, required: true },
      codes: [200, 201],
    }),
    ...when("patch", {
      method: "patch",
      id: `patch${prefix}${scope}${kind.kind}`,
      action: "patch",
      ...own,
      query: { ...write, force: "boolean", ...pretty },
      body: { definition: names.patch, required: true },
      codes: [200, 201],
    }),
    ...when("delete", {
      method: "delete",
      id: `delete${prefix}${scope}${kind.kind}`,
      action: "delete",
      kind: self,
      query: { ...remove, ...pretty },
      body: { definition: names.deleteOptions, required: false },
      answer: answersWithDeleted(kind) ? kind.definition : names.status,
      codes: [200, 202],
    }),
  ];
  const watching = (action: "watch" | "watchlist", id: string): Operation[] =>
    has("watch") && !custom
      ? [{ method: "get", id, action, kind: self, query: { ...list, ...pretty }, answer: names.watchEvent, codes: [200] }]
      : [];

  const everywhere: Path[] = kind.namespaced
    ? [
        {
          path: `${base}/${kind.plural}`,
          variables: [],
          custom,
          operations: many
            .filter(({ action }) => action === "list")
            .map((operation) => ({ ...operation, id: `list${prefix}${kind.kind}ForAllNamespaces` })),
        },
        {
          path: `${base}/watch/${kind.plural}`,
          variables: [],
          custom,
          operations: watching("watchlist", `watch${prefix}${kind.kind}ListForAllNamespaces`),
        },
      ]
    : [];
  return [
    ...everywhere,
    { path: collectionPath, variables: scopeVariables, custom, operations: many },
    { path: `${collectionPath}/{name}`, variables: ["name", ...scopeVariables], custom, operations: one },
    ...kind.subresources
      .filter(({ name }) => !connections.has(name))
      .map((subresource) => ({
        path: `${collectionPath}/{name}/${subresource.name}`,
        variables: ["name", ...scopeVariables],
        custom,
        operations: subresourceOperations(`${prefix}${scope}${kind.kind}${capitalised(subresource.name)}`, kind, subresource),
      })),
    {
      path: `${base}/watch${inScope}/${kind.plural}`,
      variables: scopeVariables,
      custom,
      operations: watching("watchlist", `watch${prefix}${scope}${kind.kind}List`),
    },
    {
      path: `${base}/watch${inScope}/${kind.plural}/{name}`,
      variables: ["name", ...scopeVariables],
      custom,
      operations: watching("watch", `watch${prefix}${scope}${kind.kind}`),
    },
  ];
}

function subresourceOperations(
  name: string,
  kind: Kind,
  { name: subresource, group, version, kind: subKind, verbs }: Kind["subresources"][number],
): Operation[] {
  const self = { group, version, kind: subKind };
  const definition = subKind === kind.kind && group === kind.group ? kind.definition : definitionOf(apiVersionOf(self), subKind);
  const isLog = subresource === "log";
  const facts = { kind: self, answer: isLog ? undefined : definition };
  const body = definition ? { body: { definition, required: true } } : {};
  return verbs.flatMap((verb): Operation[] => {
    switch (verb) {
      case "get":
        return [{ method: "get", id: `read${name}`, action: "get", ...facts, query: { ...(isLog && logs), ...pretty }, codes: [200] }];
      case "create":
        return [
          {
            method: "post",
            id: `create${name}`,
            action: "post",
            ...facts,
            query: { ...write, ...pretty },
            ...body,
            codes: [200, 201, 202],
          },
        ];
      case "update":
        return [
          { method: "put", id: `replace${name}`, action: "put", ...facts, query: { ...write, ...pretty }, ...body, codes: [200, 201] },
        ];
      case "patch":
        return [
          {
            method: "patch",
            id: `patch${name}`,
            action: "patch",
            ...facts,
            query: { ...write, force: "boolean", ...pretty },
            body: { definition: names.patch, required: true },
            codes: [200, 201],
          },
        ];
      default:
        return [];
    }
  });
}
