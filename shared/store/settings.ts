/** What may be tuned about the store, with the values that the rules of the log ask for. */

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export interface StoreSettings {
  /**
   * How long a write may take before its caller is told that it was not made, or that nobody knows; and how long a call to a table in
   * trouble is made again.
   */
  readonly commitBudgetMs: number;
  /** After this age a revision is no longer served to watches and continue tokens (logical compaction). */
  readonly tokenAgeMs: number;
  /** After this age a slot's content may be removed (physical compaction). */
  readonly historyMs: number;
  /** Storage resources whose objects go by themselves, or whose history is not worth keeping as long. */
  readonly lifetimes: Readonly<Record<string, Lifetime>>;
  /** A deleted object's tombstone, and the slot that made it, stay at least this long (rule 16). */
  readonly tombstoneMs: number;
  /** A stub stays at least this long (rule 3). */
  readonly stubMs: number;
  /** A win whose head is older than this is verified against the floor (rule 3). */
  readonly verifyAfterMs: number;
  /** A materializer that has been at it longer than this, asleep perhaps, stops (rule 16). */
  readonly materializeMs: number;
  /** A chunk may be referenced by one of this many slots after the head it was born at (rule 21). */
  readonly chunkSlots: number;
  /** Writers help the view along when the tail is longer than this (rule 18), and refuse at ten times as much. */
  readonly helpSlots: number;
  readonly helpBytes: number;
  /** Encoded changes of a slot up to this size stay in the slot item (rule 22: the item is below 4 KB). */
  readonly inlineBytes: number;
  /** Objects whose JSON is longer than this get chunks of their own, which the view shares. */
  readonly bodyBytes: number;
  /** JSON text of the changes that share a slot, bodies with chunks of their own not counted. */
  readonly batchBytes: number;
  /** With fewer objects the view is as quick to read, and a checkpoint has no parts. */
  readonly checkpointObjects: number;
  /** How much of the log's end a process keeps in memory: the reach of slow watchers and of cheap exact lists. */
  readonly windowSlots: number;
  readonly windowBytes: number;
  /** Longest and shortest pause between two polls for watchers. */
  readonly pollIdleMs: number;
  readonly pollBusyMs: number;
  /** A watch says at least this often how far it is. */
  readonly progressMs: number;
}

export interface Lifetime {
  /** In place of {@link StoreSettings.historyMs} and, as far as slots are concerned, {@link StoreSettings.tombstoneMs}. */
  readonly historyMs: number;
  /** An object that nobody changed for so long is deleted by the upkeep. Absent: it stays. */
  readonly expireMs?: number;
}

export const defaultSettings: StoreSettings = {
  commitBudgetMs: 10_000,
  tokenAgeMs: 5 * minute,
  historyMs: day,
  lifetimes: {
    // As long as Kubernetes keeps them (kube-apiserver's --event-ttl).
    events: { historyMs: hour, expireMs: hour },
    // Renewed every few seconds, and of interest for as long.
    "leases.coordination.k8s.io": { historyMs: hour / 4 },
  },
  tombstoneMs: day,
  stubMs: 7 * day,
  verifyAfterMs: hour,
  materializeMs: 15 * minute,
  chunkSlots: 10_000,
  helpSlots: 1_000,
  helpBytes: 1024 * 1024,
  inlineBytes: 3_300,
  bodyBytes: 64 * 1024,
  batchBytes: 2 * 1024 * 1024,
  checkpointObjects: 100,
  windowSlots: 2_000,
  windowBytes: 16 * 1024 * 1024,
  pollIdleMs: 1_000,
  pollBusyMs: 100,
  progressMs: 10_000,
};

/** An object's JSON may be this long: etcd's request limit. */
export const maximumObjectBytes = 1_572_864;

/** How old something of a storage resource must be to go. */
export type Ages = Pick<StoreSettings, "tokenAgeMs" | "historyMs" | "tombstoneMs" | "stubMs"> & Pick<Lifetime, "expireMs">;

export function agesOf(settings: StoreSettings, storage: string): Ages {
  const lifetime = settings.lifetimes[storage];
  // A short history leaves its tombstones in the view for as long as its stubs stand.
  return lifetime ? { ...settings, tombstoneMs: 0, ...lifetime } : settings;
}
