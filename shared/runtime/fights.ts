/**
 * Notices objects that are changed back and forth: two controllers that want different things would otherwise keep a turn busy for
 * its whole length, and write for ever.
 */
import { createHash } from "node:crypto";
import type { KubeObject } from "../api/objects.ts";
import { ceilingMs } from "./backoff.ts";

/** Changes in one turn that raise a suspicion. */
const turnLimit = 10;
/** Changes in {@link windowMs} that raise one across turns. */
const windowLimit = 30;
const windowMs = 300_000;
/** No honest rollout changes one object so often in a turn, even if each state is new. */
const hardLimit = 100;
/**
 * The longest wait. From here a person who scales up and down a dozen times looks like a fight, and what they asked for last must not
 * wait for minutes.
 */
const longestWaitMs = 30_000;

interface History {
  /** Times of the changes in the window, in milliseconds. */
  times: number[];
  /** States seen in the window. */
  readonly states: Set<string>;
  /** Changes that brought back a state seen before. */
  returns: number;
  turnChanges: number;
  strikes: number;
}

export interface Fight {
  /** How long to leave the object alone. */
  readonly waitMs: number;
  readonly changes: number;
  /** Field managers of the object. */
  readonly managers: readonly string[];
}

/**
 * Counting alone would also hold up a rollout, whose Deployment changes with every Pod that becomes ready. So besides the count (more
 * than 10 changes in a turn, or 30 in 5 minutes) at least half of the changes must have brought back a state that was there before.
 */
export class Fights {
  readonly #histories = new Map<string, History>();

  beginTurn(now: number): void {
    for (const [key, history] of this.#histories) {
      history.turnChanges = 0;
      if ((history.times.at(-1) ?? 0) < now - windowMs) this.#histories.delete(key);
    }
  }

  /** @param key of the object, kind included @returns what to do about it, if there is something */
  changed(key: string, object: KubeObject, now: number): Fight | undefined {
    let history = this.#histories.get(key);
    if (!history) this.#histories.set(key, (history = { times: [], states: new Set(), returns: 0, turnChanges: 0, strikes: 0 }));
    history.times = [...history.times.filter((time) => time > now - windowMs), now];
    history.turnChanges++;
    // Most objects change once or twice and are left alone: no need to look closer.
    if (history.times.length > 2) {
      const state = digest(object);
      if (history.states.has(state)) history.returns++;
      history.states.add(state);
    }

    const many = history.turnChanges > turnLimit || history.times.length > windowLimit;
    const backAndForth = history.returns * 2 >= history.times.length;
    if (!(many && backAndForth) && history.turnChanges <= hardLimit) return undefined;
    history.strikes++;
    const managers = new Set((object.metadata.managedFields ?? []).map(({ manager }) => manager ?? "unknown"));
    return {
      waitMs: Math.min(ceilingMs(history.strikes), longestWaitMs),
      changes: history.turnChanges,
      managers: [...managers].toSorted(),
    };
  }
}

/** Content without what differs after every write. */
function digest(object: KubeObject): string {
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...metadata } = object.metadata;
  const text = JSON.stringify({ ...object, metadata }, (key, value: unknown) =>
    key === "observedGeneration" || key.endsWith("Time") || key.endsWith("Timestamp") ? undefined : value,
  );
  return createHash("sha1").update(text).digest("base64");
}
