/** A registry that keeps objects in a map and checks next to nothing: for tests of the server in front of it. */
import { type AnyObject, apiVersionOf, type Kind } from "../../shared/api/kind.ts";
import type { JsonObject, ObjectKey } from "../../shared/api/objects.ts";
import { alreadyExists, notFound } from "../../shared/errors/status-error.ts";
import type { Catalog, Registry, RequestContext, WatchEvent } from "../../shared/registry/registry.ts";

/** What was asked of the registry, newest last. */
export interface Call {
  readonly method: string;
  readonly arguments: readonly unknown[];
}

export interface FakeRegistry extends Registry {
  readonly calls: readonly Call[];
  /** What the next watches yield; each ends with its signal when the list is used up, or at once for `end`. */
  events: (WatchEvent | "end")[];
  /** Thrown by the next watches, before they begin. */
  failure: Error | undefined;
  readonly last: (method: string) => readonly unknown[];
}

export const catalogOf = (kinds: readonly Kind[], version = "1"): Catalog => ({
  version,
  byResource: (group, v, plural) => kinds.find((kind) => kind.group === group && kind.version === v && kind.plural === plural),
  byKind: (group, v, name) => kinds.find((kind) => kind.group === group && kind.version === v && kind.kind === name),
  all: () => kinds,
});

const path = (cluster: string, kind: Kind, { namespace, name }: ObjectKey) => [cluster, kind.storage, namespace, name].join("/");

export function fakeRegistry(kinds: readonly Kind[]): FakeRegistry {
  const catalog = catalogOf(kinds);
  const objects = new Map<string, AnyObject>();
  const calls: Call[] = [];
  let revision = 0;
  const put = (kind: Kind, key: ObjectKey, body: JsonObject, { cluster }: RequestContext): AnyObject => {
    const metadata = { ...(body.metadata as object), name: key.name, resourceVersion: String(++revision), uid: `uid-${key.name}` };
    const object = {
      ...body,
      apiVersion: apiVersionOf(kind),
      kind: kind.kind,
      metadata: { ...metadata, ...(key.namespace && { namespace: key.namespace }), creationTimestamp: "2026-01-01T00:00:00Z" },
    } as AnyObject;
    objects.set(path(cluster, kind, key), object);
    return object;
  };
  const read = (kind: Kind, key: ObjectKey, { cluster }: RequestContext): AnyObject => {
    const found = objects.get(path(cluster, kind, key));
    if (!found) throw notFound(kind, key.name);
    return found;
  };
  const inNamespace = (kind: Kind, namespace: string, { cluster }: RequestContext) =>
    [...objects.entries()]
      .filter(([key]) => key.startsWith([cluster, kind.storage, ...(namespace ? [namespace, ""] : [""])].join("/")))
      .map(([, object]) => object);
  const record = (method: string, ...args: readonly unknown[]) => void calls.push({ method, arguments: args });

  const registry: FakeRegistry = {
    calls,
    events: [],
    failure: undefined,
    last: (method) => calls.findLast((call) => call.method === method)?.arguments ?? [],
    catalog: async () => catalog,
    reader: async () => {
      throw new Error("the fake registry has no reader");
    },
    async get(kind, key, parameters, context) {
      record("get", kind, key, parameters, context);
      return read(kind, key, context);
    },
    async list(kind, parameters, context) {
      record("list", kind, parameters, context);
      const all = inNamespace(kind, parameters.namespace, context);
      const items = all.slice(0, parameters.limit || undefined);
      const more = all.length > items.length;
      return {
        items,
        resourceVersion: String(revision),
        ...(more && { continue: "token", remainingItemCount: all.length - items.length }),
      };
    },
    async watch(kind, parameters, context) {
      record("watch", kind, parameters, context);
      if (registry.failure) throw registry.failure;
      const { signal } = context;
      return (async function* () {
        for (const event of registry.events) {
          if (event === "end") return;
          yield event;
        }
        await new Promise<void>((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      })();
    },
    async create(kind, namespace, body, write, context) {
      record("create", kind, namespace, body, write, context);
      const key = { namespace, name: (body.metadata as { name: string }).name };
      if (objects.has(path(context.cluster, kind, key))) throw alreadyExists(kind, key.name);
      return put(kind, key, body, context);
    },
    async update(kind, key, subresource, body, write, context) {
      record("update", kind, key, subresource, body, write, context);
      const created = !objects.has(path(context.cluster, kind, key));
      return { object: put(kind, key, body, context), created };
    },
    async patch(kind, key, subresource, patch, write, context) {
      record("patch", kind, key, subresource, patch, write, context);
      return { object: put(kind, key, { ...read(kind, key, context), ...(patch.body as JsonObject) }, context), created: false };
    },
    async delete(kind, key, parameters, context) {
      record("delete", kind, key, parameters, context);
      const object = read(kind, key, context);
      objects.delete(path(context.cluster, kind, key));
      return { type: object.metadata.finalizers ? "marked" : "deleted", object };
    },
    async deleteCollection(kind, list, parameters, context) {
      record("deleteCollection", kind, list, parameters, context);
      return { items: inNamespace(kind, list.namespace, context), resourceVersion: String(revision) };
    },
    async getSubresource(kind, key, subresource, context) {
      record("getSubresource", kind, key, subresource, context);
      const { metadata } = read(kind, key, context);
      return { apiVersion: "autoscaling/v1", kind: "Scale", metadata, spec: { replicas: 1 } };
    },
    async updateSubresource(kind, key, subresource, body, write, context) {
      record("updateSubresource", kind, key, subresource, body, write, context);
      return body as AnyObject;
    },
    async createSubresource(kind, key, subresource, body, write, context) {
      record("createSubresource", kind, key, subresource, body, write, context);
      return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } as unknown as AnyObject;
    },
  };
  return registry;
}
