import { describe, expect, it } from "vitest";
import { createDoorbell, ringsOf, type StreamRecord } from "../../shared/runtime/doorbell.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { fakeClock } from "../support/fake-clock.ts";

const slot = (cluster: string, ring?: string): StreamRecord => ({
  dynamodb: { NewImage: { cluster: { S: cluster }, ...(ring !== undefined && { ring: { S: ring } }) } },
});

describe("the doorbell", () => {
  it("starts each consumer of each cluster once, whatever the number of records", async () => {
    const started: string[] = [];
    const doorbell = createDoorbell({
      invoker: { start: async (cluster, consumer) => void started.push(`${cluster} ${consumer}`) },
      clock: fakeClock(),
      log: silentLog,
    });
    await doorbell.ring([slot("default", "reconciler"), slot("default", "reconciler,kubelet"), slot("dev", "reconciler")]);
    expect(started).toEqual(["default reconciler", "default kubelet", "dev reconciler"]);
  });

  it.each([
    { name: "a slot that concerns nobody", record: slot("default") },
    { name: "a consumer that it does not know", record: slot("default", "astrologer") },
    { name: "an item that is no slot", record: { dynamodb: { NewImage: { pk: { S: "default#view" } } } } },
    { name: "a deletion", record: { dynamodb: {} } },
  ])("does not ring for $name", ({ record }) => {
    expect(ringsOf([record])).toEqual([]);
  });

  it("never fails: it tries again, and leaves the rest to the sweep", async () => {
    const clock = fakeClock();
    let attempts = 0;
    const doorbell = createDoorbell({
      invoker: {
        start: async () => {
          attempts++;
          throw new Error("throttled");
        },
      },
      clock,
      log: silentLog,
    });
    const ringing = doorbell.ring([slot("default", "reconciler")]);
    await clock.advance(1_000);
    await expect(ringing).resolves.toBeUndefined();
    expect(attempts).toBe(3);
  });
});
