/** Clients of a store that write down what they ask and what they are told, and the log's witness. */
import { createHash } from "node:crypto";
import type { JsonObject } from "../../shared/api/objects.ts";
import type { LoggedChange } from "../../shared/store/slot.ts";
import type {
  Change,
  ListQuery,
  ListResult,
  Outcome,
  Proposal,
  ResourceStore,
  Stored,
  Verdict,
  WatchItem,
} from "../../shared/store/store.ts";
import type {
  AskedFor,
  GetOperation,
  Labels,
  ListOperation,
  Operation,
  ReadFailure,
  RecordedChange,
  RecordedObject,
  WatchEvent,
  WatchOperation,
  WatchRequest,
  WatchResponse,
  WriteAnswer,
  WriteOperation,
} from "./history.ts";

/** Bodies longer than this are written down as their hash. */
const longestBody = 120;

export function recordBody(value: JsonObject): string {
  const json = JSON.stringify(value);
  return json.length <= longestBody ? json : `sha256:${createHash("sha256").update(json).digest("base64url")}`;
}

const labelsOf = (value: JsonObject): Labels | undefined => (value.metadata as { readonly labels?: Labels } | undefined)?.labels;

/** Stored objects are shared and never change: each is hashed once. */
const recorded = new WeakMap<Stored, RecordedObject>();

export function recordObject(object: Stored): RecordedObject {
  let known = recorded.get(object);
  if (!known) {
    const labels = labelsOf(object.value);
    known = { key: object.key, revision: object.revision, body: recordBody(object.value), ...(labels && { labels }) };
    recorded.set(object, known);
  }
  return known;
}

/** @param seenAt when the change was seen in the log first */
export const recordChange = ({ type, object, previous, author, id, time }: LoggedChange, seenAt?: number): RecordedChange => ({
  type,
  object: recordObject(object),
  previous: previous?.revision ?? null,
  request: author.auditId ?? "",
  id,
  time: time.getTime(),
  ...(seenAt !== undefined && { seenAt }),
});

export function recordEvent({ type, object, previous }: Change): WatchEvent {
  return {
    type: type === "delete" ? "delete" : previous ? "update" : "create",
    object: recordObject(object),
    previous: previous ? recordObject(previous) : null,
  };
}

/** Makes the next body of an object. */
type Body = (current: Stored | undefined) => JsonObject;

/** What a client wants written. */
export interface Write {
  readonly type: WriteOperation["type"];
  readonly key: string;
  /** The revision that the object must have. Absent: whichever it has. */
  readonly expected?: number;
  /** Not wanted for deletions, which leave the last state. */
  readonly body?: Body;
  /** Says of the state that it is as wanted already. */
  readonly isDone?: (current: Stored) => boolean;
  readonly volatile?: boolean;
  /** Consumers to ring. */
  readonly ring?: readonly string[];
  /** Waits this long while it judges. */
  readonly think?: () => Promise<void>;
}

/** How a store's failures are told apart: by name, so that stores of other builds can be recorded. */
const readFailures: Readonly<Record<string, ReadFailure["failed"]>> = {
  CompactedError: "compacted",
  FutureRevisionError: "future",
  StoreBusyError: "busy",
  StoreUnavailableError: "busy",
};

/** What clients did, in the making. An operation is noted when it is asked for, and again with its answer: the process may die between. */
export class Recording {
  readonly #operations = new Map<string, Operation>();
  readonly watches: WatchOperation[] = [];

  note = (operation: Operation): void => {
    this.#operations.set(`${operation.client} ${operation.call}`, operation);
  };

  noteWatch = (watch: WatchOperation): void => {
    this.watches.push(watch);
  };

  get operations(): readonly Operation[] {
    return [...this.#operations.values()];
  }
}

type Note = (operation: Operation) => void;

/** One client of one process, with one operation at a time. Errors that nobody foresaw are thrown. */
export class RecordedClient {
  readonly name: string;
  readonly #store: ResourceStore;
  readonly #now: () => number;
  readonly #note: Note;
  #requests = 0;

  /**
   * @param name not used before in this history
   * @param now milliseconds on the clock of the history; never the same twice
   * @param note called with each operation twice: without an answer when it is asked for, and with its answer
   */
  constructor(name: string, store: ResourceStore, now: () => number, note: Note) {
    this.name = name;
    this.#store = store;
    this.#now = now;
    this.#note = note;
  }

