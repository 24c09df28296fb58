/** The state and the events at every revision, from the log alone: what clients' answers are compared with. */
import type { Labels, RecordedChange, RecordedLog, RecordedObject, WatchEvent, WatchRequest } from "../history.ts";

/** The order of keys: by their UTF-8 bytes. */
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

export class Replay {
  readonly log: RecordedLog;
  readonly #byKey = new Map<string, RecordedChange[]>();
  #sorted: readonly string[] | undefined;

  constructor(log: RecordedLog) {
    this.log = log;
    for (const change of log.changes) {
      const own = this.#byKey.get(change.object.key);
      if (own) own.push(change);
      else this.#byKey.set(change.object.key, [change]);
    }
  }

  /** Revision of the newest slot: of its last change, or of the slot if it has none. */
  get head(): number {
    return Math.max(this.log.end ?? 0, this.log.changes.at(-1)?.object.revision ?? this.log.start);
  }

  /** Every key that ever was, in order. */
  get keys(): readonly string[] {
    this.#sorted ??= [...this.#byKey.keys()].sort(byBytes);
    return this.#sorted;
  }

  /** A key's changes, oldest first. */
  changesOf(key: string): readonly RecordedChange[] {
    return this.#byKey.get(key) ?? [];
  }

  /** The newest change of a key at or before a revision. */
  lastChange(key: string, revision: number): RecordedChange | undefined {
    const own = this.changesOf(key);
    return own[firstAfter(own, revision) - 1];
  }

  objectAt(key: string, revision: number): RecordedObject | undefined {
    const change = this.lastChange(key, revision);
    return change?.type === "put" ? change.object : undefined;
  }

  /** Objects at a revision, in order. */
  stateAt(revision: number, prefix = ""): RecordedObject[] {
    return this.keys.flatMap((key) => {
      const object = key.startsWith(prefix) ? this.objectAt(key, revision) : undefined;
      return object ? [object] : [];
    });
  }

  /** Changes after a revision up to another one. */
  changesBetween(after: number, upTo: number): readonly RecordedChange[] {
    const { changes } = this.log;
    return changes.slice(firstAfter(changes, after), firstAfter(changes, upTo));
  }

  /** What a watch is to be told between two revisions. */
  eventsBetween(request: WatchRequest, after: number, upTo: number): WatchEvent[] {
    return this.changesBetween(after, upTo).flatMap((change) => this.#event(request, change) ?? []);
  }

  /** What a watcher who sees only what it selected makes of a change. */
  #event({ prefix, selector }: WatchRequest, { type, object }: RecordedChange): WatchEvent | undefined {
    if (!object.key.startsWith(prefix)) return undefined;
    const before = this.objectAt(object.key, object.revision - 1);
    const previous = before && matches(selector, before.labels) ? before : null;
    if (type === "put" && matches(selector, object.labels)) return { type: previous ? "update" : "create", object, previous };
    if (!previous) return undefined;
    return { type: "delete", object: type === "delete" ? object : { ...previous, revision: object.revision }, previous };
  }
}

/** Index of the first change after a revision. */
function firstAfter(changes: readonly RecordedChange[], revision: number): number {
  let low = 0;
  let high = changes.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (changes[middle]!.object.revision <= revision) low = middle + 1;
    else high = middle;
  }
  return low;
}

export const matches = (selector: Labels | undefined, labels: Labels | undefined): boolean =>
  Object.entries(selector ?? {}).every(([name, value]) => labels?.[name] === value);

export const sameObject = (a: RecordedObject | null | undefined, b: RecordedObject | null | undefined): boolean =>
  a?.key === b?.key && a?.revision === b?.revision && a?.body === b?.body;

/** An object in a message. */
export const show = (object: { readonly key: string; readonly revision: number } | null | undefined): string =>
  object ? `${object.key}@${object.revision}` : "nothing";
