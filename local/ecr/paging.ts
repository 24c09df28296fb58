/** Pages of a list, with tokens that say how many were given already. */
import { type Input, numberMember, stringMember } from "../wire/input.ts";
import { invalidParameter } from "./errors.ts";
import { limits } from "./limits.ts";

/** @returns at most `maxResults` (1 to 1,000, default 100) of them, and a token when there are more */
export function page<T>(all: readonly T[], input: Input): { readonly items: readonly T[]; readonly nextToken?: string } {
  const size = numberMember(input, "maxResults") ?? limits.idsPerCall;
  if (!Number.isInteger(size) || size < 1 || size > limits.pageSize) {
    throw invalidParameter("maxResults", `Member must have value between 1 and ${limits.pageSize}`);
  }
  const token = stringMember(input, "nextToken");
  const start = token === undefined ? 0 : Number(Buffer.from(token, "base64url").toString());
  if (!Number.isInteger(start) || start < 0) throw invalidParameter("nextToken", "Invalid token");
  const end = start + size;
  return { items: all.slice(start, end), ...(end < all.length && { nextToken: Buffer.from(String(end)).toString("base64url") }) };
}
