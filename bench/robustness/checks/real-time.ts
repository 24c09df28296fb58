/**
 * Real time across keys: whatever was answered before a consistent operation began is part of what that operation sees, and each client
 * only ever moves forward.
 */
import type { History, Operation, Violation } from "../history.ts";
import { settle } from "./settle.ts";

interface Answered {
  readonly operation: Operation;
  readonly revision: number;
  readonly return: number;
}

const isWrite = ({ type }: Operation): boolean => type !== "get" && type !== "list";

/** Whether the answer must reflect everything that was answered before the operation began. */
function isConsistent(operation: Operation): boolean {
  if (operation.type === "get" || operation.type === "list") return operation.at === "newest";
  return operation.result.type === "done";
}

const nameOf = ({ client, call }: Operation): string => `${client} ${call}`;

export function checkRealTime(history: History): Violation[] {
  const answered = settle(history).flatMap((operation): Answered[] => {
    const { result } = operation;
    return "revision" in result ? [{ operation, revision: result.revision, return: operation.return ?? Infinity }] : [];
  });
  const untold = new Set(history.operations.filter(({ result }) => "type" in result && result.type === "unknown").map(nameOf));
  // Who was not told what became of a write was not shown anything either.
  return [...acrossClients(answered), ...ofEachClient(answered.filter(({ operation }) => !untold.has(nameOf(operation))))];
}

/** The revision that a consistent operation names is not older than any that was named before it began; a write's is newer. */
function acrossClients(answered: readonly Answered[]): Violation[] {
  const byReturn = answered.toSorted((one, other) => one.return - other.return);
  const byCall = answered
    .filter(({ operation }) => isConsistent(operation))
    .sort((one, other) => one.operation.call - other.operation.call);
  const violations: Violation[] = [];
  let newest: Answered | undefined;
  let next = 0;
  for (const each of byCall) {
    // Who returned in the very moment of the call may have overlapped.
    for (; next < byReturn.length && byReturn[next]!.return < each.operation.call; next++) {
      if (!newest || byReturn[next]!.revision > newest.revision) newest = byReturn[next]!;
    }
    if (!newest) continue;
    if (each.revision < newest.revision || (isWrite(each.operation) && each.revision === newest.revision)) {
      violations.push({ check: "real time", message: `${inWords(each)} began after ${inWords(newest)} had ended` });
    }
  }
  return violations;
}

/** No client is shown a state older than one that it was shown before, unless it asks for a certain one. */
function ofEachClient(answered: readonly Answered[]): Violation[] {
  const violations: Violation[] = [];
  for (const own of Map.groupBy(answered, ({ operation }) => operation.client).values()) {
    let newest: Answered | undefined;
    for (const each of own.toSorted((one, other) => one.operation.call - other.operation.call)) {
      const { operation } = each;
      const asksForOne = "at" in operation && typeof operation.at === "object" && !("notOlderThan" in operation.at);
      if (asksForOne || (isWrite(operation) && !isConsistent(operation))) continue;
      if (newest && newest.return < operation.call && each.revision < newest.revision) {
        violations.push({ check: "monotonic reads", message: `${inWords(each)} came after ${inWords(newest)}` });
      }
      if (!newest || each.revision > newest.revision) newest = each;
    }
  }
  return violations;
}

const inWords = ({ operation, revision }: Answered): string =>
  `${operation.client}'s ${operation.type} at ${revision} [${operation.call}, ${operation.return}]`;
