/**
 * Knows ServiceAccounts by their tokens. A token counts while its signature, its times and its audience are right *and* the objects
 * that it names exist: the ServiceAccount, and the Pod, Secret or Node that it is bound to.
 * @see k8s.io/kubernetes/pkg/serviceaccount
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { KindRef } from "../../api/client.ts";
import { nodes, pods, secrets, serviceAccounts } from "../../api/kinds.ts";
import type { KubeObject, ObjectKey } from "../../api/objects.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { AuthenticatedUser, Authenticator } from "../auth.ts";
import { bearerToken, unauthorized } from "../token-authenticator.ts";
import { legacyIssuer, type ObjectRef, serviceAccountGroups, serviceAccountUser, type TokenClaims, tokenClaims } from "./claims.ts";
import { isSignedBy, readToken, type UnverifiedToken } from "./jwt.ts";
import type { SigningKeys } from "./signing-keys.ts";
import type { Issuers } from "./token-issuer.ts";

/** What tokens are compared with. An answer may be a second old; that something is not there is always fresh. */
export interface TokenLookups {
  get<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): Promise<T | undefined>;
}

export interface ServiceAccountAuthenticatorOptions {
  readonly keys: SigningKeys;
  readonly issuers: Issuers;
  readonly lookups: (cluster: string) => Promise<TokenLookups>;
  readonly clock: Clock;
}

/** Clocks of machines that verify tokens may differ by this much; what was deleted a moment ago still counts as long. */
const leewayMs = 60_000;
/** Tokens whose signature was found right, remembered by their hash. */
const rememberedTokens = 1_000;

export function serviceAccountAuthenticator({ keys, issuers, lookups, clock }: ServiceAccountAuthenticatorOptions): Authenticator {
  const verified = recentlyVerified();

  return {
    async authenticate({ headers, cluster, audiences }) {
      const token = bearerToken(headers);
      const unverified = token === undefined ? undefined : readToken(token);
      if (token === undefined || !unverified) return undefined;
      const { iss } = unverified.claims;
      if (iss !== issuers(cluster) && iss !== legacyIssuer) return undefined;
      if (!verified.has(cluster, token)) {
        if (!(await hasKnownSignature(unverified, cluster, keys))) throw unauthorized();
        verified.add(cluster, token);
      }
      const own = [issuers(cluster)];
      const wanted = audiences ?? own;
      const objects = await lookups(cluster);
      if (iss === legacyIssuer) return legacyUser(unverified.claims, token, own, wanted, objects);
      const claims = tokenClaims(unverified.claims);
      if (!claims) throw unauthorized();
      return boundUser(claims, own, wanted, objects, clock.now().getTime());
    },
  };
}

async function hasKnownSignature(token: UnverifiedToken, cluster: string, keys: SigningKeys): Promise<boolean> {
  const key = token.keyId === undefined ? undefined : await keys.verificationKey(cluster, token.keyId);
  return key !== undefined && isSignedBy(token, key);
}

/** @throws {StatusError} Unauthorized */
function common(audiences: readonly string[], own: readonly string[], wanted: readonly string[]): readonly string[] {
  const implicit = audiences.length > 0 ? audiences : own;
  const both = implicit.filter((audience) => wanted.includes(audience));
  if (both.length === 0) throw unauthorized();
  return both;
}

async function boundUser(
  claims: TokenClaims,
  own: readonly string[],
  wanted: readonly string[],
  objects: TokenLookups,
  now: number,
): Promise<AuthenticatedUser> {
  const { exp, iat, nbf, jti, aud } = claims;
  if (now > exp * 1000 + leewayMs || now < nbf * 1000 - leewayMs || now < iat * 1000 - leewayMs) throw unauthorized();
  const audiences = common(aud, own, wanted);
  const { namespace, serviceaccount: account, pod, secret, node } = claims["kubernetes.io"];
  if (claims.sub !== serviceAccountUser(namespace, account.name)) throw unauthorized();
  const exists = async <T extends KubeObject>(kind: KindRef<T>, ref: ObjectRef): Promise<void> => {
    const object = await objects.get(kind, { namespace: kind.namespaced ? namespace : "", name: ref.name });
    const deleted = object?.metadata.deletionTimestamp;
    if (!object || object.metadata.uid !== ref.uid) throw unauthorized();
    if (deleted !== undefined && Date.parse(deleted) < now - leewayMs) throw unauthorized();
  };
  await exists(serviceAccounts, account);
  if (secret) await exists(secrets, secret);
  if (pod) await exists(pods, pod);
  // For a Pod's token the Node is only said, for nothing more can run there than the Pod.
  else if (node) await exists(nodes, node);
  return {
    ...userOf(namespace, account),
    audiences,
    extra: {
      ...(jti && { "authentication.kubernetes.io/credential-id": [`JTI=${jti}`] }),
      ...(node && { "authentication.kubernetes.io/node-name": [node.name] }),
      ...(node?.uid && { "authentication.kubernetes.io/node-uid": [node.uid] }),
      ...(pod && {
        "authentication.kubernetes.io/pod-name": [pod.name],
        "authentication.kubernetes.io/pod-uid": [pod.uid],
      }),
    },
  };
}

async function legacyUser(
  claims: Readonly<Record<string, unknown>>,
  token: string,
  own: readonly string[],
  wanted: readonly string[],
  objects: TokenLookups,
): Promise<AuthenticatedUser> {
  const claim = (name: string): string => {
    const value = claims[`kubernetes.io/serviceaccount/${name}`];
    if (typeof value !== "string" || value === "") throw unauthorized();
    return value;
  };
  const namespace = claim("namespace");
  const name = claim("service-account.name");
  const uid = claim("service-account.uid");
  if (claims.sub !== serviceAccountUser(namespace, name)) throw unauthorized();
  const audiences = common([], own, wanted);
  const secret = await objects.get(secrets, { namespace, name: claim("secret.name") });
  const held = Buffer.from(secret?.data?.token ?? "", "base64");
  const given = Buffer.from(token);
  if (!secret || secret.metadata.deletionTimestamp || held.length !== given.length || !timingSafeEqual(held, given)) throw unauthorized();
  const account = await objects.get(serviceAccounts, { namespace, name });
  if (!account || account.metadata.deletionTimestamp || account.metadata.uid !== uid) throw unauthorized();
  return { ...userOf(namespace, { name, uid }), audiences };
}

const userOf = (namespace: string, { name, uid }: ObjectRef) => ({
  username: serviceAccountUser(namespace, name),
  uid,
  groups: [...serviceAccountGroups(namespace), "system:authenticated"],
});

/** Verifying costs a tenth of a millisecond; a client sends the same token with every request. */
function recentlyVerified() {
  const hashes = new Set<string>();
  const hash = (cluster: string, token: string) => createHash("sha256").update(`${cluster}\0${token}`).digest("base64");
  return {
    has: (cluster: string, token: string): boolean => hashes.has(hash(cluster, token)),
    add(cluster: string, token: string): void {
      if (hashes.size >= rememberedTokens)
        for (const oldest of hashes) return void (hashes.delete(oldest), hashes.add(hash(cluster, token)));
      hashes.add(hash(cluster, token));
    },
  };
}
