/**
 * A small working Kubernetes API in memory, as controllers see it: the client, and the feed of what changed. It knows versions,
 * generations, preconditions, guards, finalizers and graceful deletion of Pods; it defaults and validates nothing.
 */
import type { Client, DeleteOptions, KindRef, PlanGuard, WriteOptions } from "../../shared/api/client.ts";
import { apiVersionOf } from "../../shared/api/kind.ts";
import { controllerOf, type KubeObject, type ObjectKey } from "../../shared/api/objects.ts";
import { parseFieldSelector, parseLabelSelector } from "../../shared/api/selectors.ts";
import { alreadyExists, conflict, forbidden, notFound } from "../../shared/errors/status-error.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Observed } from "../../shared/runtime/controller.ts";
import type { Feed } from "../../shared/runtime/feed.ts";

interface Change extends Observed {
  readonly revision: number;
  readonly plan: string | undefined;
}

interface Log {
  readonly objects: Map<string, AnyObject>;
  readonly changes: Change[];
  revision: number;
}

type AnyObject = KubeObject & { spec?: unknown; status?: unknown };

export interface FakeApi {
  readonly client: Client;
  readonly feed: Feed;
  /** Called before each write with what it is about; throwing makes it fail. */
  intercept(before: (write: { readonly verb: string; readonly kind: KindRef; readonly key: ObjectKey }) => void | Promise<void>): void;
  /** Writes so far, as `verb plural namespace/name`. */
  readonly writes: readonly string[];
  all<T extends KubeObject>(kind: KindRef<T>): T[];
  get<T extends KubeObject>(kind: KindRef<T>, name: string, namespace?: string): T | undefined;
  /** Stops serving a kind; its objects stay. */
  withdraw(kind: KindRef): void;
  /** Changes older than now are forgotten: feeds have to start again. */
  compact(): void;
}

const textOf = ({ namespace, name }: ObjectKey): string => `${namespace}/${name}`;
const keyOf = ({ metadata }: KubeObject): ObjectKey => ({ namespace: metadata.namespace ?? "", name: metadata.name });

const letPass: Parameters<FakeApi["intercept"]>[0] = () => {};

