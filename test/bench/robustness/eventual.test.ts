import { describe, expect, it } from "vitest";
import { readCall } from "../../../bench/robustness/dynamodb-call.ts";
import { LaggingReplica } from "../../../bench/robustness/lagging-replica.ts";
import { tornQuery } from "../../../bench/robustness/torn-query.ts";

const item = (sk: string, n: number) => ({ pk: { S: "p" }, sk: { S: sk }, n: { N: String(n) } });
const never = () => 0.9;
const always = () => 0.1;

describe("a lagging replica", () => {
  let now = 0;
  const get = readCall("DynamoDB_20120810.GetItem", JSON.stringify({ Key: { pk: { S: "p" }, sk: { S: "a" } } }))!;
  const query = readCall("DynamoDB_20120810.Query", JSON.stringify({ ExpressionAttributeValues: { ":pk": { S: "p" } } }))!;

  it("shows an item as it was", () => {
    const replica = new LaggingReplica(() => now);
    now = 100;
    replica.wrote("p", "a", undefined);
    now = 200;
    replica.wrote("p", "a", item("a", 1));
    now = 210;
    const newest = { Item: item("a", 2) };
    expect(replica.rewind(get, newest, 5)).toEqual(newest);
    expect(replica.rewind(get, newest, 50)).toEqual({ Item: item("a", 1) });
    expect(replica.rewind(get, newest, 150)).toEqual({});
  });

  it("leaves out of a query what was not there", () => {
    const replica = new LaggingReplica(() => now);
    now = 100;
    replica.wrote("p", "b", undefined);
    replica.wrote("p", "c", item("c", 1));
    const newest = { Items: [item("a", 1), item("b", 1), item("c", 2)] };
    now = 110;
    expect(replica.rewind(query, newest, 50)).toEqual({ Items: [item("a", 1), item("c", 1)] });
    expect(replica.rewind(query, newest, 5)).toEqual(newest);
  });
});

describe("a torn query", () => {
  const before = { Items: [item("a", 1), item("b", 1)] };
  const after = { Items: [item("a", 1), item("b", 2), item("c", 1), item("d", 1)] };

  it("shows everything that was there when it began, as it was then or later", () => {
    expect(tornQuery(before, after, never)).toEqual({ reply: before, torn: true });
    expect(tornQuery(before, after, always)).toEqual({ reply: after, torn: false });
  });

  it("may show the later of two new items without the earlier", () => {
    const draws = [0.1, 0.9, 0.1];
    expect(tornQuery(before, after, () => draws.shift()!).reply.Items?.map(({ sk }) => sk?.S)).toEqual(["a", "b", "d"]);
  });

  it("is whole when nobody wrote", () => {
    expect(tornQuery(after, after, never)).toEqual({ reply: after, torn: false });
  });

  it("never makes an empty page that has a successor", () => {
    const page = { Items: [item("c", 1)], LastEvaluatedKey: { pk: { S: "p" }, sk: { S: "c" } } };
    expect(tornQuery({ Items: [] }, page, never)).toEqual({ reply: page, torn: false });
  });
});
