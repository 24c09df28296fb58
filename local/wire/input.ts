/** Reads the members of a request's JSON, and refuses a member of the wrong type the way AWS' JSON protocol does. */
import { serializationError } from "./service-error.ts";

export type Input = Readonly<Record<string, unknown>>;

const wrong = (member: string, expected: string) => serializationError(`${member}: expected ${expected}`);

/** JSON null stands for an absent member. */
const present = (input: Input, member: string): unknown => input[member] ?? undefined;

export const isInput = (value: unknown): value is Input => typeof value === "object" && value !== null && !Array.isArray(value);

export function stringMember(input: Input, member: string): string | undefined {
  const value = present(input, member);
  if (value === undefined || typeof value === "string") return value;
  throw wrong(member, "a string");
}

export function numberMember(input: Input, member: string): number | undefined {
  const value = present(input, member);
  if (value === undefined || typeof value === "number") return value;
  throw wrong(member, "a number");
}

export function booleanMember(input: Input, member: string): boolean | undefined {
  const value = present(input, member);
  if (value === undefined || typeof value === "boolean") return value;
  throw wrong(member, "true or false");
}

export function stringsMember(input: Input, member: string): readonly string[] | undefined {
  const value = present(input, member);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every((element) => typeof element === "string")) return value;
  throw wrong(member, "a list of strings");
}

export function structureMember(input: Input, member: string): Input | undefined {
  const value = present(input, member);
  if (value === undefined || isInput(value)) return value;
  throw wrong(member, "a structure");
}

export function structuresMember(input: Input, member: string): readonly Input[] | undefined {
  const value = present(input, member);
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every(isInput)) return value;
  throw wrong(member, "a list of structures");
}
