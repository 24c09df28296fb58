/** The keys with which a cluster signs the tokens of its ServiceAccounts. A port: on AWS they can be KMS' as well as a table's. */
import type { KeyObject } from "node:crypto";

/** JWS algorithms. @see RFC 7518, 3.1 */
export type SigningAlgorithm = "ES256" | "RS256";

/** The public half of a key. Whoever has it can tell a token of the cluster from a forged one. */
export interface VerificationKey {
  /** `kid`: the SHA-256 of the public key, so that the same key has the same name everywhere. */
  readonly id: string;
  readonly algorithm: SigningAlgorithm;
  readonly key: KeyObject;
}

export interface TokenSigner {
  readonly keyId: string;
  readonly algorithm: SigningAlgorithm;
  /** @returns a signature as JWS wants it (for ES256: r and s, 64 bytes) */
  sign(message: Uint8Array): Promise<Uint8Array>;
}

/** Every cluster has keys of its own: a token of one says nothing to another. */
export interface SigningKeys {
  /** Signs with the newest key that everybody knows. */
  signer(cluster: string): Promise<TokenSigner>;
  /** All keys whose tokens count, the next one and former ones included; oldest first. */
  verificationKeys(cluster: string): Promise<readonly VerificationKey[]>;
  /** Undefined when there is no such key. */
  verificationKey(cluster: string, id: string): Promise<VerificationKey | undefined>;
}
