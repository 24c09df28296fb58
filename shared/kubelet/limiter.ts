/**
 * Token buckets in front of Amazon ECS, whose quotas hold for the whole account and Region: we use a part of them, halve it when we
 * are throttled, and grow slowly again. @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
 */
import type { Clock } from "../runtime/clock.ts";

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** Buckets by what shares them. */
export const budgets = ["modify", "read", "register", "readDefinition"] as const;
export type Budget = (typeof budgets)[number];

/** 80 % of the default quotas. */
export const defaultRates: Readonly<Record<Budget, Rate>> = {
  modify: { perSecond: 32, burst: 80 },
  read: { perSecond: 16, burst: 80 },
  register: { perSecond: 0.8, burst: 16 },
  readDefinition: { perSecond: 16, burst: 40 },
};

/** Part of the rate that comes back with each call that goes through. */
const recovery = 0.01;
const leastShare = 1 / 16;

class Bucket {
  readonly #rate: Rate;
  #tokens: number;
  #at: number;
  /** Part of the rate in use, after throttling. */
  #share = 1;

  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#at = now;
  }

  /** Takes a token, if need be one of the future. @returns milliseconds until it is there */
  take(now: number): number {
    this.#refill(now);
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens / this.#perMs);
  }

  /** Takes a token if that leaves so many. @returns 0, or the milliseconds after which it may be worth asking again */
  tryTake(now: number, leave: number): number {
    this.#refill(now);
    const missing = 1 + Math.min(leave, this.#rate.burst - 1) - this.#tokens;
    if (missing > 0) return Math.ceil(missing / this.#perMs);
    this.#tokens -= 1;
    return 0;
  }

  get #perMs(): number {
    return (this.#rate.perSecond * this.#share) / 1_000;
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + Math.max(0, now - this.#at) * this.#perMs);
    this.#at = now;
  }

  throttled(): void {
    this.#share = Math.max(leastShare, this.#share / 2);
    this.#tokens = Math.min(this.#tokens, 0);
  }

  passed(): void {
    this.#share = Math.min(1, this.#share + recovery);
  }
}

export interface Limiter {
  /** Runs a call when there is a token for it. */
  run<T>(budget: Budget, call: () => Promise<T>): Promise<T>;
  /**
   * Takes a token for a call that will follow by {@link paid}, if there is one now: whoever has better things to do than to wait.
   * @param leave takes none of the last ones, which are for others
   * @returns undefined, or when to ask again
   */
  tryTake(budget: Budget, leave?: number): Date | undefined;
  /** Runs a call whose token was taken before. */
  paid<T>(budget: Budget, call: () => Promise<T>): Promise<T>;
}

/** Those who ask again are let in together: each look costs the manager a round. */
const gridMs = 250;

export function createLimiter(options: {
  readonly clock: Clock;
  /** Which failures mean that the service refuses for now. */
  readonly isThrottled: (error: unknown) => boolean;
  readonly rates?: Partial<Record<Budget, Rate>>;
}): Limiter {
  const { clock, isThrottled } = options;
  const now = () => clock.now().getTime();
  const rates = { ...defaultRates, ...options.rates };
  const buckets = new Map(budgets.map((budget) => [budget, new Bucket(rates[budget], now())]));
  const bucketOf = (budget: Budget): Bucket => {
    const bucket = buckets.get(budget);
    if (!bucket) throw new RangeError(`no such budget: ${budget}`);
    return bucket;
  };
  const paid: Limiter["paid"] = async (budget, call) => {
    const bucket = bucketOf(budget);
    try {
      const result = await call();
      bucket.passed();
      return result;
    } catch (error) {
      if (isThrottled(error)) bucket.throttled();
      throw error;
    }
  };
  return {
    paid,
    async run(budget, call) {
      const waitMs = bucketOf(budget).take(now());
      if (waitMs > 0) await clock.sleep(waitMs);
      return paid(budget, call);
    },
    tryTake(budget, leave = 0) {
      const waitMs = bucketOf(budget).tryTake(now(), leave);
      return waitMs === 0 ? undefined : new Date(Math.ceil((now() + waitMs) / gridMs) * gridMs);
    },
  };
}
