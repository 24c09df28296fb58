/** The store's table port over DynamoDB: single-item writes that are tried once, strong reads, and the table's clock. */
import {
  type AttributeValue as AwsValue,
  DeleteItemCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
} from "@aws-sdk/client-dynamodb";
import {
  type AttributeValue,
  type Condition,
  type Item,
  type ItemKey,
  type Query,
  type QueryPage,
  type Table,
  TableFullError,
  TableRefusedError,
  TableUnavailableError,
  ThrottledError,
  UnknownOutcomeError,
  type WriteResult,
} from "../store/table.ts";
import { isFull, meaningOf } from "./dynamodb-errors.ts";

export interface DynamoDbTableOptions {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** After this time a call counts as failed. Default 5,000. */
  readonly timeoutMs?: number;
}

export function dynamoDbTable(options: DynamoDbTableOptions): Table {
  return new DynamoDbTable(options);
}

class DynamoDbTable implements Table {
  readonly #client: DynamoDBClient;
  readonly #tableName: string;
  readonly #timeoutMs: number;

  constructor({ client, tableName, timeoutMs = 5_000 }: DynamoDbTableOptions) {
    this.#client = client;
    this.#tableName = tableName;
    this.#timeoutMs = timeoutMs;
  }

  async get({ pk, sk }: ItemKey, { consistent }: { readonly consistent: boolean }) {
    const command = new GetItemCommand({
      TableName: this.#tableName,
      Key: { pk: { S: pk }, sk: { S: sk } },
      ConsistentRead: consistent,
    });
    const clock = watchDate(command);
    const { Item } = await this.#read((limits) => this.#client.send(command, limits));
    return { item: Item && itemOf(Item), date: clock.date() };
  }

  put(item: Item, condition?: Condition): Promise<WriteResult> {
    const Item = Object.fromEntries(Object.entries(item).flatMap(([name, value]) => (value === undefined ? [] : [[name, toAws(value)]])));
    const command = new PutItemCommand({ TableName: this.#tableName, Item, ...conditionOf(condition) });
    return this.#write(command, (limits) => this.#client.send(command, limits));
  }

  delete({ pk, sk }: ItemKey, condition?: Condition): Promise<WriteResult> {
    const command = new DeleteItemCommand({
      TableName: this.#tableName,
      Key: { pk: { S: pk }, sk: { S: sk } },
      ...conditionOf(condition),
    });
    return this.#write(command, (limits) => this.#client.send(command, limits));
  }

  async query({ pk, from, to, descending, limit, cursor, consistent }: Query): Promise<QueryPage> {
    // DynamoDB refuses bounds in the wrong order.
    if (from !== undefined && to !== undefined && from > to) return { items: [], date: new Date() };
    const command = new QueryCommand({
      TableName: this.#tableName,
      ...rangeOf(pk, from, to),
      ScanIndexForward: !descending,
      ConsistentRead: consistent,
      ...(limit !== undefined && { Limit: limit }),
      ...(cursor && { ExclusiveStartKey: { pk: { S: cursor.pk }, sk: { S: cursor.sk } } }),
    });
    const clock = watchDate(command);
    const { Items = [], LastEvaluatedKey } = await this.#read((limits) => this.#client.send(command, limits));
    const items = Items.map(itemOf);
    const date = clock.date();
    return LastEvaluatedKey
      ? { items, cursor: { pk: LastEvaluatedKey.pk?.S ?? "", sk: LastEvaluatedKey.sk?.S ?? "" }, date }
      : { items, date };
  }

  /** Reads may be retried, so the SDK does. */
  async #read<T>(send: Send<T>): Promise<T> {
    try {
      return await this.#limited(send);
    } catch (error) {
      const meaning = meaningOf(error);
      if (meaning === "throttled") throw new ThrottledError("the table throttles reads", { cause: error });
      if (meaning === "refused") throw new TableRefusedError("the table refuses to be read", { cause: error });
      throw new TableUnavailableError("the table could not be read", { cause: error });
    }
  }

  async #write(command: Writable, send: Send<unknown>): Promise<WriteResult> {
    const attempt = tryOnce(command);
    let failure: unknown;
    try {
      await this.#limited(send);
      failure = attempt.failure();
    } catch (error) {
      failure = attempt.failure() ?? error;
    }
    if (failure === undefined) return { done: true, date: attempt.date() };
    const meaning = meaningOf(failure);
    if (meaning === "conditionFailed") {
      const existing = (failure as { Item?: Record<string, AwsValue> }).Item;
      return { done: false, date: attempt.date(), existing: existing && itemOf(existing) };
    }
    if (meaning === "throttled") throw new ThrottledError("the table throttles writes", { cause: failure });
    if (meaning === "refused") throw new TableRefusedError("the table refuses the write", { cause: failure });
    if (isFull(failure)) throw new TableFullError("the table has no room left", { cause: failure });
    throw new UnknownOutcomeError("the outcome of a write is unknown", { cause: failure });
  }

  /** Not `AbortSignal.timeout`: its timers go on after the answer, thousands of them, and each makes an exception in the end. */
  async #limited<T>(send: Send<T>): Promise<T> {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), this.#timeoutMs);
    try {
      return await send({ abortSignal: limit.signal });
    } finally {
      clearTimeout(timer);
    }
  }
}

