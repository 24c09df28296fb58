/** Reads a table's stream: all its shards, from now on. Polls seldom by itself, and at once when it is told that something was written. */
import {
  type _Record,
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
} from "@aws-sdk/client-dynamodb-streams";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Log } from "../../shared/runtime/log.ts";

export interface StreamReader {
  /** Something was written: look now. */
  hint(): void;
  stop(): Promise<void>;
}

/** How often it looks without a hint, for what other processes wrote. In milliseconds. */
const pollIntervalMs = 5_000;
/** How often new shards are looked for, besides when one ends. In milliseconds. */
const discoveryIntervalMs = 60_000;
const batchSize = 1_000;

interface Shard {
  /** Undefined once the shard is closed and read to its end. */
  iterator: string | undefined;
  /** The last record that was passed on. */
  lastSequenceNumber: string | undefined;
}

/** @param options.take gets the records in order, at most 1,000 at a time; it must not fail */
export async function readStream(options: {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly take: (records: readonly _Record[]) => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<StreamReader> {
  const { client, streamArn, take, clock, log } = options;
  const shards = new Map<string, Shard>();
  const stopped = new AbortController();
  let hinted = new AbortController();
  let discoveredAt = 0;
  let failing = false;

  const discover = async (type: "LATEST" | "TRIM_HORIZON") => {
    let after: string | undefined;
    do {
      const { StreamDescription: stream } = await client.send(
        new DescribeStreamCommand({ StreamArn: streamArn, ...(after !== undefined && { ExclusiveStartShardId: after }) }),
      );
      for (const { ShardId: id } of stream?.Shards ?? []) {
        if (id === undefined || shards.has(id)) continue;
        // An EndingSequenceNumber says nothing here: dynoxide gives one to its open shard too. The iterator tells when a shard has ended.
        shards.set(id, { iterator: await iteratorOf(id, type), lastSequenceNumber: undefined });
      }
      after = stream?.LastEvaluatedShardId;
    } while (after !== undefined);
    discoveredAt = clock.now().getTime();
  };
  const iteratorOf = async (id: string, type: "LATEST" | "TRIM_HORIZON" | "AFTER_SEQUENCE_NUMBER", sequenceNumber?: string) => {
    const { ShardIterator } = await client.send(
      new GetShardIteratorCommand({
        StreamArn: streamArn,
        ShardId: id,
        ShardIteratorType: type,
        ...(sequenceNumber !== undefined && { SequenceNumber: sequenceNumber }),
      }),
    );
    return ShardIterator;
  };

  /** @returns whether there may be more at once */
  const readShard = async (id: string, shard: Shard): Promise<boolean> => {
    if (shard.iterator === undefined) return false;
    const page = await client
      .send(new GetRecordsCommand({ ShardIterator: shard.iterator, Limit: batchSize }))
      .catch(async (error: unknown) => {
        if (!isExpired(error)) throw error;
        const from = shard.lastSequenceNumber;
        shard.iterator = from === undefined ? await iteratorOf(id, "TRIM_HORIZON") : await iteratorOf(id, "AFTER_SEQUENCE_NUMBER", from);
        return undefined;
      });
    if (!page) return true;
    const records = page.Records ?? [];
    if (records.length > 0) await take(records);
    shard.lastSequenceNumber = records.at(-1)?.dynamodb?.SequenceNumber ?? shard.lastSequenceNumber;
    shard.iterator = page.NextShardIterator;
    return records.length > 0 || shard.iterator === undefined;
  };

  const readAll = async () => {
    for (const [id, shard] of shards) {
      while (!stopped.signal.aborted && (await readShard(id, shard)));
      if (shard.iterator === undefined && shard.lastSequenceNumber !== undefined) discoveredAt = 0;
    }
    if (clock.now().getTime() - discoveredAt >= discoveryIntervalMs) await discover("TRIM_HORIZON");
  };

  const loop = async () => {
    while (!stopped.signal.aborted) {
      hinted = new AbortController();
      try {
        await readAll();
        failing = false;
      } catch (error) {
        if (stopped.signal.aborted) return;
        if (!failing) log.warn("the table's stream cannot be read; trying again", { error });
        failing = true;
        await clock.sleep(1_000, stopped.signal).catch(() => undefined);
        continue;
      }
      if (!hinted.signal.aborted)
        await clock.sleep(pollIntervalMs, AbortSignal.any([stopped.signal, hinted.signal])).catch(() => undefined);
    }
  };

  await discover("LATEST");
  const running = loop();
  return {
    hint: () => hinted.abort(),
    async stop() {
      stopped.abort();
      await running;
    },
  };
}

const isExpired = (error: unknown): boolean =>
  error instanceof Error && (error.name === "ExpiredIteratorException" || error.name === "TrimmedDataAccessException");
