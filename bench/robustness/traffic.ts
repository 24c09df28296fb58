/**
 * What clients do: the mixes of reads and writes of etcd's robustness suite, which are those of Kubernetes (`tests/robustness/traffic`
 * in etcd-io/etcd), with large objects and batches in between.
 */
import { createCipheriv } from "node:crypto";
import type { JsonObject } from "../../shared/api/objects.ts";
import { oneOf, type Random, weighted } from "./random.ts";

/** About so many objects exist at a time. */
export const averageObjects = 10;

/** Mostly updates, as Pods and Leases; or mostly comings and goings, as Events. */
export type Profile = "updates" | "churn";

const writeWeights = {
  updates: { update: 90, delete: 5, create: 5 },
  churn: { create: 60, delete: 40, update: 0 },
} as const;

export type ReadChoice = "listAndWatch" | "getAtRevision" | "get" | "staleList" | "staleGet";

const readWeights: Readonly<Record<ReadChoice, number>> = { listAndWatch: 80, getAtRevision: 8, get: 5, staleList: 5, staleGet: 2 };

export const nextRead = (random: Random): ReadChoice => weighted(random, readWeights);

/** Names of which one is a prefix of another up to a character below the slash: the store's order is that of `namespace/name`'s bytes. */
const namespaces = ["a", "a-b", "a.b", "b"];
const namesPerNamespace = 7;

/** Every key there is: more than twice the average, so that creations collide now and then. */
export const keys: readonly string[] = namespaces.flatMap((namespace) =>
  Array.from({ length: namesPerNamespace }, (_, index) => `${namespace}/n${index}`),
);

/** What watches and lists are narrowed to. */
export const prefixes: readonly string[] = ["", ...namespaces.map((namespace) => `${namespace}/`)];

/** An object as a client knows it, perhaps no longer as it is. */
export interface KnownObject {
  readonly key: string;
  readonly revision: number;
}

export interface PlannedWrite {
  readonly type: "create" | "update" | "delete";
  readonly key: string;
  /** The revision that it must have; absent: whichever it has. */
  readonly expected?: number;
}

/** Share of updates and deletions that do not say which revision they mean. */
const unconditionalShare = 0.1;
/** Share of creations under a name that is taken, as far as the client knows. */
const collisionShare = 0.05;

/** The next write of a client that knows these objects: towards the average when there are far fewer or more, else by the profile. */
export function nextWrite(random: Random, profile: Profile, known: readonly KnownObject[]): PlannedWrite {
  const choice = weighted(random, writeWeights[profile]);
  const type = known.length < averageObjects / 2 ? "create" : known.length > averageObjects * 1.5 ? "delete" : choice;
  const object = oneOf(random, known);
  if (!object || type === "create") {
    const taken = new Set(known.map(({ key }) => key));
    const free = random() < collisionShare ? keys : keys.filter((key) => !taken.has(key));
    return { type: "create", key: oneOf(random, free) ?? keys[0]! };
  }
  if (random() < unconditionalShare) return { type, key: object.key };
  return { type, key: object.key, expected: object.revision };
}

/** Share of a client's steps that are batches of writes, made at once. */
export const batchShare = 0.04;

export const nextBatch = (random: Random, profile: Profile, known: readonly KnownObject[]): readonly PlannedWrite[] =>
  Array.from({ length: 2 + Math.floor(random() * 14) }, () => nextWrite(random, profile, known));

const bodySizes: Readonly<Record<"small" | "medium" | "large" | "huge", readonly [from: number, to: number]>> = {
  small: [20, 300],
  medium: [1_000, 4_000],
  large: [4_000, 40_000],
  /** Several chunk items. */
  huge: [400_000, 900_000],
};
const bodyWeights = { small: 800, medium: 130, large: 66, huge: 4 } as const;

/** A body that hardly compresses. */
export function nextBody(random: Random): JsonObject {
  const [from, to] = bodySizes[weighted(random, bodyWeights)];
  const length = Math.floor(from + random() * (to - from));
  const labels = { app: oneOf(random, ["web", "db"]) };
  return { metadata: { labels }, filling: noise(random, length) };
}

function noise(random: Random, length: number): string {
  const key = Buffer.alloc(16);
  for (let word = 0; word < 4; word++) key.writeUInt32LE(Math.floor(random() * 2 ** 32), word * 4);
  const bytes = createCipheriv("aes-128-ctr", key, Buffer.alloc(16)).update(Buffer.alloc(Math.ceil((length * 3) / 4)));
  return bytes.toString("base64").slice(0, length);
}