type Send<T> = (limits: { readonly abortSignal: AbortSignal }) => Promise<T>;

// ---- one attempt, and the Date header

/** The part of the SDK's commands that middleware needs. */
interface Writable {
  readonly middlewareStack: {
    addRelativeTo(middleware: any, options: { name: string; relation: "after"; toMiddleware: string; override: boolean }): void;
  };
}

interface Reply {
  readonly response?: { readonly headers?: Readonly<Record<string, string>> };
  readonly output: unknown;
}

/**
 * Keeps the SDK from retrying a write: its own first attempt would make the second one fail. The middleware stands inside the SDK's
 * retry loop and hands errors through it as if they were answers.
 */
function tryOnce(command: Writable) {
  let failure: unknown;
  let date: Date | undefined;
  command.middlewareStack.addRelativeTo(
    (next: (args: unknown) => Promise<Reply>) =>
      async (args: unknown): Promise<Reply> => {
        try {
          const reply = await next(args);
          date = dateOf(reply.response);
          return reply;
        } catch (error) {
          failure = error;
          const { $response: response } = error as { $response?: Reply["response"] };
          date = dateOf(response);
          return { ...(response && { response }), output: { $metadata: {} } };
        }
      },
    { name: "tryOnce", relation: "after", toMiddleware: "retryMiddleware", override: true },
  );
  return { failure: () => failure, date: () => date ?? new Date() };
}

/** Notes the table's clock as a read's answer passes. */
function watchDate(command: Writable) {
  let date: Date | undefined;
  command.middlewareStack.addRelativeTo(
    (next: (args: unknown) => Promise<Reply>) => async (args: unknown) => {
      const reply = await next(args);
      date = dateOf(reply.response);
      return reply;
    },
    { name: "watchDate", relation: "after", toMiddleware: "retryMiddleware", override: true },
  );
  return { date: () => date ?? new Date() };
}

/** Emulators may leave the header out; their clock is this machine's. */
function dateOf(response: Reply["response"]): Date | undefined {
  const date = response?.headers?.date;
  return date === undefined || Number.isNaN(Date.parse(date)) ? undefined : new Date(date);
}

// ---- values and expressions

function toAws(value: AttributeValue): AwsValue {
  if (typeof value === "string") return { S: value };
  if (typeof value === "number") return { N: String(value) };
  if (typeof value === "boolean") return { BOOL: value };
  if (value instanceof Uint8Array) return { B: value };
  return { L: (value as readonly AttributeValue[]).map(toAws) };
}

const itemOf = (item: Record<string, AwsValue>): Item =>
  Object.fromEntries(Object.entries(item).map(([name, value]) => [name, fromAws(value)])) as unknown as Item;

function fromAws(value: AwsValue): AttributeValue {
  if (value.S !== undefined) return value.S;
  if (value.N !== undefined) return Number(value.N);
  if (value.BOOL !== undefined) return value.BOOL;
  if (value.B !== undefined) return value.B;
  return (value.L ?? []).map(fromAws) as unknown as AttributeValue;
}

function conditionOf(condition: Condition | undefined) {
  if (!condition) return {};
  const old = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" } as const;
  if (condition.type === "absent") return { ...old, ConditionExpression: "attribute_not_exists(pk)" };
  const values = {
    ...old,
    ExpressionAttributeNames: { "#a": condition.attribute },
    ExpressionAttributeValues: { ":v": toAws(condition.value) },
  };
  if (condition.type === "equals") return { ...values, ConditionExpression: "#a = :v" };
  return { ...values, ConditionExpression: "attribute_not_exists(pk) OR #a < :v" };
}

function rangeOf(pk: string, from: string | undefined, to: string | undefined) {
  const range =
    from !== undefined && to !== undefined
      ? " AND sk BETWEEN :from AND :to"
      : from !== undefined
        ? " AND sk >= :from"
        : to !== undefined
          ? " AND sk <= :to"
          : "";
  return {
    KeyConditionExpression: `pk = :pk${range}`,
    ExpressionAttributeValues: {
      ":pk": { S: pk },
      ...(from !== undefined && { ":from": { S: from } }),
      ...(to !== undefined && { ":to": { S: to } }),
    },
  };
}

// ---- what kind of table it is

/** The table cannot hold the store. */
export class UnfitTableError extends Error {
  override readonly name = "UnfitTableError";
}

/**
 * Refuses tables whose conditions do not hold for everybody: in a global table with eventual consistency two Regions can own one slot
 * (rule 25).
 * @throws {UnfitTableError}
 */
export async function assertTableFits({ client, tableName }: DynamoDbTableOptions): Promise<void> {
  const { Table: table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
  const keys = (table?.KeySchema ?? []).map(({ AttributeName, KeyType }) => `${AttributeName}:${KeyType}`).join();
  if (keys !== "pk:HASH,sk:RANGE") throw new UnfitTableError(`table ${tableName} must have the key pk (partition) and sk (sort)`);
  // Not GlobalTableVersion: whether a table of one Region has one is not documented.
  const replicated = (table?.Replicas ?? []).length > 0;
  if (replicated && table?.MultiRegionConsistency !== "STRONG") {
    throw new UnfitTableError(
      `table ${tableName} is a global table with eventual consistency: only strong consistency keeps the log's promises`,
    );
  }
}
