/** Hybrid logical time: close to the wall clock, and above everything that its owner has seen (rule 20). */
import type { Clock } from "../runtime/clock.ts";

export class HybridClock {
  readonly #clock: Clock;
  #newest = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A slot with this time was read. */
  observe(micros: number): void {
    if (micros > this.#newest) this.#newest = micros;
  }

  /** @returns microseconds since 1970, at least one above every slot seen */
  tick(): number {
    this.#newest = Math.max(this.#clock.now().getTime() * 1000, this.#newest + 1);
    return this.#newest;
  }
}
