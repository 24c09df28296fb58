import { describe, expect, it } from "vitest";
import { createBus } from "../../../local/dispatcher/bus.ts";
import { matches } from "../../../local/dispatcher/filter.ts";
import { createSchedules, type Schedule } from "../../../local/dispatcher/schedules.ts";
import type { Event } from "../../../local/ecs/events.ts";
import { openRecords } from "../../../local/state/records.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { fakeClock, settled } from "../../support/fake-clock.ts";

const anEvent = (id: string): Event => ({
  version: "0",
  id,
  "detail-type": "ECS Task State Change",
  source: "aws.ecs",
  account: "0",
  time: "",
  region: "us-east-1",
  resources: [],
  detail: {},
});

const delivered = async (random: readonly number[]) => {
  const draws = [...random];
  const got: string[] = [];
  const clock = fakeClock();
  const bus = createBus({
    deliver: ({ id }) => got.push(id),
    clock,
    random: () => draws.shift() ?? 1,
    disorder: { duplicates: 0.1, late: 0.1, longestDelayMs: 50 },
  });
  bus.publish(anEvent("a"));
  bus.publish(anEvent("b"));
  expect(got).toEqual([]);
  await settled();
  await clock.advance(100);
  return got;
};

describe("events", () => {
  it("arrive, but not within the call that caused them", async () => {
    expect(await delivered([1, 1, 1, 1])).toEqual(["a", "b"]);
  });
  it("may be overtaken by later ones", async () => {
    expect(await delivered([0, 0.5, 1, 1, 1])).toEqual(["b", "a"]);
  });
  it("may arrive twice", async () => {
    expect(await delivered([1, 0, 0.5, 1, 1])).toEqual(["a", "b", "a"]);
  });
});

describe("the filter of the table's stream", () => {
  const ringing = { dynamodb: { NewImage: { ring: { S: [{ exists: true }] } } } } as const;
  it.each([
    { name: "a slot that rings somebody", record: { dynamodb: { NewImage: { ring: { S: "kubelet" } } } }, passes: true },
    { name: "a slot that concerns nobody", record: { dynamodb: { NewImage: { pk: { S: "x" } } } }, passes: false },
    { name: "a removal", record: { dynamodb: { Keys: {} } }, passes: false },
  ])("$name: $passes", ({ record, passes }) => {
    expect(matches(ringing, record)).toBe(passes);
  });

  it("knows values, prefixes and exclusions", () => {
    expect(matches({ eventName: ["INSERT", "MODIFY"] }, { eventName: "MODIFY" })).toBe(true);
    expect(matches({ name: [{ prefix: "bi" }] }, { name: "binnacle" })).toBe(true);
    expect(matches({ name: [{ "anything-but": ["a"] }] }, { name: "a" })).toBe(false);
    expect(matches({ name: [{ exists: false }] }, {})).toBe(true);
  });
});

const aSchedule = (dueAt: number, overrides: Partial<Schedule> = {}): Schedule => ({
  group: "binnacle-wake-ups",
  name: "default-kubelet",
  expression: "at(…)",
  dueAt,
  target: "arn:aws:lambda:us-east-1:0:function:binnacle-kubelet",
  input: '{"cluster":"default"}',
  deleteAfterCompletion: true,
  createdAt: 0,
  ...overrides,
});
const scheduler = (clock = fakeClock(), records = openRecords(":memory:")) => {
  const started: { at: number; target: string; event: unknown }[] = [];
  const start = (target: string, event: unknown) => started.push({ at: clock.now().getTime(), target, event });
  return { clock, records, started, schedules: createSchedules({ records, clock, log: silentLog, start }) };
};

describe("schedules", () => {
  it("fire once when they are due, and are gone", async () => {
    const { clock, started, schedules } = scheduler();
    const dueAt = clock.now().getTime() + 90_000;
    expect(schedules.create(aSchedule(dueAt))).toBe(true);
    expect(schedules.create(aSchedule(dueAt + 1))).toBe(false);
    await clock.advance(600_000);
    expect(started).toEqual([{ at: dueAt, target: aSchedule(0).target, event: { cluster: "default" } }]);
    expect(schedules.all()).toEqual([]);
  });

  it("that were missed while nothing ran fire at the next start", async () => {
    const first = scheduler();
    first.schedules.create(aSchedule(first.clock.now().getTime() + 60_000));
    first.schedules.stop();
    await first.clock.advance(3_600_000);
    expect(first.started).toEqual([]);
    const second = scheduler(first.clock, first.records);
    await settled();
    expect(second.started).toHaveLength(1);
  });

  it("repeat, even over the longest sleep", async () => {
    const { clock, schedules } = scheduler();
    let runs = 0;
    schedules.every(3_600_000, () => {
      runs += 1;
    });
    await clock.advance(5 * 3_600_000);
    expect(runs).toBe(5);
  });
});
