/**
 * Authorization tokens, which are the registry's passwords: valid for twelve hours, and over restarts. A token carries its own end and a
 * signature by a key that is made once.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Records } from "../state/records.ts";
import { limits } from "./limits.ts";

export const registryUser = "AWS";

export interface Token {
  readonly password: string;
  readonly expiresAt: Date;
}

export interface Tokens {
  issue(): Token;
  /** "expired" for one that was valid. */
  check(password: string): "valid" | "expired" | "invalid";
}

const keyBytes = 32;

export function createTokens({ records, clock }: { readonly records: Records; readonly clock: Clock }): Tokens {
  const key = records.all<string>("ecr.token-key").get("key") ?? randomBytes(keyBytes).toString("base64url");
  records.put("ecr.token-key", "key", key);
  const sign = (end: string) => createHmac("sha256", key).update(end).digest();
  return {
    issue() {
      const expiresAt = new Date(clock.now().getTime() + limits.tokenMs);
      const end = String(expiresAt.getTime());
      return { password: `${end}.${sign(end).toString("base64url")}`, expiresAt };
    },
    check(password) {
      const [end = "", signature = ""] = password.split(".");
      const given = Buffer.from(signature, "base64url");
      const right = sign(end);
      if (given.length !== right.length || !timingSafeEqual(given, right)) return "invalid";
      return Number(end) > clock.now().getTime() ? "valid" : "expired";
    },
  };
}
