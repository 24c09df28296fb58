/** JSON Web Tokens in compact form, as far as ServiceAccount tokens need them. @see RFC 7515, RFC 7519 */
import { verify } from "node:crypto";
import type { TokenSigner, VerificationKey } from "./signing-keys.ts";

/** Longer ones are refused unread: a token with many audiences is a few kilobytes. */
const longestToken = 64 * 1024;

export interface UnverifiedToken {
  readonly keyId: string | undefined;
  readonly algorithm: string | undefined;
  readonly claims: Readonly<Record<string, unknown>>;
  /** What was signed. */
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export async function signToken(claims: object, signer: TokenSigner): Promise<string> {
  const signed = `${encode({ alg: signer.algorithm, kid: signer.keyId })}.${encode(claims)}`;
  const signature = await signer.sign(Buffer.from(signed));
  return `${signed}.${Buffer.from(signature).toString("base64url")}`;
}

/** @returns undefined when the text is no token of this form: it may be another kind of credential */
export function readToken(token: string): UnverifiedToken | undefined {
  if (token.length > longestToken) return undefined;
  const parts = token.split(".");
  if (parts.length !== 3 || !parts.every((part) => /^[A-Za-z0-9_-]+$/.test(part))) return undefined;
  const [head = "", body = "", signature = ""] = parts;
  const header = parse(head);
  const claims = parse(body);
  if (!header || !claims) return undefined;
  return {
    keyId: typeof header.kid === "string" ? header.kid : undefined,
    algorithm: typeof header.alg === "string" ? header.alg : undefined,
    claims,
    signed: Buffer.from(`${head}.${body}`),
    signature: Buffer.from(signature, "base64url"),
  };
}

function parse(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** The algorithm is the key's: a token that claims another one is refused. */
export function isSignedBy({ algorithm, signed, signature }: UnverifiedToken, { algorithm: expected, key }: VerificationKey): boolean {
  if (algorithm !== expected) return false;
  return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
}
