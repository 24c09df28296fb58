/** What changed between two objects, for messages that refuse a change. */
import { semanticallyEqual } from "./semantic-equality.ts";

/**
 * One line per changed field: `- path: old` and `+ path: new`, with JSON values.
 * @param path of both values
 */
export function describeChanges(previous: unknown, next: unknown, path: string): string {
  return changedFields(previous, next, path)
    .flatMap(([field, before, after]) => [
      ...(before === undefined ? [] : [`- ${field}: ${JSON.stringify(before)}`]),
      ...(after === undefined ? [] : [`+ ${field}: ${JSON.stringify(after)}`]),
    ])
    .join("\n");
}

function changedFields(previous: unknown, next: unknown, path: string): [field: string, before: unknown, after: unknown][] {
  if (semanticallyEqual(previous, next)) return [];
  if (Array.isArray(previous) && Array.isArray(next)) {
    const length = Math.max(previous.length, next.length);
    return Array.from({ length }, (_, index) => index).flatMap((index) => changedFields(previous[index], next[index], `${path}[${index}]`));
  }
  if (isObject(previous) && isObject(next)) {
    const keys = new Set([...Object.keys(previous), ...Object.keys(next)]);
    return [...keys].flatMap((key) => changedFields(previous[key], next[key], `${path}.${key}`));
  }
  return [[path, previous, next]];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
