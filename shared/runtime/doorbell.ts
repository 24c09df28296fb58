/**
 * What the table's stream is good for: it says whom a change concerns. Nothing in a record is believed; it only starts whoever then
 * reads the logs.
 */
import type { Clock } from "./clock.ts";
import { type Consumer, type ConsumerInvoker, consumers } from "./consumer.ts";
import type { Log } from "./log.ts";

/** A record of DynamoDB Streams, as far as it matters here. Slot items carry `cluster` and `ring` as plain strings. */
export interface StreamRecord {
  readonly dynamodb?: { readonly NewImage?: Readonly<Record<string, { readonly S?: string | undefined }>> | undefined } | undefined;
}

export interface Ring {
  readonly cluster: string;
  readonly consumer: Consumer;
}

const attempts = 3;

/** Whom the records concern; each once. `ring` holds consumers joined by commas; unknown ones belong to another version and are left out. */
export function ringsOf(records: readonly StreamRecord[]): Ring[] {
  const found = new Map<string, Ring>();
  for (const { dynamodb } of records) {
    const cluster = dynamodb?.NewImage?.cluster?.S;
    const names = dynamodb?.NewImage?.ring?.S?.split(",") ?? [];
    if (!cluster) continue;
    for (const consumer of consumers) if (names.includes(consumer)) found.set(`${cluster} ${consumer}`, { cluster, consumer });
  }
  return [...found.values()];
}

export interface Doorbell {
  /**
   * Starts everybody concerned, and never fails: a batch that failed would be delivered again and hold up the bells of every
   * cluster. A start that is lost is made up for by the next change or the hourly sweep.
   */
  ring(records: readonly StreamRecord[]): Promise<void>;
}

export function createDoorbell({
  invoker,
  clock,
  log,
}: {
  readonly invoker: ConsumerInvoker;
  readonly clock: Clock;
  readonly log: Log;
}): Doorbell {
  const start = async ({ cluster, consumer }: Ring): Promise<void> => {
    for (let attempt = 1; attempt <= attempts; attempt++) {
      try {
        await invoker.start(cluster, consumer);
        return;
      } catch (error) {
        log.warn("consumer not started", { cluster, consumer, attempt, error });
        if (attempt < attempts) await clock.sleep(100 * attempt);
      }
    }
    log.error("gave up starting a consumer: the next change or sweep will", { cluster, consumer });
  };
  return {
    async ring(records) {
      await Promise.all(ringsOf(records).map(start));
    },
  };
}
