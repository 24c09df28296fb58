/** Deletes the objects of a CustomResourceDefinition that is being deleted, and then lets it go. */
import type { KindRef } from "../../api/client.ts";
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import { customResourceDefinitions } from "../../api/kinds.ts";
import { type KubeObject, keyOf, type ObjectKey } from "../../api/objects.ts";
import type { Controller, ControllerContext, Watched } from "../../runtime/controller.ts";
import { kindText } from "../../runtime/keys.ts";
import { all, isNotFound } from "../common/settle.ts";
import { awaitsCleanup, cleanupFinalizer, planCleanup, servedKind } from "./plan.ts";

const ownWatches: readonly Watched<any>[] = [
  { kind: customResourceDefinitions, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] },
];

export function customResourceCleanup(): Controller {
  /** Kinds whose last objects are waited for, and the definitions that wait. */
  const waiting = new Map<string, { readonly kind: KindRef; readonly key: ObjectKey }>();
  let watched = new Set<string>();
  let watches = ownWatches;

  return {
    name: "custom-resource-cleanup-controller",
    get watches() {
      return watches;
    },

    async prepare() {
      const added = [...waiting].filter(([name]) => !watched.has(name)).map(([, { key }]) => key);
      watched = new Set(waiting.keys());
      watches = [
        ...ownWatches,
        ...[...waiting.values()].map(({ kind, key }): Watched => ({ kind, keys: ({ next }) => (next ? [] : [key]) })),
      ];
      // Its last object may have gone before anybody watched.
      return added;
    },

    async reconcile(key, context) {
      const definition = context.lister(customResourceDefinitions).get(key);
      const kind = definition && servedKind(definition);
      if (!definition || !awaitsCleanup(definition)) {
        if (kind) waiting.delete(kindText(kind));
        return;
      }
      if (kind && !(await isEmptied(kind, context))) {
        waiting.set(kindText(kind), { kind, key });
        return;
      }
      await release(definition, context);
      if (kind) waiting.delete(kindText(kind));
    },
  };
}

/** @returns whether nothing is left */
async function isEmptied(kind: KindRef, context: ControllerContext): Promise<boolean> {
  const action = planCleanup(await objectsOf(kind, context));
  if (action.type !== "delete") return action.type === "release";
  await all(
    action.objects.map((object) =>
      context.client.delete(kind, keyOf(object), { uid: object.metadata.uid }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      }),
    ),
  );
  // What no finalizer holds is gone by now.
  return (await objectsOf(kind, context)).length === 0;
}

/** Strongly consistent: what is overlooked here would be there again when the definition is. */
async function objectsOf(kind: KindRef, { client }: ControllerContext): Promise<readonly KubeObject[]> {
  try {
    return (await client.list(kind)).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

async function release({ metadata }: CustomResourceDefinition, { client }: ControllerContext): Promise<void> {
  await client.modify(customResourceDefinitions, keyOf({ metadata }), (current) => {
    if (current.metadata.uid !== metadata.uid || !awaitsCleanup(current)) return current;
    const finalizers = (current.metadata.finalizers ?? []).filter((entry) => entry !== cleanupFinalizer);
    return { ...current, metadata: { ...current.metadata, finalizers } };
  });
}
