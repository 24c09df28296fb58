/** Several ways to say who one is: the first that knows the credential decides. */
import { StatusError } from "../errors/status-error.ts";
import type { Authenticator } from "./auth.ts";

/** A credential that one authenticator refuses may be another's: only when nobody takes it is it wrong. */
export const unionAuthenticator = (authenticators: readonly Authenticator[]): Authenticator => ({
  async authenticate(request) {
    let refused: StatusError | undefined;
    for (const authenticator of authenticators) {
      try {
        const user = await authenticator.authenticate(request);
        if (user) return user;
      } catch (error) {
        if (!(error instanceof StatusError) || error.reason !== "Unauthorized") throw error;
        refused = error;
      }
    }
    if (refused) throw refused;
    return undefined;
  },
});
