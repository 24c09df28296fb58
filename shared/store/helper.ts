/** Keeps the log's tail short: whoever commits while it is long helps to bring the view up to date (rule 18). */
import type { Log } from "../runtime/log.ts";
import type { ResourceLog } from "./resource-log.ts";
import { StoreBusyError } from "./store.ts";

/** Writers are turned away when the tail is this many times longer than what makes them help. */
const refusalFactor = 10;

/** How much one writer does for the others before it is answered. */
const batchesAtOnce = 4;

export class Helper {
  readonly #log: ResourceLog;
  readonly #report: Log;
  #running: Promise<void> | undefined;
  /** Where the view was known to be, and how much had been applied to the cache then. */
  #watermark: number | undefined;
  #bytesThen = 0;

  constructor(log: ResourceLog, report: Log) {
    this.#log = log;
    this.#report = report;
  }

  /**
   * @param stopAt when the writer must be answered, in milliseconds since 1970
   * @returns what the writer has to wait for; it never fails. Nothing when the tail is short
   */
  afterCommit(stopAt: number): Promise<void> | undefined {
    return this.#tail() > 1 ? this.help(stopAt) : undefined;
  }

  /** @throws {StoreBusyError} when the tail is so long that another write would do harm */
  async admit(): Promise<void> {
    if (this.#tail() <= refusalFactor) return;
    const { patience, settings } = this.#log.parts;
    await this.help(patience.clock.now().getTime() + settings.commitBudgetMs / 2);
    if (this.#tail() > refusalFactor) throw new StoreBusyError("the view lags too far behind the log", 5);
  }

  /** Brings the view up to date, as far as time allows. One at a time. */
  help(stopAt: number): Promise<void> {
    this.#running ??= this.#materialize(stopAt).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #materialize(stopAt: number): Promise<void> {
    try {
      const bytes = this.#log.cache?.appliedBytes ?? 0;
      let batches = 0;
      const { watermark, done } = await this.#log.view.materialize(() => ++batches < batchesAtOnce, stopAt);
      this.#watermark = watermark;
      if (done) this.#bytesThen = bytes;
    } catch (error) {
      this.#report.warn("view not brought up to date", { log: this.#log.parts.keys.slots, error });
    }
  }

  /** Length of the tail, as a multiple of what makes writers help. */
  #tail(): number {
    const { cache, parts } = this.#log;
    if (!cache) return 0;
    // A cache that was made anew begins at the watermark.
    if (this.#watermark === undefined || this.#watermark < cache.base) {
      this.#watermark = cache.base;
      this.#bytesThen = 0;
    }
    const slots = cache.head.slot - this.#watermark;
    const bytes = cache.appliedBytes - this.#bytesThen;
    return Math.max(slots / parts.settings.helpSlots, bytes / parts.settings.helpBytes);
  }
}
