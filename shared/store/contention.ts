/**
 * Taking turns with other processes (rule 12). A log commits once per round trip, and the last winner knows the head first: left alone
 * it would win again and again, and never learn that there are others.
 *
 * Slots name their writers' processes, so everybody can tell how many write. Who has won lets as many round trips pass as there are
 * others; who has lost waits a random part of that, the shorter the longer it has waited. Who seems to be alone leaves a gap now and
 * then, in which others can show that they are there.
 */
import type { Patience } from "./retry.ts";

/** Who has not won for this long is not counted any more. */
const memoryMs = 2_000;
/** So many wins in a row, close together, call for a gap. */
const streak = 100;
/** Shorter pauses are not worth a timer. */
const shortestMs = 1;

export class Contention {
  readonly #patience: Patience;
  readonly #self: string;
  /** When each of the others won last. */
  readonly #seen = new Map<string, number>();
  #lastWin = -Infinity;
  #wins = 0;
  /** A claim takes about this long. */
  #roundTripMs = 0.5;

  constructor(patience: Patience, self: string) {
    this.#patience = patience;
    this.#self = self;
  }

  /** A slot was read that somebody won. */
  observe(writer: string): void {
    if (writer === this.#self) return;
    this.#seen.set(writer, this.#now());
    this.#wins = 0;
  }

  /** A claim was answered, in whatever way. */
  answered(tookMs: number): void {
    this.#roundTripMs += (Math.min(tookMs, 200) - this.#roundTripMs) / 8;
  }

  /** A slot is ours. */
  won(): void {
    const now = this.#now();
    this.#wins = now - this.#lastWin < 4 * this.#roundTripMs + 4 ? this.#wins + 1 : 0;
    this.#lastWin = now;
  }

  /** Waits for our turn before the first claim of a slot. @returns whether others may have written meanwhile */
  async turn(): Promise<boolean> {
    const { clock, random } = this.#patience;
    const others = this.#others();
    const gap = this.#wins >= streak ? 2 + random() : 0;
    const turns = others * (0.75 + random() / 2);
    const pause = this.#lastWin + Math.max(gap, turns) * this.#roundTripMs - this.#now();
    if (gap > 0) this.#wins = 0;
    if (pause >= shortestMs) await clock.sleep(pause);
    return others > 0 || pause >= shortestMs;
  }

  /** After a slot was lost. @param oldest since when the oldest change waits, in milliseconds since 1970 */
  async backOff(oldest: number): Promise<void> {
    const { clock, random } = this.#patience;
    const window = this.#roundTripMs * (this.#others() + 1);
    const age = Math.max(0, this.#now() - oldest);
    const pause = (random() * window) / (1 + age / window);
    if (pause >= shortestMs) await clock.sleep(pause);
  }

  #others(): number {
    const horizon = this.#now() - memoryMs;
    for (const [writer, at] of this.#seen) if (at < horizon) this.#seen.delete(writer);
    return this.#seen.size;
  }

  #now(): number {
    return this.#patience.clock.now().getTime();
  }
}
