/** ConfigMaps and what keys and sizes they share with Secrets. */
import type { Problem } from "../kind.ts";
import { configMaps } from "../kinds.ts";
import { configKeyProblems } from "../names.ts";
import { invalid, invalidEach, tooLong } from "../validation/problems.ts";
import { sameEntries } from "../validation/semantic-equality.ts";
import { immutableWhenSet } from "../validation/values.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { countAsText } from "./cells.ts";

/** Data of a ConfigMap or Secret, values together, in bytes. */
export const dataBytesLimit = 1_048_576;

type Data = Readonly<Record<string, string>> | undefined;

export const validateKeys = (data: Data, field: string): Problem[] =>
  Object.keys(data ?? {}).flatMap((key) => invalidEach(`${field}[${key}]`, key, configKeyProblems(key)));

export const textBytes = (data: Data): number => Object.values(data ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value), 0);

/** Length of what base64 texts stand for. */
export const base64Bytes = (data: Data): number =>
  Object.values(data ?? {}).reduce((sum, value) => sum + Buffer.byteLength(value ?? "", "base64"), 0);

interface Immutable {
  readonly immutable?: boolean | undefined;
  readonly data?: Data;
  readonly binaryData?: Data;
}

/** Once `immutable` is set, neither it nor the data changes. */
export function validateImmutability(next: Immutable, previous: Immutable, ...fields: readonly ("data" | "binaryData")[]): Problem[] {
  if (!previous.immutable) return [];
  return [
    ...(next.immutable ? [] : [immutableWhenSet("immutable")]),
    ...fields.filter((field) => !sameEntries(next[field], previous[field])).map(immutableWhenSet),
  ];
}

export const configMapBehaviour = behaviour(configMaps, {
  validate: ({ data, binaryData }) => [
    ...validateKeys(data, "data"),
    ...Object.keys(data ?? {})
      .filter((key) => binaryData?.[key] !== undefined)
      .map((key) => invalid(`data[${key}]`, key, "duplicate of key present in binaryData")),
    ...validateKeys(binaryData, "binaryData"),
    // No field is named, and Kubernetes writes that so: the limit is about the object as a whole.
    ...(textBytes(data) + base64Bytes(binaryData) > dataBytesLimit ? [tooLong("[]", dataBytesLimit)] : []),
  ],
  validateUpdate: (next, previous) => validateImmutability(next, previous, "data", "binaryData"),
  generationFields: noGeneration,
  columns: [countAsText("Data", ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length)],
});
