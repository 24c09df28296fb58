/** DynamoDB Streams → Lambda: filters records, hands them over in order, and halves a batch that fails before it gives one up. */
import type { _Record } from "@aws-sdk/client-dynamodb-streams";
import type { DynamoDBRecord, DynamoDBStreamEvent, StreamRecord } from "aws-lambda";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Log } from "../../shared/runtime/log.ts";
import { matches, type Pattern } from "./filter.ts";

/** @returns what {@link import("./stream-reader.ts").readStream} passes records to */
export function eventSourceMapping(options: {
  readonly streamArn: string;
  readonly filter: Pattern;
  readonly invoke: (event: DynamoDBStreamEvent) => Promise<unknown>;
  /** Retries of a batch; after that its halves are tried, down to one record, which is then given up. */
  readonly retries: number;
  readonly clock: Clock;
  readonly log: Log;
}): (records: readonly _Record[]) => Promise<void> {
  const { streamArn, filter, invoke, retries, clock, log } = options;
  const deliver = async (records: readonly DynamoDBRecord[]): Promise<void> => {
    let failure: unknown;
    for (let attempt = 0; attempt <= retries; attempt += 1) {
      try {
        await invoke({ Records: [...records] });
        return;
      } catch (error) {
        failure = error;
        await clock.sleep(100 * 2 ** attempt);
      }
    }
    if (records.length === 1) {
      log.error("stream record given up", { sequenceNumber: records[0]?.dynamodb?.SequenceNumber, error: failure });
      return;
    }
    const half = Math.ceil(records.length / 2);
    await deliver(records.slice(0, half));
    await deliver(records.slice(half));
  };
  return async (records) => {
    // Filtered first: most records concern nobody, and their bodies are large.
    const wanted = records.filter((record) => matches(filter, record));
    if (wanted.length > 0) await deliver(wanted.map((record) => asEvent(record, streamArn)));
  };
}

/** A record as Lambda's JSON has it: binary values in Base64, times in seconds. */
function asEvent(record: _Record, streamArn: string): DynamoDBRecord {
  const { dynamodb, userIdentity: _, ...rest } = record;
  const { ApproximateCreationDateTime: created, ...change } = dynamodb ?? {};
  return {
    ...(rest as Omit<DynamoDBRecord, "dynamodb">),
    eventSourceARN: streamArn,
    dynamodb: {
      ...(plain(change) as StreamRecord),
      ...(created && { ApproximateCreationDateTime: Math.floor(created.getTime() / 1_000) }),
    },
  };
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString("base64");
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
