/** Issues the tokens of ServiceAccounts. */
import { randomUUID } from "node:crypto";
import type { KubeObject } from "../../api/objects.ts";
import type { Clock } from "../../runtime/clock.ts";
import { legacyClaims, type ObjectRef, refTo, serviceAccountUser, type TokenClaims } from "./claims.ts";
import { signToken } from "./jwt.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** Where tokens say they come from: an https URL. Each cluster has its own. */
export type Issuers = (cluster: string) => string;

export interface TokenOrder {
  readonly cluster: string;
  readonly account: KubeObject;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  /** When the token should be replaced, where that is before its end. Seconds from now. */
  readonly warnAfterSeconds?: number;
  readonly pod?: ObjectRef;
  readonly secret?: ObjectRef;
  readonly node?: ObjectRef;
}

export interface TokenIssuer {
  /** The audiences that the API server itself answers to. */
  audiences(cluster: string): readonly string[];
  issue(order: TokenOrder): Promise<string>;
  /** A token without an end, for a Secret of type `kubernetes.io/service-account-token`. */
  issueForSecret(cluster: string, account: KubeObject, secretName: string): Promise<string>;
}

export interface TokenIssuerOptions {
  readonly keys: SigningKeys;
  readonly issuers: Issuers;
  readonly clock: Clock;
  readonly newId?: () => string;
}

export const tokenIssuer = ({ keys, issuers, clock, newId = randomUUID }: TokenIssuerOptions): TokenIssuer => ({
  audiences: (cluster) => [issuers(cluster)],

  async issue({ cluster, account, audiences, expirationSeconds, warnAfterSeconds, pod, secret, node }) {
    const now = Math.floor(clock.now().getTime() / 1000);
    const { namespace = "", name } = account.metadata;
    const claims: TokenClaims = {
      aud: audiences,
      exp: now + expirationSeconds,
      iat: now,
      iss: issuers(cluster),
      jti: newId(),
      "kubernetes.io": {
        namespace,
        ...(node && { node }),
        ...(pod && { pod }),
        ...(secret && { secret }),
        serviceaccount: refTo(account),
        ...(warnAfterSeconds !== undefined && { warnafter: now + warnAfterSeconds }),
      },
      nbf: now,
      sub: serviceAccountUser(namespace, name),
    };
    return signToken(claims, await keys.signer(cluster));
  },

  issueForSecret: async (cluster, account, secretName) => signToken(legacyClaims(account, secretName), await keys.signer(cluster)),
});
