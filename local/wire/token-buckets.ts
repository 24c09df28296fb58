/** Request throttling as AWS does it: one token bucket per group of operations, per account and Region. */
import type { Clock } from "../../shared/runtime/clock.ts";
import { throttled } from "./service-error.ts";

export interface BucketLimits {
  /** Requests that may come at once after a rest. */
  readonly burst: number;
  /** Tokens that come back per second. */
  readonly perSecond: number;
}

/** Takes tokens out of named buckets that fill with time. */
export interface TokenBuckets<Name extends string> {
  /** @throws {ServiceError} ThrottlingException when there are fewer than `tokens` left; then none is taken */
  take(name: Name, tokens?: number): void;
}

export function tokenBuckets<Name extends string>(limits: Readonly<Record<Name, BucketLimits>>, clock: Clock): TokenBuckets<Name> {
  const levels = new Map<Name, { tokens: number; at: number }>();
  return {
    take(name, tokens = 1) {
      const { burst, perSecond } = limits[name];
      const now = clock.now().getTime();
      const last = levels.get(name) ?? { tokens: burst, at: now };
      const available = Math.min(burst, last.tokens + (Math.max(0, now - last.at) / 1_000) * perSecond);
      const enough = available >= tokens;
      levels.set(name, { tokens: enough ? available - tokens : available, at: now });
      if (!enough) throw throttled();
    },
  };
}
