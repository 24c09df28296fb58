/**
 * What the log tells about writes whose outcome nobody was told: one that is in the log was made, and no later than it was first seen
 * by anybody; one that is not was never made. Without it every such write might still happen at any time.
 */
import type { History, Operation, WriteOperation } from "../history.ts";

/** Operations with an outcome. Reads without an answer, and writes that came to nothing, are left out. */
export function settle({ log, operations }: Pick<History, "log" | "operations">): Operation[] {
  const made = new Map(log.changes.map((change) => [change.request, change]));
  const firstSeen = firstAnswers(operations);
  return operations.flatMap((operation): Operation[] => {
    if (operation.type === "get" || operation.type === "list") return "failed" in operation.result ? [] : [operation];
    if (operation.result.type !== "unknown") return operation.result.type === "busy" ? [] : [operation];
    const change = made.get(operation.request);
    if (!change) return [];
    const { revision, body } = change.object;
    const seen = Math.min(change.seenAt ?? Infinity, firstSeen(revision));
    const settled: WriteOperation = {
      ...operation,
      result: { type: "done", revision, body },
      return: Number.isFinite(seen) ? Math.max(seen, operation.call) : null,
    };
    return [settled];
  });
}

/** When the first answer came that shows a revision or a later one. */
function firstAnswers(operations: readonly Operation[]): (revision: number) => number {
  const answers = operations
    .flatMap(({ return: at, result }) => (at !== null && "revision" in result ? [{ at, revision: result.revision }] : []))
    .sort((one, other) => one.revision - other.revision);
  // From the end: the earliest answer at this revision or a later one.
  const earliest: number[] = [];
  for (let index = answers.length - 1; index >= 0; index--) {
    earliest[index] = Math.min(answers[index]!.at, earliest[index + 1] ?? Infinity);
  }
  return (revision) => {
    const index = answers.findIndex((answer) => answer.revision >= revision);
    return index === -1 ? Infinity : earliest[index]!;
  };
}
