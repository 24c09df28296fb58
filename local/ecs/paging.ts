/** Pages of a list in a stable order, with tokens that mean "after this one". */
import { type Input, numberMember, stringMember } from "../wire/input.ts";
import { invalidParameter } from "./errors.ts";
import { limits } from "./limits.ts";

/**
 * @param ids sorted
 * @returns at most `maxResults` (1 to 100, default 100) of them, and a token when there are more
 */
export function page(ids: readonly string[], input: Input): { readonly ids: readonly string[]; readonly nextToken?: string } {
  const maxResults = numberMember(input, "maxResults") ?? limits.pageSize;
  if (!Number.isInteger(maxResults) || maxResults < 1 || maxResults > limits.pageSize) {
    throw invalidParameter(`maxResults should be between 1 and ${limits.pageSize}`);
  }
  const token = stringMember(input, "nextToken");
  const after = token === undefined ? undefined : decode(token);
  const start = after === undefined ? 0 : ids.findIndex((id) => id > after);
  const found = start < 0 ? [] : ids.slice(start, start + maxResults);
  const last = found.at(-1);
  const more = last !== undefined && start + found.length < ids.length;
  return { ids: found, ...(more && { nextToken: encode(last) }) };
}

const encode = (id: string): string => Buffer.from(JSON.stringify({ after: id })).toString("base64url");

function decode(token: string): string {
  try {
    const { after } = JSON.parse(Buffer.from(token, "base64url").toString()) as { after?: unknown };
    if (typeof after === "string") return after;
  } catch {
    // Falls through to the refusal.
  }
  throw invalidParameter("Invalid token");
}
