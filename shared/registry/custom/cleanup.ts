/** Empties a CustomResourceDefinition that is being deleted, and then lets it go. */
import type { Client, KindRef } from "../../api/client.ts";
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import { customResourceDefinitions } from "../../api/kinds.ts";
import { type KubeObject, keyOf } from "../../api/objects.ts";
import { StatusError } from "../../errors/status-error.ts";
import type { Controller } from "../../runtime/controller.ts";
import { cleanupFinalizer } from "./lifecycle.ts";

/** Objects that others' finalizers hold are looked at again after this long: nothing else tells that they have gone. */
const againMs = 5_000;

const atOnce = 100;

export function customResourceCleanup(): Controller {
  return {
    name: "customresourcedefinition-cleanup",
    watches: [{ kind: customResourceDefinitions, keys: ({ next }) => (next && isWaiting(next) ? [keyOf(next)] : []) }],
    reconcile: async (key, { client, clock }) => {
      const definition = await client.get(customResourceDefinitions, key);
      if (definition === undefined || !isWaiting(definition)) return {};
      const left = await removeAll(definition, client);
      if (left > 0) return { again: new Date(clock.now().getTime() + againMs) };
      await client.modify(customResourceDefinitions, key, (current) => ({
        ...current,
        metadata: { ...current.metadata, finalizers: current.metadata.finalizers?.filter((name) => name !== cleanupFinalizer) },
      }));
      return {};
    },
  };
}

const isWaiting = ({ metadata }: CustomResourceDefinition): boolean =>
  metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(cleanupFinalizer);

/** @returns how many objects are left */
async function removeAll({ spec }: CustomResourceDefinition, client: Client): Promise<number> {
  const version = spec.versions.find(({ served }) => served);
  if (version === undefined) return 0;
  const kind: KindRef = {
    group: spec.group,
    version: version.name,
    kind: spec.names.kind,
    plural: spec.names.plural,
    namespaced: spec.scope === "Namespaced",
  };
  const objects = await listed(kind, client);
  for (let start = 0; start < objects.length; start += atOnce) {
    await Promise.all(objects.slice(start, start + atOnce).map((object) => remove(kind, object, client)));
  }
  return objects.length === 0 ? 0 : (await listed(kind, client)).length;
}

/** Nothing, where the kind was never served. */
async function listed(kind: KindRef, client: Client): Promise<readonly KubeObject[]> {
  try {
    return (await client.list(kind)).items;
  } catch (error) {
    if (isNotFound(error)) return [];
    throw error;
  }
}

async function remove(kind: KindRef, object: KubeObject, client: Client): Promise<void> {
  if (object.metadata.deletionTimestamp !== undefined) return;
  try {
    await client.delete(kind, keyOf(object), { uid: object.metadata.uid });
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}

const isNotFound = (error: unknown): boolean => error instanceof StatusError && error.reason === "NotFound";
