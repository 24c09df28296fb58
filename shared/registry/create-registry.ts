/** Makes a {@link Registry} over a store: resolves clusters and kinds, and hands each verb to the file that knows it. */
import type { AdmissionChain } from "../admission/chain.ts";
import type { AdmissionPlugin, AdmissionReader } from "../admission/plugin.ts";
import { builtinKinds } from "../api/builtin-kinds.ts";
import type { AnyObject, Kind } from "../api/kind.ts";
import { pods } from "../api/kinds.ts";
import { type JsonObject, keyOf, type ObjectKey } from "../api/objects.ts";
import type { TokenIssuer } from "../auth/tokens/token-issuer.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { ClusterStore, Store } from "../store/store.ts";
import { type Catalogs, catalogs, listCatalog } from "./catalog.ts";
import type { Deletion } from "./delete.ts";
import { answering, methodNotAllowed, toStatusError, unknownResource } from "./errors.ts";
import { getObject } from "./get.ts";
import { listObjects } from "./list.ts";
import { recentReader } from "./recent.ts";
import type { DeleteParameters, InternalParameters, Registry, RequestContext, WriteParameters } from "./registry.ts";
import { watchObjects } from "./watch.ts";
import type { Write } from "./write.ts";

export interface RegistryOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** In the order in which they run, or what makes them for the first change. Default: none. */
  readonly admission?: readonly AdmissionPlugin[] | ((parts: ChangeParts) => readonly AdmissionPlugin[]);
  /** In [0, 1): for generated names. */
  readonly random?: () => number;
  /** Signs tokens of ServiceAccounts. Absent: none are given out. */
  readonly tokens?: TokenIssuer;
}

/** What the registry keeps of a cluster. */
interface Cluster {
  readonly store: ClusterStore;
  readonly catalogs: Catalogs;
  readonly reader: AdmissionReader;
}

type ChangeParts = typeof import("./changes.ts");
const loadParts = (): Promise<ChangeParts> => import("./changes.ts");
type Changes = ChangeParts & { readonly chain: AdmissionChain };

