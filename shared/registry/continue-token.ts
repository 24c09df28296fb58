/** The continue token of a paged list: public API of Kubernetes, so its form is upstream's. */
import { posix } from "node:path";
import { badRequest } from "../errors/status-error.ts";

/** Where a list goes on. */
export interface ContinueFrom {
  /** Revision of the first page; undefined: at the newest one, which makes the list inconsistent. */
  readonly revision: number | undefined;
  /** Keys after this one, relative to the listed prefix. */
  readonly after: string;
  /** When the first page was answered, in milliseconds since 1970; undefined in tokens that somebody else made. */
  readonly since?: number | undefined;
}

/** Stands for "at the newest revision" in a token. */
const newest = -1;

/** Upstream's members, and one of our own. @see k8s.io/apiserver/pkg/storage, EncodeContinue */
export const encodeContinue = ({ revision, after, since }: ContinueFrom): string =>
  Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: revision ?? newest, start: `${after}\u0000`, since })).toString("base64url");

/** @throws {StatusError} BadRequest when the token is not one of ours */
export function decodeContinue(token: string): ContinueFrom {
  const { v, rv, start, since } = parse(token);
  if (v !== "meta.k8s.io/v1") throw invalidToken(`continue key is not valid: server does not recognize this encoded version ${String(v)}`);
  if (!Number.isSafeInteger(rv) || rv === 0) {
    throw invalidToken("continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
  }
  if (typeof start !== "string" || start === "")
    throw invalidToken("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  // A key that climbs out of the listed prefix would read what the caller may not see.
  const absolute = start.startsWith("/") ? start : `/${start}`;
  if (posix.normalize(absolute) !== absolute) throw invalidToken(`continue key is not valid: ${start}`);
  const key = absolute.slice(1);
  return {
    revision: Number(rv) < 0 ? undefined : Number(rv),
    after: key.endsWith("\u0000") ? key.slice(0, -1) : key,
    ...(typeof since === "number" && { since }),
  };
}

function parse(token: string): { v?: unknown; rv?: unknown; start?: unknown; since?: unknown } {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (typeof value === "object" && value !== null) return value;
  } catch (error) {
    throw invalidToken("continue key is not valid", error);
  }
  throw invalidToken("continue key is not valid");
}

const invalidToken = (why: string, cause?: unknown) => badRequest(`invalid continue token: ${why}`, cause);
