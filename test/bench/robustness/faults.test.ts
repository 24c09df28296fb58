import { describe, expect, it } from "vitest";
import { type DynamoDbCall, readCall, stepOf } from "../../../bench/robustness/dynamodb-call.ts";
import { FaultSchedule, longestDelayMs } from "../../../bench/robustness/faults.ts";
import { randomFor } from "../../../bench/robustness/random.ts";

const call = (operation: string, suffix: string, body: object = {}): DynamoDbCall => {
  const key = { pk: { S: `default#1#pods#${suffix}` }, sk: { S: "1" } };
  const shapes: Readonly<Record<string, object>> = {
    PutItem: { Item: { ...key, ...body } },
    Query: { ExpressionAttributeValues: { ":pk": key.pk }, ...body },
  };
  return readCall(`DynamoDB_20120810.${operation}`, JSON.stringify(shapes[operation] ?? { Key: key, ...body }))!;
};

/** So many faults, a millisecond apart. */
function draw(seed: number, request: DynamoDbCall, count: number) {
  let now = 0;
  const schedule = new FaultSchedule(randomFor(seed, "p0 faults"), () => now++);
  return Array.from({ length: count }, () => schedule.next(request));
}

describe("a fault schedule", () => {
  it("follows from its seed", () => {
    const request = call("PutItem", "log");
    expect(draw(1, request, 2_000)).toEqual(draw(1, request, 2_000));
    expect(draw(1, request, 2_000)).not.toEqual(draw(2, request, 2_000));
  });

  it("lets most requests pass, and has storms in which most do not", () => {
    const faults = draw(1, call("PutItem", "log"), 60_000);
    const perSecond = Array.from({ length: 60 }, (_, second) => faults.slice(second * 1_000, (second + 1) * 1_000).filter(Boolean).length);
    expect(perSecond.filter((count) => count < 200).length).toBeGreaterThan(30);
    expect(Math.max(...perSecond)).toBeGreaterThan(300);
  });

  it.each([
    { name: "a write", request: call("PutItem", "view"), never: ["tornQuery", "shortPage", "staleRead"], always: ["late", "dropReply"] },
    {
      name: "a strong query",
      request: call("Query", "log", { ConsistentRead: true }),
      never: ["late", "staleRead"],
      always: ["tornQuery", "shortPage"],
    },
    { name: "an eventual get", request: call("GetItem", "view"), never: ["late", "tornQuery", "shortPage"], always: ["staleRead"] },
  ])("does to $name what can happen to it", ({ request, never, always }) => {
    const types = draw(3, request, 30_000).map((fault) => fault?.type);
    for (const type of never) expect(types).not.toContain(type);
    for (const type of [...always, "throttle", "reset", "fail", "failAfter", "delay", "delayReply"]) expect(types).toContain(type);
  });

  it("keeps nothing under way for longer than a signature is good", () => {
    for (const fault of draw(4, call("PutItem", "log"), 30_000)) {
      if (fault && "ms" in fault) expect(fault.ms).toBeLessThanOrEqual(longestDelayMs);
    }
  });
});

describe("a request", () => {
  it.each([
    { request: call("PutItem", "log"), step: "claim" },
    { request: call("PutItem", "log", { stub: { N: "1" } }), step: "stub write" },
    { request: call("DeleteItem", "log"), step: "erasure" },
    { request: call("Query", "log"), step: "tail read" },
    { request: call("GetItem", "log"), step: "tail read" },
    { request: call("PutItem", "view"), step: "view write" },
    { request: call("PutItem", "marks"), step: "mark write" },
    { request: call("PutItem", "chunks"), step: "chunk write" },
    { request: call("PutItem", "chunk#abc"), step: "chunk write" },
    { request: call("PutItem", "checkpoint"), step: "checkpoint" },
    { request: call("Query", "view"), step: "other" },
  ])("is known as the step: $step", ({ request, step }) => expect(stepOf(request)).toBe(step));

  it("that is about no item is left alone", () => {
    expect(readCall("DynamoDB_20120810.DescribeTable", '{"TableName":"binnacle"}')).toBeUndefined();
    expect(readCall(undefined, "")).toBeUndefined();
  });
});
