/**
 * What goes wrong between the SDK and the table, and how often: single faults at a low rate all the time, and storms in which one kind
 * hits most requests of a process for a while.
 */
import { type DynamoDbCall, isWrite } from "./dynamodb-call.ts";
import { between, oneOf, type Random, weighted } from "./random.ts";

/** DynamoDB's words for "not now". Nothing was written. */
export type Throttle = "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded";

export type Fault =
  | { readonly type: "throttle"; readonly as: Throttle }
  /** The connection breaks before the request reaches the table. */
  | { readonly type: "reset" }
  /** An answer 500 or 503 without the request having been carried out. */
  | { readonly type: "fail"; readonly status: 500 | 503 }
  /** The same, though it was carried out. */
  | { readonly type: "failAfter"; readonly status: 500 | 503 }
  /** It was carried out, and the connection breaks before the answer is sent. */
  | { readonly type: "dropReply" }
  /** Late on the way to the table; it arrives even if the caller gave up meanwhile. */
  | { readonly type: "delay"; readonly ms: number }
  /** Late on the way back. */
  | { readonly type: "delayReply"; readonly ms: number }
  /** The connection breaks at once, and the request arrives at the table later. */
  | { readonly type: "late"; readonly ms: number }
  /** A query during which others write: of what they do meanwhile it sees some, in no order. Lasts so long at least. */
  | { readonly type: "tornQuery"; readonly ms: number }
  /** A page ends early, as it does at 1 MB. */
  | { readonly type: "shortPage"; readonly limit: number }
  /** An eventually consistent read is served by a replica that lags so far behind. */
  | { readonly type: "staleRead"; readonly lagMs: number };

export type FaultType = Fault["type"];

/** Nothing is under way for longer than this: a request's signature expires, and the store's ages are chosen with that in mind. */
export const longestDelayMs = 1_500;

const throttles: readonly [Throttle, ...Throttle[]] = [
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
];

/** Share of the requests that each fault hits, where it applies at all. */
const rates: Readonly<Record<FaultType, number>> = {
  throttle: 0.015,
  reset: 0.007,
  fail: 0.005,
  failAfter: 0.01,
  dropReply: 0.012,
  delay: 0.03,
  delayReply: 0.02,
  late: 0.008,
  tornQuery: 0.3,
  shortPage: 0.08,
  staleRead: 0.4,
};

/** Which of them come in storms, and how often against each other. */
const stormy = { throttle: 4, reset: 2, fail: 2, failAfter: 2, dropReply: 3, delay: 3, late: 1, tornQuery: 3, shortPage: 2 } as const;

interface Storm {
  readonly from: number;
  readonly to: number;
  readonly type: FaultType;
  readonly share: number;
}

export class FaultSchedule {
  readonly #random: Random;
  readonly #now: () => number;
  #storm: Storm;

  /** @param now milliseconds, on any clock */
  constructor(random: Random, now: () => number) {
    this.#random = random;
    this.#now = now;
    this.#storm = this.#nextStorm();
  }

  /** What shall go wrong with this request. Undefined: nothing. */
  next(call: DynamoDbCall): Fault | undefined {
    const now = this.#now();
    if (now >= this.#storm.to) this.#storm = this.#nextStorm();
    const { type, from, share } = this.#storm;
    if (now >= from && applies(type, call) && this.#random() < share) return this.#fault(type);
    const candidates = (Object.keys(rates) as FaultType[]).filter((each) => applies(each, call));
    let point = this.#random();
    for (const candidate of candidates) {
      point -= rates[candidate];
      if (point < 0) return this.#fault(candidate);
    }
    return undefined;
  }

  #nextStorm(): Storm {
    const from = this.#now() + between(this.#random, 2_000, 10_000);
    const to = from + between(this.#random, 200, 1_500);
    return { from, to, type: weighted(this.#random, stormy), share: between(this.#random, 0.3, 0.9) };
  }

  #fault(type: FaultType): Fault {
    const random = this.#random;
    const status = random() < 0.7 ? 500 : 503;
    // Mostly short, now and then long enough for the caller to give up.
    const ms = random() < 0.1 ? between(random, 100, longestDelayMs) : between(random, 1, 40);
    switch (type) {
      case "throttle":
        return { type, as: oneOf(random, throttles) };
      case "fail":
      case "failAfter":
        return { type, status };
      case "delay":
      case "delayReply":
      case "late":
        return { type, ms };
      case "tornQuery":
        // Long enough, now and then, for several commits to fall into it.
        return { type, ms: random() < 0.4 ? between(random, 50, 600) : between(random, 1, 15) };
      case "shortPage":
        return { type, limit: 1 + Math.floor(random() * 3) };
      case "staleRead":
        return { type, lagMs: between(random, 5, 500) };
      default:
        return { type };
    }
  }
}

function applies(type: FaultType, call: DynamoDbCall): boolean {
  if (type === "tornQuery" || type === "shortPage") return call.operation === "Query";
  if (type === "staleRead") return !isWrite(call) && call.body.ConsistentRead !== true;
  return type !== "late" || isWrite(call);
}
