/** Puts into effect who owns what: adopts and releases. */
import type { Client, KindRef } from "../../api/client.ts";
import { type KubeObject, keyOf } from "../../api/objects.ts";
import { adopted, type Claims, controllerReference, released } from "./owners.ts";
import { all } from "./settle.ts";

/** What an owner has, could have and should not have of one kind. */
export interface Estate {
  readonly kind: KindRef;
  readonly claims: Claims<KubeObject>;
}

/** @returns whether there was anything to do: then the rest waits for the next round, when its outcome can be seen */
export async function settleOwnership<T extends KubeObject>(
  kind: KindRef<T>,
  owner: T,
  estates: readonly Estate[],
  client: Pick<Client, "get" | "update">,
): Promise<boolean> {
  const adopts = estates.some(({ claims }) => claims.toAdopt.length > 0);
  if (!adopts && estates.every(({ claims }) => claims.toRelease.length === 0)) return false;
  if (adopts) {
    // Who adopts for an owner that is being deleted takes along what somebody else wanted to keep.
    const newest = await client.get(kind, keyOf(owner));
    if (newest?.metadata.uid !== owner.metadata.uid || newest.metadata.deletionTimestamp) return true;
  }
  const reference = controllerReference(kind, owner);
  await all(
    estates.flatMap(({ kind: of, claims }) => [
      ...claims.toAdopt.map((object) => client.update(of, adopted(object, reference))),
      ...claims.toRelease.map((object) => client.update(of, released(object, reference.uid))),
    ]),
  );
  return true;
}
