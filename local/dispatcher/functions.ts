/**
 * AWS Lambda on a laptop: runs the real handlers with deadlines, reserved concurrency and, for asynchronous events, a queue with two
 * retries. What it cannot do is to kill a handler: one that outlives its time-out goes on, and its answer is thrown away.
 */
import { randomUUID } from "node:crypto";
import type { Context } from "aws-lambda";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Log } from "../../shared/runtime/log.ts";
import { type Account, arn } from "../account.ts";

export interface LocalFunction {
  readonly handler: (event: any, context: Context) => Promise<unknown>;
  readonly timeoutMs: number;
  /** Invocations that run at once; more wait. */
  readonly concurrency: number;
  /** MiB; only told to the handler. */
  readonly memorySize: number;
}

export interface Functions {
  /** Begins to run what is invoked and queued; until then everything waits. */
  begin(): void;
  has(name: string): boolean;
  /** Invokes and waits. @throws what the handler throws, or a {@link FunctionTimeoutError} */
  invoke(name: string, event: unknown): Promise<unknown>;
  /** Queues an event: at least once, in no promised order; a failing handler is tried again after one and after two more minutes. */
  enqueue(name: string, event: unknown): void;
  /** Takes no more events and waits for the running handlers, at most this long. */
  stop(graceMs: number): Promise<void>;
}

export class FunctionTimeoutError extends Error {
  override readonly name = "FunctionTimeoutError";
}

/** How long Lambda waits before it tries an event again: three attempts in all. */
const retryDelaysMs = [60_000, 120_000];

export function createFunctions(options: {
  readonly functions: Readonly<Record<string, LocalFunction>>;
  readonly account: Account;
  readonly clock: Clock;
  readonly log: Log;
}): Functions {
  const { functions, account, clock, log } = options;
  const lanes = new Map(Object.entries(functions).map(([name, fn]) => [name, lane(fn.concurrency)]));
  const running = new Set<Promise<unknown>>();
  const begun = Promise.withResolvers<void>();
  const stopped = new AbortController();

  const run = async (name: string, payload: string): Promise<unknown> => {
    const fn = functions[name];
    const slots = lanes.get(name);
    if (!fn || !slots) throw new Error(`Function not found: ${name}`);
    await begun.promise;
    await slots.enter();
    const over = new AbortController();
    try {
      const deadline = clock.now().getTime() + fn.timeoutMs;
      const timeout = clock.sleep(fn.timeoutMs, over.signal).then(
        () => {
          throw new FunctionTimeoutError(`Task timed out after ${(fn.timeoutMs / 1_000).toFixed(2)} seconds`);
        },
        () => undefined,
      );
      // Each invocation has an event of its own, as it would have from the wire.
      return await Promise.race([
        fn.handler(
          JSON.parse(payload),
          contextOf(name, fn, account, () => deadline - clock.now().getTime()),
        ),
        timeout,
      ]);
    } finally {
      over.abort();
      slots.leave();
    }
  };

  const tracked = async (name: string, payload: string): Promise<unknown> => {
    const invocation = run(name, payload);
    running.add(invocation);
    try {
      return await invocation;
    } finally {
      running.delete(invocation);
    }
  };

  const attempt = async (name: string, payload: string, requestId: string): Promise<void> => {
    for (const delayMs of [0, ...retryDelaysMs]) {
      if (delayMs > 0) await clock.sleep(delayMs, stopped.signal);
      if (stopped.signal.aborted) return;
      try {
        await tracked(name, payload);
        return;
      } catch (error) {
        log.error("function failed", { function: name, requestId, error });
      }
    }
    log.error("event dropped after three attempts", { function: name, requestId });
  };

  return {
    begin: () => begun.resolve(),
    has: (name) => Object.hasOwn(functions, name),
    invoke: (name, event) => tracked(name, JSON.stringify(event)),
    enqueue(name, event) {
      if (stopped.signal.aborted) return;
      attempt(name, JSON.stringify(event), randomUUID()).catch((error: unknown) => {
        if (!stopped.signal.aborted) log.error("event lost", { function: name, error });
      });
    },
    async stop(graceMs) {
      stopped.abort();
      const late = new AbortController();
      const grace = clock.sleep(graceMs, late.signal).catch(() => undefined);
      await Promise.race([Promise.allSettled(running), grace]);
      late.abort();
    },
  };
}

/** Lets a number of invocations in at once; the others wait in the order they came. */
function lane(places: number): { enter(): Promise<void>; leave(): void } {
  let free = places;
  const waiting: (() => void)[] = [];
  return {
    enter() {
      if (free > 0) {
        free -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => waiting.push(resolve));
    },
    leave() {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    },
  };
}

function contextOf(name: string, { memorySize }: LocalFunction, account: Account, remainingMs: () => number): Context {
  return {
    callbackWaitsForEmptyEventLoop: false,
    functionName: name,
    functionVersion: "$LATEST",
    invokedFunctionArn: functionArn(account, name),
    memoryLimitInMB: String(memorySize),
    awsRequestId: randomUUID(),
    logGroupName: `/aws/lambda/${name}`,
    logStreamName: "local",
    getRemainingTimeInMillis: () => Math.max(0, remainingMs()),
    done: () => {},
    fail: () => {},
    succeed: () => {},
  };
}

export const functionArn = (account: Account, name: string): string => arn(account, "lambda", `function:${name}`);
