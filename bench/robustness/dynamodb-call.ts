/** What a request to DynamoDB is about: enough to decide what should go wrong with it, and to know which step of the store it is. */

/** DynamoDB's JSON of an item. */
export type WireItem = Readonly<Record<string, WireValue>>;

export interface WireValue {
  readonly S?: string;
  readonly N?: string;
  readonly B?: string;
  readonly BOOL?: boolean;
  readonly L?: readonly WireValue[];
}

/** The parts of request bodies that are looked at. */
export interface WireBody {
  readonly Item?: WireItem;
  readonly Key?: WireItem;
  readonly ExpressionAttributeValues?: WireItem;
  readonly ConsistentRead?: boolean;
  readonly ConditionExpression?: string;
  readonly Limit?: number;
  readonly ScanIndexForward?: boolean;
}

/** Which of the store's partitions an item belongs to, by the end of its partition key (see `shared/store/keys.ts`). */
export type PartitionKind = "log" | "view" | "marks" | "checkpoint" | "chunkIndex" | "chunk" | "cluster";

export interface DynamoDbCall {
  /** `PutItem`, `Query`, … */
  readonly operation: string;
  readonly pk: string;
  /** Undefined for queries. */
  readonly sk: string | undefined;
  readonly partition: PartitionKind;
  readonly body: WireBody;
}

/** @returns undefined when it is no request for items */
export function readCall(target: string | undefined, text: string): DynamoDbCall | undefined {
  const operation = target?.slice(target.indexOf(".") + 1);
  if (operation === undefined) return undefined;
  const body = parse(text);
  const key = body?.Item ?? body?.Key;
  const pk = key?.pk?.S ?? body?.ExpressionAttributeValues?.[":pk"]?.S;
  if (!body || pk === undefined) return undefined;
  return { operation, pk, sk: key?.sk?.S, partition: partitionOf(pk), body };
}

function parse(text: string): WireBody | undefined {
  try {
    return JSON.parse(text) as WireBody;
  } catch {
    return undefined;
  }
}

function partitionOf(pk: string): PartitionKind {
  if (pk.endsWith("#log")) return "log";
  if (pk.endsWith("#view")) return "view";
  if (pk.endsWith("#marks")) return "marks";
  if (pk.endsWith("#checkpoint")) return "checkpoint";
  if (pk.endsWith("#chunks")) return "chunkIndex";
  return pk.includes("#chunk#") ? "chunk" : "cluster";
}

export const isWrite = ({ operation }: DynamoDbCall): boolean => operation === "PutItem" || operation === "DeleteItem";

/** A slot that a writer wants, as opposed to one that compaction puts a stub in. */
export const isClaim = ({ operation, partition, body }: DynamoDbCall): boolean =>
  operation === "PutItem" && partition === "log" && body.Item?.stub === undefined;

/** The steps of the store between which a process may die or sleep. */
export const steps = ["tail read", "chunk write", "claim", "view write", "mark write", "checkpoint", "stub write", "erasure"] as const;
export type Step = (typeof steps)[number] | "other";

export function stepOf(call: DynamoDbCall): Step {
  const { operation, partition } = call;
  if (partition === "log") {
    if (operation === "Query" || operation === "GetItem") return "tail read";
    if (operation === "DeleteItem") return "erasure";
    return isClaim(call) ? "claim" : "stub write";
  }
  if (!isWrite(call)) return "other";
  if (partition === "view") return "view write";
  if (partition === "marks") return "mark write";
  if (partition === "checkpoint") return "checkpoint";
  return partition === "cluster" ? "other" : "chunk write";
}
