/**
 * What a process writes down while it works: a line of JSON for each thing that happened, written before anything else happens, so that
 * it is there when the process is killed in the next moment.
 */
import { createReadStream, openSync, readdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Operation, RecordedChange, WatchOperation, WatchRequest, WatchResponse } from "./history.ts";

/** Milliseconds on the machine's monotonic clock, which all processes share. */
export const monotonicMs = (): number => Number(process.hrtime.bigint() / 1_000n) / 1_000;

export type JournalLine =
  /** An operation is written down when it is asked for, and once more when it is answered. */
  | { readonly log: string; readonly operation: Operation; readonly attempts?: number }
  | { readonly log: string; readonly watch: string; readonly client: string; readonly request: WatchRequest }
  | { readonly watch: string; readonly responses: readonly WatchResponse[] }
  /** A slot, as the table took it. */
  | { readonly log: string; readonly slot: RecordedSlot }
  /** Something that should not happen whatever goes wrong. */
  | { readonly trouble: string };

export interface RecordedSlot {
  readonly number: number;
  /** Hybrid logical time, in microseconds. */
  readonly time: number;
  readonly changes: readonly RecordedChange[];
}

const suffix = ".jsonl";

export class Journal {
  readonly #file: number;

  /** @param name of the process in this life of it */
  constructor(folder: string, name: string) {
    this.#file = openSync(join(folder, `${name}${suffix}`), "a");
  }

  write(line: JournalLine): void {
    writeSync(this.#file, `${JSON.stringify(line)}\n`);
  }
}

/** What all processes wrote down of one log. */
export interface JournaledLog {
  readonly operations: readonly Operation[];
  readonly watches: readonly WatchOperation[];
  /** In the order in which the table took them, as the witness saw it. */
  readonly slots: readonly RecordedSlot[];
}

export interface Journals {
  readonly logs: ReadonlyMap<string, JournaledLog>;
  readonly troubles: readonly string[];
  /** Greatest number of slots that a write of a client was judged for, by client. */
  readonly attempts: ReadonlyMap<string, number>;
}

export async function readJournals(folder: string): Promise<Journals> {
  const merging = new Merging();
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(suffix)) continue;
    for await (const line of createInterface({ input: createReadStream(join(folder, file)), crlfDelay: Infinity })) {
      const parsed = parse(line);
      if (parsed) merging.add(file, parsed);
    }
  }
  return merging.result();
}

/** The last line of a process that was killed while it wrote it is nobody's. */
function parse(line: string): JournalLine | undefined {
  try {
    return JSON.parse(line) as JournalLine;
  } catch {
    return undefined;
  }
}

interface OpenLog {
  /** By client and time: the answer takes the place of the question. */
  readonly operations: Map<string, Operation>;
  readonly watches: WatchOperation[];
  readonly slots: RecordedSlot[];
}

class Merging {
  readonly #logs = new Map<string, OpenLog>();
  readonly #responses = new Map<string, WatchResponse[]>();
  readonly #troubles: string[] = [];
  readonly #attempts = new Map<string, number>();

  add(file: string, line: JournalLine): void {
    if ("trouble" in line) this.#troubles.push(`${file.slice(0, -suffix.length)}: ${line.trouble}`);
    else if ("operation" in line) this.#operation(line);
    else if ("slot" in line) this.#log(line.log).slots.push(line.slot);
    else if ("request" in line) {
      const responses: WatchResponse[] = [];
      this.#responses.set(line.watch, responses);
      this.#log(line.log).watches.push({ client: line.client, request: line.request, responses });
    } else this.#responses.get(line.watch)?.push(...line.responses);
  }

  #operation({ log, operation, attempts = 0 }: Extract<JournalLine, { readonly operation: Operation }>): void {
    const { client, call } = operation;
    this.#log(log).operations.set(`${client} ${call}`, operation);
    if (attempts > (this.#attempts.get(client) ?? 0)) this.#attempts.set(client, attempts);
  }

  #log(name: string): OpenLog {
    let log = this.#logs.get(name);
    if (!log) {
      log = { operations: new Map(), watches: [], slots: [] };
      this.#logs.set(name, log);
    }
    return log;
  }

  result(): Journals {
    const logs = new Map<string, JournaledLog>();
    for (const [name, { operations, watches, slots }] of this.#logs) {
      logs.set(name, { operations: [...operations.values()], watches, slots });
    }
    return { logs, troubles: this.#troubles, attempts: this.#attempts };
  }
}
