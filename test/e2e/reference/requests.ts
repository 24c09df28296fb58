/** Requests as scenarios write them. `{namespace}`, in a path, a header or a body, stands for the namespace that a scenario has to itself. */

/** Bodies of the scenario's earlier answers, oldest first, as the server that is asked gave them. */
export type Earlier = readonly any[];

export interface Exchange {
  readonly type: "exchange";
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** A string is sent as it is, anything else as JSON. */
  readonly body?: string | object | ((earlier: Earlier) => unknown);
}

/** Waits until both servers answer so. What they say meanwhile is not compared. */
export interface Until {
  readonly type: "until";
  readonly path: string;
  readonly holds: (answer: any) => boolean;
}

/** A watch, what happens while it is open, and the number of events after which it is closed. */
export interface Watch {
  readonly type: "watch";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly events: number;
  readonly during: readonly Exchange[];
}

export type Step = Exchange | Until | Watch;

/** What a theme is about, and its scenarios by name. */
export interface Theme {
  readonly name: string;
  /** Its scenarios run at the same time: both servers take their time for some of them, and they have nothing in common. */
  readonly concurrent?: true;
  readonly scenarios: Readonly<Record<string, readonly Step[]>>;
}

type Headers = Readonly<Record<string, string>>;
type Body = Exchange["body"];

const exchange = (method: string, path: string, headers: Headers, body?: Body): Exchange => ({
  type: "exchange",
  method,
  path,
  headers,
  ...(body !== undefined && { body }),
});

const json = { "content-type": "application/json" };

export const get = (path: string, headers: Headers = {}): Exchange => exchange("GET", path, headers);
export const post = (path: string, body: Body, headers: Headers = {}): Exchange => exchange("POST", path, { ...json, ...headers }, body);
export const put = (path: string, body: Body, headers: Headers = {}): Exchange => exchange("PUT", path, { ...json, ...headers }, body);
export const remove = (path: string, options?: Body, headers: Headers = {}): Exchange =>
  exchange("DELETE", path, { ...(options !== undefined && json), ...headers }, options);
/** Any method, with only the headers given. */
export const plain = exchange;

const patchAs =
  (mediaType: string) =>
  (path: string, patch: Body, headers: Headers = {}): Exchange =>
    exchange("PATCH", path, { "content-type": mediaType, ...headers }, patch);

export const mergePatch = patchAs("application/merge-patch+json");
export const strategicPatch = patchAs("application/strategic-merge-patch+json");
export const jsonPatch = patchAs("application/json-patch+json");

const applyPatch = patchAs("application/apply-patch+yaml");

/** Server-side apply. @param manager whose it is; what is left out of the query if empty */
export const apply = (path: string, manager: string, body: Body): Exchange =>
  applyPatch(`${path}${manager ? `?fieldManager=${manager}` : ""}`, body);
export const forceApply = (path: string, manager: string, body: Body): Exchange =>
  applyPatch(`${path}?fieldManager=${manager}&force=true`, body);

export const until = (path: string, holds: Until["holds"]): Until => ({ type: "until", path, holds });

export const watch = (path: string, events: number, during: readonly Exchange[] = [], headers: Headers = {}): Watch => ({
  type: "watch",
  path: `${path}${path.includes("?") ? "&" : "?"}watch=true`,
  headers,
  events,
  during,
});

/** `?key=value`, escaped. */
export const query = (parameters: Readonly<Record<string, string | number | boolean>>): string =>
  `?${Object.entries(parameters)
    .map(([key, value]) => `${key}=${encodeURIComponent(value)}`)
    .join("&")}`;

export const asTable = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
export const asMetadata = { accept: "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io" };
export const asMetadataList = { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" };

/** The path of a resource in the scenario's namespace: of the core group where none is named. */
export const namespaced = (resource: string, groupVersion = "v1"): string => `${rootOf(groupVersion)}/namespaces/{namespace}/${resource}`;
export const clusterScoped = (resource: string, groupVersion = "v1"): string => `${rootOf(groupVersion)}/${resource}`;
const rootOf = (groupVersion: string): string => (groupVersion.includes("/") ? `/apis/${groupVersion}` : `/api/${groupVersion}`);

export const configMaps = namespaced("configmaps");
export const pods = namespaced("pods");
export const services = namespaced("services");
export const secrets = namespaced("secrets");
export const deployments = namespaced("deployments", "apps/v1");

export { aConfigMap } from "../../support/registry.ts";

export const aPod = (name: string, spec: object = {}, metadata: object = {}): any => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "main", image: "nginx" }], ...spec },
});

/** @param container added to its only container */
export const aDeployment = (name: string, container: object = {}, spec: object = {}): any => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: "shop" } },
    template: { metadata: { labels: { app: "shop" } }, spec: { containers: [{ name: "main", image: "nginx", ...container }] } },
    ...spec,
  },
});
