/** A registry over an empty store in memory, and requests to it as a client would make them. */
import type { AdmissionPlugin } from "../../shared/admission/plugin.ts";
import type { AnyObject, Kind } from "../../shared/api/kind.ts";
import type { JsonObject, ObjectKey } from "../../shared/api/objects.ts";
import { StatusError } from "../../shared/errors/status-error.ts";
import { createRegistry } from "../../shared/registry/create-registry.ts";
import type {
  DeleteParameters,
  InternalParameters,
  ListParameters,
  Patch,
  Registry,
  RequestContext,
  WatchEvent,
  WatchParameters,
  WriteParameters,
} from "../../shared/registry/registry.ts";
import { type Log, silentLog } from "../../shared/runtime/log.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { openStore } from "../../shared/store/open-store.ts";
import type { ClusterStore, Store } from "../../shared/store/store.ts";
import type { Table } from "../../shared/store/table.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";

export interface TestRegistry {
  readonly registry: Registry;
  readonly store: Store;
  readonly cluster: ClusterStore;
  readonly clock: FakeClock;
  readonly table: Table;
  /** `kind("pods")`, `kind("deployments.apps")`, `kind("events.events.k8s.io")`. */
  kind(resource: string): Promise<Kind>;
  create(resource: string, body: JsonObject, options?: WriteOptions): Promise<AnyObject>;
  get(resource: string, name: string, resourceVersion?: string): Promise<AnyObject>;
  list(resource: string, options?: Partial<ListParameters>): ReturnType<Registry["list"]>;
  update(resource: string, body: JsonObject, options?: WriteOptions): Promise<AnyObject>;
  patch(resource: string, name: string, patch: Patch, options?: WriteOptions): Promise<AnyObject>;
  remove(resource: string, name: string, options?: Partial<DeleteParameters>): ReturnType<Registry["delete"]>;
  watch(resource: string, options?: Partial<WatchParameters>): Promise<Watching>;
  /** Lets history pass out of reach: what was written before can no longer be watched or listed from. */
  forgetHistory(): Promise<void>;
  /** Whether the object exists. */
  exists(resource: string, name: string): Promise<boolean>;
}

export interface WriteOptions extends Partial<WriteParameters>, InternalParameters {
  readonly namespace?: string;
  readonly subresource?: string;
  /** Collects the answer's warnings. */
  readonly warnings?: string[];
  readonly user?: string;
}

/** A watch whose events are kept as they come. */
export interface Watching {
  readonly events: readonly WatchEvent[];
  /** `ADDED a`, `MODIFIED a`, `BOOKMARK`. */
  readonly said: readonly string[];
  /** Ends it; resolves when it has ended. */
  stop(): Promise<void>;
  /** Resolves when it ends by itself. */
  readonly ended: Promise<void>;
}

export interface RegistrySetup {
  readonly admission?: readonly AdmissionPlugin[];
  readonly table?: Table;
  readonly clock?: FakeClock;
  readonly random?: () => number;
  /** Where the registry logs to; nowhere when absent. */
  readonly log?: Log;
}

/** Of a request that is made to the registry itself. */
export const context = ({ warnings = [], user = "tester" }: WriteOptions = {}, signal = new AbortController().signal): RequestContext => ({
  cluster: "test",
  user: { username: user, groups: ["system:authenticated"] },
  userAgent: "test/1.0",
  auditId: "audit",
  signal,
  warnings,
});

const key = (of: Kind, name: string, namespace = "default"): ObjectKey => ({ namespace: of.namespaced ? namespace : "", name });

const parameters = ({
  dryRun = false,
  fieldManager = "tester",
  fieldValidation = "Ignore",
  bodyProblems,
  guard,
  consumer,
}: WriteOptions = {}): WriteParameters & InternalParameters => ({
  dryRun,
  fieldManager,
  fieldValidation,
  ...(bodyProblems && { bodyProblems }),
  ...(guard && { guard }),
  ...(consumer && { consumer }),
});

const nameOf = (body: JsonObject): string => (body.metadata as { name?: string } | undefined)?.name ?? "";