export function createRegistry({ store, clock, log, admission = [], random = Math.random, tokens }: RegistryOptions): Registry {
  let loading: Promise<Changes> | undefined;
  const loadChanges = async (): Promise<Changes> => {
    const parts = await loadParts();
    return { ...parts, chain: parts.admissionChain(typeof admission === "function" ? admission(parts) : admission) };
  };
  const clusters = new WeakMap<ClusterStore, Cluster>();
  const builtin = listCatalog(builtinKinds(), "built-in");
  const kindOf: Parameters<typeof recentReader>[0]["kindOf"] = ({ group, version, plural }) => {
    const kind = builtin.byResource(group, version, plural);
    if (kind === undefined) throw unknownResource();
    return kind;
  };

  const clusterOf = async (name: string): Promise<Cluster> => {
    const clusterStore = await store.cluster(name);
    let cluster = clusters.get(clusterStore);
    if (cluster === undefined) {
      cluster = { store: clusterStore, catalogs: catalogs(clusterStore), reader: recentReader({ store: clusterStore, clock, kindOf }) };
      clusters.set(clusterStore, cluster);
    }
    return cluster;
  };

  /** A custom kind as its definition stands now: a resource is judged by a definition read after its request arrived. */
  const currentKind = async (cluster: Cluster, kind: Kind): Promise<Kind> => {
    if (!kind.custom) return kind;
    const current = (await cluster.catalogs.current({ fresh: true })).byResource(kind.group, kind.version, kind.plural);
    if (current === undefined) throw unknownResource();
    return current;
  };

  /** Runs a request on its cluster and kind; failures leave as StatusErrors, and those that are ours are logged. */
  const serving = <T>(given: Kind, context: RequestContext, work: (cluster: Cluster, kind: Kind) => Promise<T>): Promise<T> =>
    answering(context.signal, async () => {
      try {
        const cluster = await clusterOf(context.cluster);
        return await work(cluster, await currentKind(cluster, given));
      } catch (error) {
        const answer = toStatusError(error);
        // An object that is too large, or a revision that is gone, is the client's affair.
        const isOurs = answer.code >= 500 || answer.reason === "TooManyRequests";
        if (answer !== error && isOurs) log.warn("request failed", { cluster: context.cluster, resource: given.storage, error });
        throw error;
      }
    });

  /** The same for a request that needs more than reads do. */
  const changing = <T>(
    given: Kind,
    context: RequestContext,
    work: (changes: Changes, cluster: Cluster, kind: Kind) => Promise<T>,
  ): Promise<T> =>
    serving(given, context, async (cluster, kind) => {
      const [changes] = await Promise.all([(loading ??= loadChanges()), kind.loadBehaviour?.()]);
      return work(changes, cluster, kind);
    });

  /** The same for a request that writes an object. */
  const writing: typeof changing = (given, context, work) =>
    changing(given, context, async (changes, cluster, kind) => {
      await kind.prepareWrites?.();
      return work(changes, cluster, kind);
    });

  const writeOf = (
    { chain }: Changes,
    cluster: Cluster,
    kind: Kind,
    key: ObjectKey,
    subresource: string,
    parameters: WriteParameters & InternalParameters,
    context: RequestContext,
  ): Write => ({
    store: cluster.store.resource(kind.storage),
    kind,
    key,
    subresource,
    parameters,
    context,
    admission: chain,
    reader: cluster.reader,
    clock,
    random,
  });

  const deletionOf = (
    { chain }: Changes,
    cluster: Cluster,
    kind: Kind,
    key: ObjectKey,
    parameters: DeleteParameters & InternalParameters,
    context: RequestContext,
  ): Deletion => ({
    store: cluster.store.resource(kind.storage),
    kind,
    key,
    subresource: "",
    parameters,
    context,
    admission: chain,
    reader: cluster.reader,
    clock,
    random,
  });

  const budgetKind = kindOf({
    group: "policy",
    version: "v1",
    kind: "PodDisruptionBudget",
    plural: "poddisruptionbudgets",
    namespaced: true,
  });
  const postContext = (cluster: Cluster) => ({ budgets: { kind: budgetKind, store: cluster.store.resource(budgetKind.storage) }, tokens });

  /** POST to `bindings` is the old way to post to `pods/NAME/binding`. */
  const bindDirectly = (
    changes: Changes,
    cluster: Cluster,
    namespace: string,
    body: JsonObject,
    parameters: WriteParameters & InternalParameters,
    context: RequestContext,
  ): Promise<AnyObject> => {
    const name = (body.metadata as { readonly name?: string } | undefined)?.name ?? "";
    const write = writeOf(changes, cluster, kindOf(pods), { namespace, name }, "binding", parameters, context);
    return changes.subresources.post(write, body, postContext(cluster));
  };

  return {
    reader: (name) => answering(new AbortController().signal, async () => (await clusterOf(name)).reader),

    catalog: (name, { fresh } = { fresh: false }) =>
      answering(new AbortController().signal, async () => (await clusterOf(name)).catalogs.current({ fresh })),

    get: (given, key, read, context) =>
      serving(given, context, (cluster, kind) => getObject(cluster.store.resource(kind.storage), kind, key, read)),

    list: (given, parameters, context) =>
      serving(given, context, async (cluster, kind) => {
        if (parameters.fieldSelector !== "") await kind.loadBehaviour?.();
        return listObjects(cluster.store.resource(kind.storage), kind, parameters, clock.now());
      }),

    watch: (given, parameters, context) =>
      serving(given, context, async (cluster, kind) => {
        if (parameters.fieldSelector !== "") await kind.loadBehaviour?.();
        return watchObjects(cluster.store.resource(kind.storage), kind, parameters, { clock, signal: context.signal });
      }),

    create: (given, namespace, body, parameters, context) =>
      writing(given, context, (changes, cluster, kind) => {
        if (kind.plural === "bindings" && kind.group === "") return bindDirectly(changes, cluster, namespace, body, parameters, context);
        // Reviews and the like are answered, not stored: that is not this layer's work.
        if (!kind.custom && !(kind.verbs.includes("get") && kind.verbs.includes("create"))) throw methodNotAllowed(kind, "create");
        return changes.createObject(writeOf(changes, cluster, kind, { namespace, name: "" }, "", parameters, context), body);
      }),

    update: (given, key, subresource, body, parameters, context) =>
      writing(given, context, (changes, cluster, kind) =>
        changes.subresources.put(writeOf(changes, cluster, kind, key, subresource, parameters, context), body),
      ),

    patch: (given, key, subresource, patch, parameters, context) =>
      writing(given, context, (changes, cluster, kind) =>
        changes.subresources.patch(writeOf(changes, cluster, kind, key, subresource, parameters, context), patch),
      ),

    delete: (given, key, parameters, context) =>
      changing(given, context, (changes, cluster, kind) =>
        changes.deleteObject(deletionOf(changes, cluster, kind, key, parameters, context)),
      ),

    deleteCollection: (given, list, parameters, context) =>
      changing(given, context, async (changes, cluster, kind) => {
        changes.checkOptions(parameters);
        const listed = await listObjects(cluster.store.resource(kind.storage), kind, list, clock.now());
        await changes.deleteListed(listed, (object) => deletionOf(changes, cluster, kind, keyOf(object), parameters, context));
        return listed;
      }),

    getSubresource: (given, key, subresource, context) =>
      changing(given, context, async ({ subresources }, cluster, kind) =>
        subresources.shownBy(kind, subresource, await getObject(cluster.store.resource(kind.storage), kind, key, {})),
      ),

    updateSubresource: (given, key, subresource, body, parameters, context) =>
      writing(
        given,
        context,
        async (changes, cluster, kind) =>
          (await changes.subresources.put(writeOf(changes, cluster, kind, key, subresource, parameters, context), body)).object,
      ),

    createSubresource: (given, key, subresource, body, parameters, context) =>
      writing(given, context, (changes, cluster, kind) =>
        changes.subresources.post(writeOf(changes, cluster, kind, key, subresource, parameters, context), body, postContext(cluster)),
      ),
  };
}
