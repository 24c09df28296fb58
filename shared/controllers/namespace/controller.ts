/** Gives every namespace what it always has, and empties those that are being deleted. */
import type { KindRef } from "../../api/client.ts";
import type { Namespace } from "../../api/generated/types.ts";
import { configMaps, namespaces, serviceAccounts } from "../../api/kinds.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../../api/objects.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { distinct, followed, type Resources } from "../common/resources.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import { all, isNamespaceTerminating, isNotFound, messageOf, settle } from "../common/settle.ts";
import { type Content, type DefaultAction, defaultAccountName, deletionStatus, planDefaults, planDeletion, rootCaName } from "./plan.ts";

/** The entry of `spec.finalizers` that this controller answers for. */
const finalizer = "kubernetes";

export interface NamespaceOptions {
  /** PEM of the authority that signed the API's certificate. */
  readonly clusterCa: string;
  readonly resources: Resources;
}

export function namespaceController({ clusterCa, resources }: NamespaceOptions): Controller {
  let everywhere: readonly KindRef[] = [];
  let watches: readonly Watched<any>[] = ownWatches;

  return {
    name: "namespace-controller",
    get watches() {
      return watches;
    },

    async prepare() {
      const served = await resources();
      everywhere = distinct(served).filter(({ namespaced }) => namespaced);
      watches = [
        ...ownWatches,
        ...followed(served)
          .filter(({ namespaced }) => namespaced)
          .map(contentOf),
      ];
    },

    async reconcile({ name }, context) {
      const namespace = context.lister(namespaces).get({ namespace: "", name });
      if (namespace && !namespace.metadata.deletionTimestamp) return provide(namespace, clusterCa, context);
      // What was read of the content was read before this: only what is terminating or gone now may be emptied.
      const newest = await context.client.get(namespaces, { namespace: "", name });
      if (!newest) {
        await remove(await contentsOf(name, everywhere, context), context);
      } else if (newest.metadata.deletionTimestamp) await terminate(newest, everywhere, context);
    },
  };
}

const ownWatches: readonly Watched<any>[] = [
  { kind: namespaces, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] },
  { kind: serviceAccounts, keys: (change) => lostDefault(change, defaultAccountName) },
  { kind: configMaps, keys: (change) => lostDefault(change, rootCaName) },
];

function lostDefault({ previous, next }: Observed, name: string): ObjectKey[] {
  const object = next ?? previous;
  if (object?.metadata.name !== name || (previous === undefined && next !== undefined)) return [];
  return [{ namespace: "", name: object.metadata.namespace ?? "" }];
}

/** Objects of a namespace that terminates, and those that were committed after it was gone (`log-rules.md` 24). */
const contentOf = (kind: KindRef): Watched => ({
  kind,
  lazy: true,
  keys({ previous, next }, { lister }) {
    const name = (next ?? previous)?.metadata.namespace ?? "";
    const namespace = lister(namespaces).get({ namespace: "", name });
    if (namespace ? !namespace.metadata.deletionTimestamp : !next) return [];
    return [{ namespace: "", name }];
  },
});

async function provide({ metadata: { name } }: Namespace, clusterCa: string, { client, lister }: ControllerContext): Promise<void> {
  const account = lister(serviceAccounts).get({ namespace: name, name: defaultAccountName });
  const configMap = lister(configMaps).get({ namespace: name, name: rootCaName });
  const act = async (action: DefaultAction): Promise<void> => {
    switch (action.type) {
      case "createServiceAccount":
        await client.create(serviceAccounts, action.draft);
        break;
      case "createConfigMap":
        await client.create(configMaps, action.draft);
        break;
      case "updateConfigMap":
        await client.update(configMaps, action.next);
        break;
    }
  };
  const { errors } = await settle(planDefaults(name, account, configMap, clusterCa).map(act));
  const error = errors.find((error) => !isNamespaceTerminating(error));
  if (error) throw error;
}

async function terminate(namespace: Namespace, kinds: readonly KindRef[], context: ControllerContext): Promise<void> {
  const { client, clock } = context;
  const { name } = namespace.metadata;
  const contents = await contentsOf(name, kinds, context);
  const errors = await remove(contents, context);
  // What had no finalizer and no grace is gone by now; only a fresh look can tell.
  const left = errors.length + contents.length > 0 ? await contentsOf(name, kinds, context) : [];

  const status = deletionStatus(namespace.status, left, errors, clock.now());
  const current = semanticEqual(status, namespace.status) ? namespace : await client.updateStatus(namespaces, { ...namespace, status });
  if (errors.length > 0) throw new Error(`content of namespace ${name} could not be deleted: ${errors.join(", ")}`);
  if (left.length > 0) {
    // Pods that are gone clear the way for the rest; whatever else remains wakes us when it goes.
    if (planDeletion(left).length > 0) await terminate(current, kinds, context);
    return;
  }
  const { uid } = current.metadata;
  await client.modify(
    namespaces,
    keyOf(current),
    (newest) => {
      const finalizers = newest.spec.finalizers ?? [];
      if (newest.metadata.uid !== uid || !finalizers.includes(finalizer)) return newest;
      return { ...newest, spec: { ...newest.spec, finalizers: finalizers.filter((entry) => entry !== finalizer) } };
    },
    { subresource: "finalize" },
  );
}

/** Strongly consistent: what is overlooked here stays for ever. */
async function contentsOf(namespace: string, kinds: readonly KindRef[], { client }: ControllerContext): Promise<Content[]> {
  const contents = await all(
    kinds.map(async (kind): Promise<Content> => {
      try {
        return { kind, objects: (await client.list(kind, { namespace })).items };
      } catch (error) {
        // Its definition was deleted a moment ago, and its objects with it.
        if (isNotFound(error)) return { kind, objects: [] };
        throw error;
      }
    }),
  );
  return contents.filter(({ objects }) => objects.length > 0);
}

/** @returns what went wrong, in the server's words */
async function remove(contents: readonly Content[], { client }: ControllerContext): Promise<string[]> {
  const deletions = planDeletion(contents).flatMap(({ kind, objects }) =>
    objects.map((object) =>
      client.delete(kind, keyOf(object), { uid: object.metadata.uid, propagationPolicy: "Background" }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      }),
    ),
  );
  const { errors } = await settle(deletions);
  return errors.map(messageOf);
}