/** Everything in the namespace `default`, unless told otherwise. */
export async function aRegistry({
  admission = [],
  clock = fakeClock(),
  table = memoryTable({ clock }),
  random,
  log = silentLog,
}: RegistrySetup = {}): Promise<TestRegistry> {
  const store = openStore({ table, clock, log: silentLog });
  const cluster = await store.createCluster("test");
  const registry = createRegistry({ store, clock, log, admission, ...(random && { random }) });

  const kind = async (resource: string): Promise<Kind> => {
    const [plural = "", ...group] = resource.split(".");
    const kinds = (await registry.catalog("test", { fresh: true })).all();
    const [, version] = resource.split("/");
    const name = group.join(".").replace(/\/.*/, "");
    const found = kinds.find(
      (one) => one.plural === plural.replace(/\/.*/, "") && one.group === name && (!version || one.version === version),
    );
    if (!found) throw new Error(`no resource ${resource}`);
    return found;
  };

  return {
    registry,
    store,
    cluster,
    clock,
    table,
    kind,
    create: async (resource, body, options = {}) => {
      const of = await kind(resource);
      const namespace = of.namespaced ? (options.namespace ?? "default") : "";
      if (options.subresource) {
        return registry.createSubresource(
          of,
          key(of, nameOf(body), options.namespace),
          options.subresource,
          body,
          parameters(options),
          context(options),
        );
      }
      return registry.create(of, namespace, body, parameters(options), context(options));
    },
    get: async (resource, name, resourceVersion) => {
      const of = await kind(resource);
      return registry.get(of, key(of, name), resourceVersion === undefined ? {} : { resourceVersion }, context());
    },
    list: async (resource, options = {}) =>
      registry.list(await kind(resource), { namespace: "", labelSelector: "", fieldSelector: "", ...options }, context()),
    update: async (resource, body, options = {}) => {
      const of = await kind(resource);
      const at = key(of, nameOf(body), options.namespace);
      const { subresource = "" } = options;
      if (subresource === "" || subresource === "status") {
        return (await registry.update(of, at, subresource, body, parameters(options), context(options))).object;
      }
      return registry.updateSubresource(of, at, subresource, body, parameters(options), context(options));
    },
    patch: async (resource, name, patch, options = {}) => {
      const of = await kind(resource);
      return (
        await registry.patch(of, key(of, name, options.namespace), options.subresource ?? "", patch, parameters(options), context(options))
      ).object;
    },
    remove: async (resource, name, options = {}) => {
      const of = await kind(resource);
      return registry.delete(of, key(of, name), { dryRun: false, ...options }, context());
    },
    forgetHistory: async () => {
      await clock.advance(10 * 60_000);
      while (await store.maintain("test", { untilMs: clock.now().getTime() + 1_000 }));
      // What the floor is, a process knows for a while.
      await clock.advance(60_000);
    },
    exists: async (resource, name) => {
      const of = await kind(resource);
      try {
        await registry.get(of, key(of, name), {}, context());
        return true;
      } catch (error) {
        if (error instanceof StatusError && error.reason === "NotFound") return false;
        throw error;
      }
    },
    watch: async (resource, options = {}) => {
      const stop = new AbortController();
      const iterable = await registry.watch(
        await kind(resource),
        { namespace: "", labelSelector: "", fieldSelector: "", allowWatchBookmarks: false, ...options },
        context({}, stop.signal),
      );
      const events: WatchEvent[] = [];
      const said: string[] = [];
      const ended = (async () => {
        for await (const event of iterable) {
          events.push(event);
          said.push(event.type === "BOOKMARK" || event.type === "ERROR" ? event.type : `${event.type} ${event.object.metadata.name}`);
        }
      })();
      return {
        events,
        said,
        ended,
        stop: () => {
          stop.abort();
          return ended;
        },
      };
    },
  };
}

/** Moves time on until a promise is settled: writers that race for a slot wait a little before they try again. */
export async function driven<T>({ clock }: TestRegistry, promise: Promise<T>): Promise<T> {
  const state = { isSettled: false };
  const settle = () => {
    state.isSettled = true;
  };
  promise.then(settle, settle);
  while (!state.isSettled) await clock.advance(50);
  return promise;
}

/** A StatusError's status, or an error when the promise does not fail with one. */
export async function refusal(promise: Promise<unknown>): Promise<ReturnType<StatusError["toStatus"]>> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof StatusError) return error.toStatus();
    throw error;
  }
  throw new Error("was not refused");
}

export const aConfigMap = (name: string, data: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, ...metadata },
  data,
});

export const aPodBody = (name: string, spec: JsonObject = {}, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, ...metadata },
  spec: { containers: [{ name: "web", image: "nginx:1" }], ...spec },
});

export const aDeploymentBody = (name: string, replicas = 1): JsonObject => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: "web", image: "nginx:1" }] } },
  },
});
