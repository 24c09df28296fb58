/** Where the clients of one process and one log work: the log's store, the journal, and what they share. */
import type { ResourceStore } from "../../../shared/store/store.ts";
import type { WatchRequest, WatchResponse } from "../history.ts";
import { type Journal, monotonicMs } from "../journal.ts";
import type { KnownObjects } from "../known-objects.ts";
import type { Random } from "../random.ts";
import { RecordedClient } from "../recorder.ts";
import type { Profile } from "../traffic.ts";

export interface Desk {
  /** Name of the process in this life of it. */
  readonly process: string;
  readonly log: string;
  readonly store: ResourceStore;
  readonly profile: Profile;
  readonly journal: Journal;
  readonly known: KnownObjects;
  readonly random: Random;
  /** No new requests, please. Watches go on. */
  readonly resting: AbortSignal;
  /** It is all over. */
  readonly over: AbortSignal;
}

/** A client whose operations are journaled. @param attempts tells how often its last write was judged */
export function clientAt({ process, log, store, journal }: Desk, name: string, attempts?: () => number): RecordedClient {
  return new RecordedClient(`${process}/${log}/${name}`, store, monotonicMs, (operation) => {
    const judged = attempts?.();
    journal.write({ log, operation, ...(judged !== undefined && { attempts: judged }) });
  });
}

/** What is collected of a watch before it is written down, in milliseconds: it only gets shorter when the process dies. */
const collectMs = 20;

let watches = 0;

/** One watch in the journal. */
export class WatchJournal {
  readonly #journal: Journal;
  readonly #id: string;
  #waiting: WatchResponse[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor({ process, log, journal }: Desk, client: string, request: WatchRequest) {
    this.#journal = journal;
    this.#id = `${process}-${++watches}`;
    journal.write({ log, watch: this.#id, client, request });
  }

  add(response: WatchResponse): void {
    this.#waiting.push(response);
    this.#timer ??= setTimeout(() => this.flush(), collectMs);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    this.#journal.write({ watch: this.#id, responses: this.#waiting });
    this.#waiting = [];
  }
}