export function fakeApi(clock: Clock): FakeApi {
  const logs = new Map<string, Log>();
  const withdrawn = new Set<string>();
  const writes: string[] = [];
  let uids = 0;
  let before = letPass;
  let floor = 0;

  const logOf = (kind: KindRef): Log => {
    if (withdrawn.has(`${kind.group}/${kind.plural}`)) throw notFound(kind, "");
    const name = `${kind.group}/${kind.plural}`;
    let log = logs.get(name);
    if (!log) logs.set(name, (log = { objects: new Map(), changes: [], revision: 1000 }));
    return log;
  };
  const now = () => `${clock.now().toISOString().slice(0, 19)}Z`;

  const commit = (kind: KindRef, key: ObjectKey, next: AnyObject | undefined, plan?: string): AnyObject => {
    const log = logOf(kind);
    const previous = log.objects.get(textOf(key));
    log.revision += 1000;
    const stored = next && freeze({ ...next, metadata: { ...next.metadata, resourceVersion: String(log.revision) } });
    if (stored) log.objects.set(textOf(key), stored);
    else log.objects.delete(textOf(key));
    log.changes.push({ previous, next: stored, revision: log.revision, plan });
    return stored ?? (previous as AnyObject);
  };

  const check = (kind: KindRef, key: ObjectKey, guard: PlanGuard | undefined) => {
    if (!guard) return;
    const concerned = logOf(kind).changes.some(
      ({ revision, plan, previous, next }) =>
        revision > guard.revision &&
        plan !== guard.plan &&
        [previous, next].some((object) => object && controllerOf(object)?.uid === guard.owner),
    );
    if (concerned) throw conflict(kind, key.name, "what the plan relied on has changed");
  };

  const write = async (verb: string, kind: KindRef, key: ObjectKey) => {
    await before({ verb, kind, key });
    writes.push(`${verb} ${kind.plural} ${textOf(key)}`);
  };

  const put = async (
    kind: KindRef,
    object: AnyObject,
    part: "" | "status" | "finalize",
    options: WriteOptions = {},
  ): Promise<AnyObject> => {
    const key = keyOf(object);
    await write(part === "" ? "update" : `update/${part}`, kind, key);
    const current = logOf(kind).objects.get(textOf(key));
    if (!current) throw notFound(kind, key.name);
    if (object.metadata.resourceVersion !== current.metadata.resourceVersion || object.metadata.uid !== current.metadata.uid) {
      throw conflict(kind, key.name, "the object has been modified; please apply your changes to the latest version and try again");
    }
    check(kind, key, options.guard);
    const next: AnyObject =
      part === "status" ? { ...current, metadata: object.metadata, status: object.status } : { ...object, status: current.status };
    if (kind.plural === "namespaces" && part === "")
      next.spec = { ...(next.spec as object), finalizers: (current.spec as never)["finalizers"] };
    const { resourceVersion: _old, generation: _generation, ...metadata } = clean(next.metadata);
    const generation = (current.metadata.generation ?? 1) + (same(next.spec, current.spec) ? 0 : 1);
    next.metadata = { ...metadata, generation, resourceVersion: current.metadata.resourceVersion };
    const wanted = clean(next);
    if (same(wanted, current)) return current;
    if (current.metadata.deletionTimestamp && !isHeld(kind, wanted)) return commit(kind, key, undefined, options.guard?.plan);
    return commit(kind, key, wanted, options.guard?.plan);
  };

  const client: Client = {
    get: async (kind, key) => logOf(kind).objects.get(textOf(key)) as never,
    list: async (kind, { namespace, labelSelector = "", fieldSelector = "" } = {}) => {
      const log = logOf(kind);
      const labels = parseLabelSelector(labelSelector);
      const fields = parseFieldSelector(fieldSelector);
      const items = [...log.objects.values()].filter(
        (object) =>
          (namespace === undefined || object.metadata.namespace === namespace) &&
          labels.matches(object.metadata.labels) &&
          fields.every(({ field, value }) => field !== "metadata.name" || object.metadata.name === value),
      );
      return { items: items as never, revision: log.revision };
    },
    create: async (kind, draft, options = {}) => {
      const name = draft.metadata.name || `${draft.metadata.generateName}${++uids}`;
      const key = { namespace: draft.metadata.namespace ?? "", name };
      await write("create", kind, key);
      if (logOf(kind).objects.has(textOf(key))) throw alreadyExists(kind, name);
      const home = logs.get("/namespaces")?.objects.get(`/${key.namespace}`);
      if (kind.namespaced && home?.metadata.deletionTimestamp) {
        throw forbidden(kind, name, "unable to create new content in namespace because it is being terminated", [
          { reason: "NamespaceTerminating", message: "is being terminated" },
        ]);
      }
      check(kind, key, options.guard);
      const metadata = { ...draft.metadata, name, uid: `uid-${++uids}`, creationTimestamp: now(), generation: 1, resourceVersion: "" };
      const object = clean({ ...structuredClone(draft), apiVersion: apiVersionOf(kind), kind: kind.kind, metadata }) as AnyObject;
      if (kind.plural === "namespaces") object.spec = { finalizers: ["kubernetes"] };
      return commit(kind, key, object, options.guard?.plan) as never;
    },
    update: (kind, object, options) => put(kind, object, "", options) as never,
    updateStatus: (kind, object, options) => put(kind, object, "status", options) as never,
    modify: async (kind, key, change, options = {}) => {
      for (let attempt = 0; ; attempt++) {
        const current = logOf(kind).objects.get(textOf(key));
        if (!current) return undefined;
        const next = change(current as never);
        if ((next as KubeObject) === current) return current as never;
        try {
          return (await put(kind, next, options.subresource ?? "", options)) as never;
        } catch (error) {
          if (attempt >= 10 || (error as { reason?: string }).reason !== "Conflict") throw error;
        }
      }
    },
    delete: async (kind, key, options: DeleteOptions = {}) => {
      await write("delete", kind, key);
      const current = logOf(kind).objects.get(textOf(key));
      if (!current) throw notFound(kind, key.name);
      const { uid, resourceVersion, propagationPolicy, guard } = options;
      if ((uid ?? current.metadata.uid) !== current.metadata.uid)
        throw conflict(kind, key.name, "the UID in the precondition does not match");
      if ((resourceVersion ?? current.metadata.resourceVersion) !== current.metadata.resourceVersion) {
        throw conflict(kind, key.name, "the ResourceVersion in the precondition does not match");
      }
      check(kind, key, guard);
      const finalizers = new Set(current.metadata.finalizers);
      if (propagationPolicy) {
        finalizers.delete("orphan");
        finalizers.delete("foregroundDeletion");
        if (propagationPolicy === "Orphan") finalizers.add("orphan");
        if (propagationPolicy === "Foreground") finalizers.add("foregroundDeletion");
      }
      const bound = kind.plural === "pods" && Boolean((current.spec as { nodeName?: string } | undefined)?.nodeName);
      const grace = bound ? (options.gracePeriodSeconds ?? 30) : 0;
      const next: AnyObject = {
        ...current,
        metadata: {
          ...current.metadata,
          finalizers: [...finalizers],
          deletionTimestamp: current.metadata.deletionTimestamp ?? now(),
          deletionGracePeriodSeconds: grace,
        },
      };
      if (kind.plural === "namespaces") next.status = { phase: "Terminating" };
      if (!isHeld(kind, next)) commit(kind, key, undefined, guard?.plan);
      else if (!same(next.metadata, current.metadata)) commit(kind, key, clean(next), guard?.plan);
    },
    createSubresource: async (kind, key, subresource) => {
      await write(`create/${subresource}`, kind, key);
      return {};
    },
  };

  const feed: Feed = {
    read: async (kind, after) => {
      const log = logOf(kind);
      if (after === undefined || after < floor) return { all: [...log.objects.values()], revision: log.revision } as never;
      return { changes: log.changes.filter(({ revision }) => revision > after), revision: log.revision } as never;
    },
  };

  return {
    client,
    feed,
    writes,
    intercept: (next) => {
      before = next;
    },
    all: (kind) => [...(logs.get(`${kind.group}/${kind.plural}`)?.objects.values() ?? [])] as never,
    get: (kind, name, namespace = "default") =>
      logs.get(`${kind.group}/${kind.plural}`)?.objects.get(textOf({ namespace: kind.namespaced ? namespace : "", name })) as never,
    withdraw: (kind) => void withdrawn.add(`${kind.group}/${kind.plural}`),
    compact: () => {
      floor = Math.max(0, ...[...logs.values()].map(({ revision }) => revision));
    },
  };
}

/** An object that is being deleted goes when nothing holds it any more. */
const isHeld = (kind: KindRef, object: AnyObject): boolean => {
  const spec = object.spec as { finalizers?: string[]; nodeName?: string } | undefined;
  if ((object.metadata.finalizers ?? []).length > 0) return true;
  if (kind.plural === "namespaces") return (spec?.finalizers ?? []).length > 0;
  return (object.metadata.deletionGracePeriodSeconds ?? 0) > 0;
};

/** Without fields that are undefined, as JSON would have it. */
const clean = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const same = (one: unknown, other: unknown): boolean => stable(one) === stable(other);

const stable = (value: unknown): string =>
  JSON.stringify(value ?? null, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([one], [other]) => (one < other ? -1 : 1)))
      : inner,
  );

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    Object.freeze(value);
    for (const inner of Object.values(value)) freeze(inner);
  }
  return value;
}
