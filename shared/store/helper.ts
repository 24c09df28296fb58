/**
 * Keeps the log's tail short: whoever commits while it is long helps to bring the view up to date (rule 18).
 *
 * Processes that write to one log see its tail grow alike, and a refused write costs as much as a successful one. So each begins to help at
 * a length of its own, looks first whether somebody else has done it, and stops when it finds that somebody else is doing it; but only once
 * for the same watermark, since the other one may be no more.
 */
import type { Log } from "../runtime/log.ts";
import type { ResourceLog } from "./resource-log.ts";
import type { SlotNumber } from "./slot.ts";
import { StoreBusyError } from "./store.ts";
import { OvertakenError } from "./view.ts";

/** Writers are turned away when the tail is this many times longer than what makes them help. */
const refusalFactor = 10;

/** Who leaves the view to somebody else looks again when the tail has grown by so much. */
const patientFor = 0.25;

/** How much one writer does for the others before it is answered. */
const batchesAtOnce = 4;

export class Helper {
  readonly #log: ResourceLog;
  readonly #report: Log;
  #running: Promise<void> | undefined;
  /** Where the view was known to be, and how much had been applied to the cache then. */
  #watermark: SlotNumber | undefined;
  #bytesThen = 0;
  /** The tail at which this process begins to help, of what makes some writer help at the latest. */
  #share: number;
  /** Somebody else was at it when the watermark was this. */
  #leftToOthersAt: SlotNumber | undefined;

  constructor(log: ResourceLog, report: Log) {
    this.#log = log;
    this.#report = report;
    this.#share = this.#drawShare();
  }

  /**
   * @param stopAt when the writer must be answered, in milliseconds since 1970
   * @returns what the writer has to wait for; it never fails. Nothing when the tail is short
   */
  afterCommit(stopAt: number): Promise<void> | undefined {
    return this.#tail() > this.#share ? this.help(stopAt) : undefined;
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
      await this.#look();
      if (this.#tail() <= this.#share) return;
      const bytes = this.#log.cache?.appliedBytes ?? 0;
      const unlessOvertaken = this.#watermark !== this.#leftToOthersAt;
      let batches = 0;
      const { watermark, done } = await this.#log.view.materialize(() => ++batches < batchesAtOnce, { stopAt, unlessOvertaken });
      this.#watermark = watermark;
      if (done) this.#bytesThen = bytes;
      this.#share = this.#drawShare();
    } catch (error) {
      if (error instanceof OvertakenError) {
        this.#leftToOthersAt = this.#watermark;
        this.#share = Math.min(this.#tail() + patientFor, refusalFactor / 2);
      } else this.#report.warn("view not brought up to date", { log: this.#log.parts.keys.slots, error });
    }
  }

  /** Whether others have brought the view further than we know. */
  async #look(): Promise<void> {
    const { watermark } = await this.#log.marks(0);
    const { cache } = this.#log;
    const known = this.#watermark ?? watermark;
    if (!cache || watermark <= known) return;
    // How much of it there is in bytes is known only of the whole.
    const left = Math.max(0, cache.head.slot - watermark) / Math.max(1, cache.head.slot - known);
    this.#bytesThen = cache.appliedBytes - (cache.appliedBytes - this.#bytesThen) * left;
    this.#watermark = watermark;
  }

  #drawShare(): number {
    return 0.5 + this.#log.parts.patience.random() / 2;
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
