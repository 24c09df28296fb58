/** Sees every slot at the moment at which the table takes it: the logs of a cluster's lives, whatever compaction makes of them later. */
import { type RecordedChange, type RecordedLog, type Violation } from "../../../bench/robustness/history.ts";
import { recordChange } from "../../../bench/robustness/recorder.ts";
import { systemClock } from "../../../shared/runtime/clock.ts";
import { Chunks } from "../../../shared/store/chunks.ts";
import { logKeys } from "../../../shared/store/keys.ts";
import { revisionAt } from "../../../shared/store/slot.ts";
import { readSlotItem } from "../../../shared/store/slot-item.ts";
import type { Item, Table } from "../../../shared/store/table.ts";

interface WitnessedLog {
  readonly birth: number;
  newest: number;
  closed: boolean;
  /** In the order of the slots. */
  readonly changes: Promise<readonly RecordedChange[]>[];
  readonly emptySlots: number[];
  /** Revision of the newest slot's last change. */
  head: number;
}

export class Witness {
  readonly #now: () => number;
  readonly #logs = new Map<number, WitnessedLog>();
  readonly violations: Violation[] = [];
  /** Every partition that anything was ever written to. */
  readonly partitions = new Set<string>();
  readonly #storage: string;

  /** @param storage whose logs it looks at */
  constructor(now: () => number, storage: string) {
    this.#now = now;
    this.#storage = storage;
  }

  /** The table, watched. */
  watching(table: Table): Table {
    return {
      get: (key, options) => table.get(key, options),
      query: (query) => table.query(query),
      delete: (key, condition) => table.delete(key, condition),
      put: async (item, condition) => {
        const result = await table.put(item, condition);
        this.partitions.add(item.pk);
        if (result.done && item.pk.endsWith(`#${this.#storage}#log`) && item.stub === undefined)
          await this.#note(table, item, condition?.type === "absent");
        return result;
      },
    };
  }

  /** The newest revision of a life. */
  head(birth: number): number {
    return this.#log(birth).head;
  }

  async logOf(birth: number, retentionMs: number): Promise<RecordedLog> {
    const changes = (await Promise.all(this.#log(birth).changes)).flat();
    const { emptySlots, head } = this.#log(birth);
    return { start: revisionAt(birth, 0), changes, emptySlots, end: head, retentionMs };
  }

  #log(birth: number): WitnessedLog {
    let log = this.#logs.get(birth);
    if (!log) {
      log = { birth, newest: birth, closed: false, changes: [], emptySlots: [], head: revisionAt(birth, 0) };
      this.#logs.set(birth, log);
    }
    return log;
  }

  /** A slot whose key was free again is none: no reader comes upon it, and whoever wrote it must not take it for a commit. */
  async #note(table: Table, item: Item, conditional: boolean): Promise<void> {
    const [cluster = "", incarnation, storage = ""] = item.pk.split("#");
    const birth = Number(incarnation);
    const number = Number(item.sk);
    const log = this.#log(birth);
    if (number <= log.newest) {
      if (!conditional) this.#wrong(`slot ${number} was written over`);
      return;
    }
    if (log.closed) return this.#wrong(`slot ${number} was written after the closing slot`);
    if (number !== log.newest + 1) this.#wrong(`slot ${number} was written after ${log.newest}`);
    log.newest = number;
    log.head = revisionAt(number, Number(item.count));
    log.closed = item.closing === true;
    if (item.count === 0) log.emptySlots.push(number);
    if (log.closed) return;
    const seenAt = this.#now();
    const patience = { clock: systemClock, random: Math.random };
    const read = readSlotItem(item, new Chunks(table, logKeys(cluster, birth, storage), patience)).then((slot) => {
      if (slot?.type === "slot") return slot.changes.map((change) => recordChange(change, seenAt));
      this.#wrong(`slot ${number} was written without its chunks`);
      return [];
    });
    log.changes.push(read);
    await read;
  }

  #wrong(message: string): void {
    this.violations.push({ check: "log", message });
  }
}
