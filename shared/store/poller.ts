/** Looks for other processes' commits while somebody watches: often after a change, rarely when idle. One per log and process. */
import type { Log } from "../runtime/log.ts";
import type { ResourceLog } from "./resource-log.ts";

/** After so many polls without news the pauses grow: changes come in bursts, and not one in each pause. */
const pollsBeforeIdle = 4;

export class Poller {
  readonly #log: ResourceLog;
  readonly #report: Log;
  readonly #watchers = new Set<() => void>();
  #stop: AbortController | undefined;

  constructor(log: ResourceLog, report: Log) {
    this.#log = log;
    this.#report = report;
  }

  /**
   * Polls until the returned function is called.
   * @param ring called whenever there may be news, and after every poll
   */
  attach(ring: () => void): () => void {
    const detach = this.#log.onAdvance(ring);
    this.#watchers.add(ring);
    if (!this.#stop) {
      this.#stop = new AbortController();
      void this.#run(this.#stop.signal);
    }
    return () => {
      detach();
      this.#watchers.delete(ring);
      if (this.#watchers.size > 0) return;
      this.#stop?.abort();
      this.#stop = undefined;
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#log.parts.patience;
    const { pollBusyMs, pollIdleMs } = this.#log.parts.settings;
    let delay = pollBusyMs;
    let withoutNews = 0;
    let seen = this.#log.cache?.head.slot;
    for (;;) {
      try {
        await clock.sleep(delay, signal);
      } catch {
        return; // Nobody watches any more.
      }
      try {
        await this.#log.poll();
      } catch (error) {
        this.#report.warn("poll failed", { log: this.#log.parts.keys.slots, error });
      }
      const now = this.#log.cache?.head.slot;
      withoutNews = now === seen ? withoutNews + 1 : 0;
      delay = withoutNews < pollsBeforeIdle ? pollBusyMs : Math.min(delay * 2, pollIdleMs);
      seen = now;
      if (signal.aborted) return;
      for (const ring of this.#watchers) ring();
    }
  }
}
