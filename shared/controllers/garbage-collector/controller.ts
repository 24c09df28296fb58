/** Deletes what has lost its owners, and carries out foreground and orphaning deletions. */
import type { KindRef } from "../../api/client.ts";
import { type KubeObject, keyOf, type ObjectKey, type OwnerReference } from "../../api/objects.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { keyText } from "../../runtime/keys.ts";
import type { Resources } from "../common/resources.ts";
import { all, isNotFound } from "../common/settle.ts";
import { describeOwner, Kinds } from "./kinds.ts";
import { type Action, awaitsDependents, concerns, type OwnerState, orphanFinalizer, planCollection } from "./plan.ts";

export function garbageCollector({ resources }: { readonly resources: Resources }): Controller {
  let kinds = new Kinds([]);
  let watches: readonly Watched[] = [];
  /** Objects with an owner of a kind that was not served when they were looked at. */
  let undecided = new Map<string, ObjectKey>();

  return {
    name: "garbage-collector-controller",
    get watches() {
      return watches;
    },

    async prepare() {
      const served = new Kinds(await resources());
      if (served.version === kinds.version) return [];
      kinds = served;
      watches = served.followed.map((kind) => watch(kind, served));
      const again = [...undecided.values()];
      undecided = new Map();
      return again;
    },

    async reconcile(key, context) {
      const found = kinds.parse(key);
      const seen = found && context.lister(found.kind).get(found.key);
      if (!seen || !concerns(seen)) return;
      const { kind } = found;
      const dependents = dependentsOf(seen.metadata.uid, kinds, context);
      const known = knownStates(seen, kinds, context);
      if ([...known.values()].includes("unknown")) undecided.set(keyText(key), key);
      // As long as nobody seems to be missing, there is nothing to be sure about.
      if (!planCollection(seen, (owner) => known.get(owner.uid) ?? "absent", dependents)) return;

      const object = await context.client.get(kind, found.key);
      if (object?.metadata.uid !== seen.metadata.uid) return;
      const states = await verifiedStates(object, known, kinds, context);
      if ([...states.values()].includes("unknown")) undecided.set(keyText(key), key);
      const action = planCollection(object, (owner) => states.get(owner.uid) ?? "unknown", dependents);
      if (action) await act(action, kind, object, kinds, context);
    },
  };
}

const watch = (kind: KindRef, kinds: Kinds): Watched => ({
  kind,
  lazy: true,
  keys(change, { lister }) {
    const { previous, next } = change;
    const keys: ObjectKey[] = [];
    if (next && concerns(next)) keys.push(kinds.keyOf(kind, keyOf(next)));
    // An owner that waits for its dependents looks again whenever one of them goes or lets go.
    if (previous) {
      for (const owner of previous.metadata.ownerReferences ?? []) {
        const ownerKind = kinds.ofOwner(owner);
        const ownerKey = ownerKind && kinds.ownerKey(owner, ownerKind, previous);
        const found = ownerKey && lister(ownerKind).get(ownerKey);
        if (found && awaitsDependents(found)) keys.push(kinds.keyOf(ownerKind, ownerKey));
      }
    }
    for (const uid of goingOwners(change)) {
      for (const dependentKind of kinds.followed) {
        for (const dependent of lister(dependentKind).dependentsOf(uid)) keys.push(kinds.keyOf(dependentKind, keyOf(dependent)));
      }
    }
    return keys;
  },
});

/** uids whose dependents have to be looked at. */
function goingOwners({ previous, next }: Observed): string[] {
  if (previous && previous.metadata.uid !== next?.metadata.uid) return [previous.metadata.uid];
  return next && awaitsDependents(next) && !(previous && awaitsDependents(previous)) ? [next.metadata.uid] : [];
}

function dependentsOf(uid: string, kinds: Kinds, { lister }: ControllerContext): KubeObject[] {
  return kinds.followed.flatMap((kind) => [...lister(kind).dependentsOf(uid)]);
}

/** Owners of which the cache can already say that they are there, or that nobody can tell. */
function knownStates(object: KubeObject, kinds: Kinds, { lister, event }: ControllerContext): Map<string, OwnerState> {
  const states = new Map<string, OwnerState>();
  for (const owner of object.metadata.ownerReferences ?? []) {
    const kind = kinds.ofOwner(owner);
    const key = kind && kinds.ownerKey(owner, kind, object);
    if (kind && !key) {
      event(
        object,
        "Warning",
        "OwnerRefInvalidNamespace",
        `ownerRef ${describeOwner(owner)} names a namespaced kind, but this object is cluster-scoped`,
      );
    }
    if (!kind || !key) states.set(owner.uid, "unknown");
    else {
      const found = lister(kind).get(key);
      if (found?.metadata.uid === owner.uid) states.set(owner.uid, stateOf(found));
    }
  }
  return states;
}

