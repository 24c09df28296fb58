/** The table's stream as it may be at its worst: records come twice, late, in another order, or not at all. */
import type { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { readStream, type StreamReader } from "../../local/dispatcher/stream-reader.ts";
import { systemClock } from "../../shared/runtime/clock.ts";
import { ringsOf } from "../../shared/runtime/doorbell.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { between, type Random } from "./random.ts";

export type DoorbellFault = "doorbellLost" | "doorbellRepeated" | "doorbellLate";

/** Share of the rings that each happens to. */
const rates: Readonly<Record<DoorbellFault, number>> = { doorbellLost: 0.1, doorbellRepeated: 0.2, doorbellLate: 0.3 };
const longestDelayMs = 400;

export interface DoorbellOptions {
  readonly client: DynamoDBStreamsClient;
  readonly streamArn: string;
  readonly random: Random;
  readonly happened: (fault: DoorbellFault) => void;
  /** Somebody is to look at the logs. */
  readonly ring: () => void;
}

export function listenAtDoorbell({ client, streamArn, random, happened, ring }: DoorbellOptions): Promise<StreamReader> {
  const later = () => {
    // Nobody waits for a ring that is still to come when the run ends.
    setTimeout(ring, between(random, 1, longestDelayMs)).unref();
  };
  const take = async (records: Parameters<typeof ringsOf>[0]) => {
    // One record at a time, as if each had come in an invocation of its own.
    for (const record of records) for (const _ of ringsOf([record])) deliver();
  };
  const deliver = () => {
    if (random() < rates.doorbellLost) return happened("doorbellLost");
    if (random() < rates.doorbellRepeated) {
      happened("doorbellRepeated");
      later();
    }
    if (random() < rates.doorbellLate) {
      happened("doorbellLate");
      later();
    } else ring();
  };
  return readStream({ client, streamArn, take, clock: systemClock, log: silentLog });
}
