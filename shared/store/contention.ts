/**
 * Taking turns with other processes (rule 12). A log commits once per round trip, and the last winner knows the head first: left alone
 * it would win again and again, and never learn that there are others.
 *
 * Slots name their writers' processes, so everybody can tell how many write. Who has won lets as many round trips pass as there are
 * others; who has lost waits until about as many have passed since it began, and is in a hurry after that. Who seems to be alone leaves a gap now and
 * then, in which others can show that they are there. Who needs longer to judge than others need to write would never win: it asks for the
 * next slot, by a slot without changes, and the others wait. All of this is courtesy; nothing relies on it.
 */
import type { Patience } from "./retry.ts";

/** Who has not won for this long is not counted any more. */
const memoryMs = 3_000;
/** So many wins in a row, close together, call for a gap; twice as many after a gap in which nobody showed up. */
const streak = { least: 8, most: 128 };
/** Nobody is left the next slot for longer than this. */
const longestHoldMs = 500;
const longMs = 10;
/** Round trips that each of the others is left. */
const share = 1.2;
/** Shorter pauses are not worth a timer. */
const shortestMs = 1;

export class Contention {
  readonly #patience: Patience;
  readonly #self: string;
  /** When each of the others won last. */
  readonly #seen = new Map<string, number>();
  #lastWin = -Infinity;
  #wins = 0;
  #streak = streak.least;
  /** A claim takes about this long. */
  #roundTripMs = 0.5;
  /** Whom the next slot is left to, and until when. */
  #hold: { readonly writer: string; readonly until: number } | undefined;
  #losses = 0;

  constructor(patience: Patience, self: string) {
    this.#patience = patience;
    this.#self = self;
  }

  /** A slot was read that somebody won. @param holdMs how long its writer asks to be left the next one */
  observe(writer: string, holdMs?: number): void {
    if (writer === this.#self) return;
    if (holdMs !== undefined) this.#hold = { writer, until: this.#now() + Math.min(holdMs, longestHoldMs) };
    else if (this.#hold?.writer === writer) this.#hold = undefined;
    this.#seen.set(writer, this.#now());
    this.#wins = 0;
    this.#streak = streak.least;
  }

  /** A claim was answered, in whatever way. */
  answered(tookMs: number): void {
    this.#roundTripMs += (Math.min(tookMs, 200) - this.#roundTripMs) / 8;
  }

  /** A slot was somebody else's, or what we judged on was outdated before we claimed it. */
  lost(): void {
    this.#losses++;
  }

  /**
   * How long to ask for the next slot, after slots were lost because judging takes longer than others need to write.
   * @param thoughtMs how long it took last
   */
  holdWanted(thoughtMs: number): number | undefined {
    // A little may have been the machine.
    const lossesBeforeAsking = thoughtMs < Math.max(4 * longMs, 1.5 * this.#roundTripMs) ? 2 : 1;
    if (this.#losses < lossesBeforeAsking || thoughtMs < Math.max(longMs, this.#roundTripMs)) return undefined;
    return Math.ceil(1.25 * thoughtMs + 4 * this.#roundTripMs);
  }

  /** Waits while the next slot is left to somebody. @returns whether it waited */
  async yielded(): Promise<boolean> {
    const left = (this.#hold?.until ?? 0) - this.#now();
    this.#hold = undefined;
    if (left < shortestMs) return false;
    await this.#patience.clock.sleep(left + this.#patience.random() * this.#roundTripMs);
    return true;
  }

  /** A slot is ours. */
  won(): void {
    this.#losses = 0;
    const now = this.#now();
    this.#wins = now - this.#lastWin < 4 * this.#roundTripMs + 4 ? this.#wins + 1 : 0;
    this.#lastWin = now;
  }

  /** Waits for our turn before the first claim of a slot. @returns whether others may have written meanwhile */
  async turn(): Promise<boolean> {
    const { clock, random } = this.#patience;
    const others = this.#others();
    const gap = this.#wins >= this.#streak ? 2 + random() : 0;
    const turns = others * (0.75 + random() / 2) * share;
    const pause = this.#lastWin + Math.max(gap, turns) * this.#roundTripMs - this.#now();
    if (gap > 0) {
      this.#wins = 0;
      this.#streak = Math.min(2 * this.#streak, streak.most);
    }
    if (pause >= shortestMs) await clock.sleep(pause);
    return others > 0 || pause >= shortestMs;
  }

  /**
   * After a slot was lost. Whoever has waited for a turn tries the next slot at once: the refusal has shown what stands in this one.
   * @param oldest since when the oldest change waits, in milliseconds since 1970
   * @returns whether it waited
   */
  async backOff(oldest: number): Promise<boolean> {
    const { clock, random } = this.#patience;
    const window = this.#roundTripMs * (this.#others() + 1);
    const age = Math.max(0, this.#now() - oldest);
    const pause = window * (0.75 + random() / 2) * share - age;
    if (pause >= shortestMs) await clock.sleep(pause);
    return pause >= shortestMs;
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
