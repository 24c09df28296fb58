/** `serviceaccounts/token`: a signed token for a Pod or a person. */
import { StatusError } from "../../errors/status-error.ts";

/** This server has no signing key yet, and says so instead of handing out what nobody could verify. */
export function requestToken(): never {
  throw new StatusError("ServiceUnavailable", "this server does not issue service account tokens: it has no signing key");
}