const stateOf = (owner: KubeObject): OwnerState => (awaitsDependents(owner) ? "waiting" : "present");

/** All owners' states; those that the cache does not know are read strongly, after the object was. */
async function verifiedStates(
  object: KubeObject,
  known: ReadonlyMap<string, OwnerState>,
  kinds: Kinds,
  context: ControllerContext,
): Promise<ReadonlyMap<string, OwnerState>> {
  const states = (object.metadata.ownerReferences ?? []).map(async (owner): Promise<readonly [string, OwnerState]> => {
    return [owner.uid, known.get(owner.uid) ?? (await readState(object, owner, kinds, context))];
  });
  return new Map(await all(states));
}

async function readState(object: KubeObject, owner: OwnerReference, kinds: Kinds, { client }: ControllerContext): Promise<OwnerState> {
  const kind = kinds.ofOwner(owner);
  const key = kind && kinds.ownerKey(owner, kind, object);
  if (!kind || !key) return "unknown";
  try {
    // A list, because it fails when the kind itself is gone, which says nothing about the owner; a get would just find nothing.
    const { items } = await client.list(kind, {
      ...(kind.namespaced && { namespace: key.namespace }),
      fieldSelector: `metadata.name=${key.name}`,
    });
    const found = items.find(({ metadata }) => metadata.uid === owner.uid);
    return found ? stateOf(found) : "absent";
  } catch (error) {
    if (isNotFound(error)) return "unknown";
    throw error;
  }
}

async function act(action: Action, kind: KindRef, object: KubeObject, kinds: Kinds, context: ControllerContext): Promise<void> {
  const { client } = context;
  switch (action.type) {
    case "dropOwners":
      await client.update(kind, withoutOwners(object, action.uids));
      break;
    case "delete": {
      const current = action.unblock ? await client.update(kind, unblocking(object)) : object;
      const { uid, resourceVersion } = current.metadata;
      await client.delete(kind, keyOf(current), { uid, resourceVersion, propagationPolicy: action.policy });
      break;
    }
    case "orphanDependents":
      await orphanDependents(object, kinds, context);
      await removeFinalizer(kind, object, orphanFinalizer, context);
      break;
    case "removeFinalizer":
      await removeFinalizer(kind, object, action.finalizer, context);
      break;
  }
}

/** From a strong read of every kind: a dependent that is overlooked here would be deleted instead of set free. */
async function orphanDependents(owner: KubeObject, kinds: Kinds, { client }: ControllerContext): Promise<void> {
  const { uid, namespace } = owner.metadata;
  const isDependent = ({ metadata }: KubeObject) => metadata.ownerReferences?.some((reference) => reference.uid === uid) ?? false;
  await all(
    kinds.followed
      // A namespaced owner has its dependents beside it.
      .filter(({ namespaced }) => namespaced || namespace === undefined)
      .map(async (kind) => {
        const { items } = await client.list(kind, namespace === undefined ? {} : { namespace });
        await all(items.filter(isDependent).map((dependent) => client.update(kind, withoutOwners(dependent, [uid]))));
      }),
  );
}

const removeFinalizer = (kind: KindRef, { metadata }: KubeObject, finalizer: string, { client }: ControllerContext) =>
  client.modify(kind, keyOf({ metadata }), (current) => {
    const finalizers = current.metadata.finalizers ?? [];
    if (current.metadata.uid !== metadata.uid || !finalizers.includes(finalizer)) return current;
    return { ...current, metadata: { ...current.metadata, finalizers: finalizers.filter((entry) => entry !== finalizer) } };
  });

const withoutOwners = (object: KubeObject, uids: readonly string[]): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, ownerReferences: (object.metadata.ownerReferences ?? []).filter(({ uid }) => !uids.includes(uid)) },
});

const unblocking = (object: KubeObject): KubeObject => ({
  ...object,
  metadata: {
    ...object.metadata,
    ownerReferences: (object.metadata.ownerReferences ?? []).map((owner) => ({ ...owner, blockOwnerDeletion: false })),
  },
});