  async get(key: string, at: AskedFor = "newest"): Promise<Stored | undefined> {
    const asked = { type: "get", client: this.name, call: this.#now(), key, at } as const;
    const answer = await this.#reading(asked, () => this.#store.get(key, at));
    if (!answer) return undefined;
    const { object, revision } = answer;
    this.#note({ ...asked, return: this.#now(), result: { object: object ? recordObject(object) : null, revision } });
    return object;
  }

  /** @returns undefined when the read failed */
  async list(query: Omit<ListQuery, "at"> & { readonly at: AskedFor }): Promise<ListResult | undefined> {
    const { prefix, at, limit, after } = query;
    const page = { ...(limit !== undefined && { limit }), ...(after !== undefined && { after }) };
    const asked = { type: "list", client: this.name, call: this.#now(), prefix, at, ...page } as const;
    const answer = await this.#reading(asked, () => this.#store.list(query));
    if (!answer) return undefined;
    const { items, revision, remaining } = answer;
    this.#note({ ...asked, return: this.#now(), result: { items: items.map(recordObject), revision, remaining } });
    return answer;
  }

  /** @returns undefined when nobody knows, or nothing was written for want of time */
  async write(write: Write): Promise<Outcome | undefined> {
    const { type, key, expected = null, volatile = false, think, ring = [] } = write;
    const request = `${this.name}-${++this.#requests}`;
    let body: string | null = null;
    let judgedOn: number | null = null;
    const proposal: Proposal = {
      key,
      volatile,
      author: { user: this.name, auditId: request },
      ring: () => ring,
      judge: async (current) => {
        await think?.();
        judgedOn = current?.revision ?? null;
        const verdict = judge(write, current, request);
        body = verdict.type === "put" ? recordBody(verdict.value) : null;
        return verdict;
      },
    };
    const asked = { type, client: this.name, call: this.#now(), key, expected, request };
    this.#note({ ...asked, body, return: null, result: { type: "unknown" } });
    try {
      const outcome = await this.#store.commit(proposal);
      this.#note({ ...asked, body, judgedOn, return: this.#now(), result: answerOf(outcome) });
      return outcome;
    } catch (error) {
      const { name } = error as Error;
      if (readFailures[name] === "busy") this.#note({ ...asked, body, return: this.#now(), result: { type: "busy" } });
      else if (name === "OutcomeUnknownError") this.#note({ ...asked, body, return: null, result: { type: "unknown" } });
      else throw error;
      return undefined;
    }
  }

  /**
   * Watches until the signal aborts or the watch ends.
   * @param each called with every item; may take its time, and ends the watch by answering false
   * @returns the name of the error with which the store ended the watch
   */
  async watch(
    request: WatchRequest,
    signal: AbortSignal,
    note: (watch: WatchOperation) => void,
    each: (item: WatchItem) => Promise<boolean> = async () => true,
  ): Promise<string | undefined> {
    const responses: WatchResponse[] = [];
    note({ client: this.name, request, responses });
    try {
      for await (const item of this.#store.watch({ ...request, signal })) {
        if (item.type === "progress") responses.push({ type: "progress", revision: item.revision });
        else responses.push({ type: "events", events: [recordEvent(item.change)] });
        if (!(await each(item))) return undefined;
      }
      return undefined;
    } catch (error) {
      return (error as Error).name;
    }
  }

  async #reading<T>(asked: Unanswered, read: () => Promise<T>): Promise<T | undefined> {
    this.#note({ ...asked, return: null, result: { failed: "none" } });
    try {
      return await read();
    } catch (error) {
      const failed = readFailures[(error as Error).name];
      if (!failed) throw error;
      this.#note({ ...asked, return: this.#now(), result: { failed } });
      return undefined;
    }
  }
}

type Unanswered = Omit<GetOperation, "return" | "result"> | Omit<ListOperation, "return" | "result">;

function judge({ type, expected, body, isDone }: Write, current: Stored | undefined, request: string): Verdict {
  const refused = (reason: string): Verdict => ({ type: "refused", error: new Error(reason) });
  if (type === "create") return current ? refused("AlreadyExists") : { type: "put", value: { ...body?.(current), request } };
  if (!current) return refused("NotFound");
  if (expected !== undefined && current.revision !== expected) return refused("Conflict");
  if (type === "delete") return { type: "delete", value: current.value };
  if (isDone?.(current)) return { type: "unchanged" };
  return { type: "put", value: { ...body?.(current), request } };
}

function answerOf(outcome: Outcome): WriteAnswer {
  switch (outcome.type) {
    case "refused": {
      const reason = outcome.error.message;
      if (reason !== "AlreadyExists" && reason !== "NotFound" && reason !== "Conflict") throw outcome.error;
      return { type: "refused", reason };
    }
    case "unchanged":
      return { type: "unchanged", revision: outcome.object.revision, body: recordBody(outcome.object.value) };
    default:
      return { type: "done", revision: outcome.object.revision, body: recordBody(outcome.object.value) };
  }
}
