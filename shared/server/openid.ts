/** What others need to verify ServiceAccount tokens: OpenID discovery and the cluster's public keys. @see OpenID Connect Discovery 1.0 */
import type { SigningKeys } from "../auth/tokens/signing-keys.ts";
import type { Issuers } from "../auth/tokens/token-issuer.ts";

export interface OpenIdOptions {
  readonly keys: SigningKeys;
  readonly issuers: Issuers;
}

export const openIdPaths = { configuration: "/.well-known/openid-configuration", keys: "/openid/v1/jwks" } as const;

/** How long answers may be kept; a key is published longer than this before it signs. */
const cacheControl = "public, max-age=3600";

/**
 * @param base URL at which clients reach this cluster, without a slash at its end
 * @returns undefined when the path is neither of the two
 */
export async function openIdResponse(path: string, cluster: string, base: string, options: OpenIdOptions): Promise<Response | undefined> {
  switch (path) {
    case openIdPaths.configuration: {
      const keys = await options.keys.verificationKeys(cluster);
      const document = {
        issuer: options.issuers(cluster),
        jwks_uri: `${base}${openIdPaths.keys}`,
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: [...new Set(keys.map(({ algorithm }) => algorithm))].sort(),
      };
      return response(document, "application/json");
    }
    case openIdPaths.keys: {
      const published = await options.keys.verificationKeys(cluster);
      const keys = published.map(({ id, algorithm, key }) => ({ use: "sig", kid: id, alg: algorithm, ...key.export({ format: "jwk" }) }));
      return response({ keys }, "application/jwk-set+json");
    }
    default:
      return undefined;
  }
}

const response = (document: object, contentType: string): Response =>
  new Response(JSON.stringify(document), { headers: { "content-type": contentType, "cache-control": cacheControl } });
