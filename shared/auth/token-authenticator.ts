/** Knows the bearer tokens of cluster administrators, by their SHA-256 alone: the tokens themselves are kept nowhere. */
import { createHash, timingSafeEqual } from "node:crypto";
import { StatusError } from "../errors/status-error.ts";
import type { Authenticator, UserInfo } from "./auth.ts";

const defaultUser = "kubernetes-admin";

/**
 * @param entries SHA-256 in hexadecimal, optionally followed by `:` and the user's name
 * @throws {TypeError} when an entry is no such text
 */
export function tokenAuthenticator(entries: readonly string[]): Authenticator {
  const known = entries.map(parseEntry);
  return {
    async authenticate({ headers }) {
      const token = bearerToken(headers);
      if (token === undefined) return undefined;
      const digest = createHash("sha256").update(token).digest();
      // Every entry is compared, in constant time: how long it takes says nothing about which one is close.
      let user: UserInfo | undefined;
      for (const entry of known) if (timingSafeEqual(entry.digest, digest)) user = entry.user;
      if (!user) throw unauthorized();
      return user;
    },
  };
}

function parseEntry(entry: string): { readonly digest: Buffer; readonly user: UserInfo } {
  const match = /^([0-9a-f]{64})(?::(.+))?$/i.exec(entry);
  if (!match?.[1]) throw new TypeError("a token entry must be 64 hexadecimal digits (SHA-256), optionally followed by :USER");
  return {
    digest: Buffer.from(match[1], "hex"),
    user: { username: match[2] ?? defaultUser, groups: ["system:masters", "system:authenticated"] },
  };
}

/** The credential of an `Authorization: Bearer` header; undefined when there is none. */
export function bearerToken(headers: Headers): string | undefined {
  const [scheme, token] = (headers.get("authorization") ?? "").trim().split(/\s+/, 2);
  return scheme?.toLowerCase() === "bearer" && token ? token : undefined;
}

/** A credential that is wrong. It does not say why. */
export const unauthorized = (): StatusError => new StatusError("Unauthorized", "Unauthorized");
