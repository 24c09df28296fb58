/** Names for what controllers make. */
import { createHash } from "node:crypto";

/** No vowels and nothing that is mistaken for something else: no words, good or bad. The letters that Kubernetes uses. */
const safe = "bcdfghjklmnpqrstvwxz2456789";
/** Longest base of a generated name, so that the name remains a DNS label. */
const maxBaseLength = 58;

/** @returns `length` characters that depend on nothing but the parts */
export function safeHash(parts: readonly (string | number)[], length: number): string {
  let value = BigInt(`0x${createHash("sha256").update(JSON.stringify(parts)).digest("hex")}`);
  let text = "";
  for (let position = 0; position < length; position++) {
    text += safe[Number(value % BigInt(safe.length))];
    value /= BigInt(safe.length);
  }
  return text;
}

/** `generateName` of an owner's replaceable children. */
export const childPrefix = (owner: string): string => `${owner}-`;

/**
 * Names for new children of an owner (`kubernetes-traps.md` 23). They come from the owner's uid and a number never used before for that
 * owner, the revision at which the plan saw its children: two plans made from one state collide instead of making things twice, and a
 * name that was used once does not come back.
 * @param prefix `generateName` of the children
 * @param taken whether another object has that name: then the next number is tried
 */
export function childNames(prefix: string, ownerUid: string, revision: number, count: number, taken: (name: string) => boolean): string[] {
  const names = new Set<string>();
  for (let number = 0; names.size < count; number++) {
    const name = prefix.slice(0, maxBaseLength) + safeHash([ownerUid, revision, number], 5);
    if (!taken(name)) names.add(name);
  }
  return [...names];
}
