/** How long the failed Pods of a Node are left alone: longer with each that failed there. Kept in memory only: a new process begins anew. */

const firstMs = 1_000;
const longestMs = 15 * 60_000;

interface Entry {
  readonly at: number;
  readonly waitMs: number;
}

export class Failures {
  readonly #entries = new Map<string, Entry>();

  /** Until when, after the last one. */
  retryAt(key: string): Date | undefined {
    const entry = this.#entries.get(key);
    return entry && new Date(entry.at + entry.waitMs);
  }

  /** Another Pod failed and is replaced. What has been quiet for long enough begins anew. */
  note(key: string, now: Date): void {
    const at = now.getTime();
    const before = this.#entries.get(key);
    const isOld = before !== undefined && at - before.at > 2 * longestMs;
    this.#entries.set(key, { at, waitMs: before && !isOld ? Math.min(longestMs, before.waitMs * 2) : firstMs });
    for (const [known, entry] of this.#entries) if (at - entry.at > 2 * longestMs) this.#entries.delete(known);
  }
}
