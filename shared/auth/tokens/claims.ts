/** What a ServiceAccount token says. @see k8s.io/kubernetes/pkg/serviceaccount, claims.go and legacy.go */
import type { KubeObject } from "../../api/objects.ts";

/** An object that a token names: the token counts only while this very object exists. */
export interface ObjectRef {
  readonly name: string;
  readonly uid: string;
}

/** The claims of a token from TokenRequest. Times in seconds since 1970. */
export interface TokenClaims {
  readonly iss: string;
  readonly sub: string;
  readonly aud: readonly string[];
  readonly iat: number;
  readonly nbf: number;
  readonly exp: number;
  readonly jti: string;
  readonly "kubernetes.io": {
    readonly namespace: string;
    readonly serviceaccount: ObjectRef;
    readonly pod?: ObjectRef;
    readonly secret?: ObjectRef;
    readonly node?: ObjectRef;
    /** From then on the token should have been replaced, although it still counts. */
    readonly warnafter?: number;
  };
}

/** Issuer of tokens that stand in Secrets. */
export const legacyIssuer = "kubernetes/serviceaccount";

/** The claims of a token in a Secret of type `kubernetes.io/service-account-token`: it counts as long as that Secret holds it. */
export interface LegacyClaims {
  readonly iss: typeof legacyIssuer;
  readonly sub: string;
  readonly "kubernetes.io/serviceaccount/namespace": string;
  readonly "kubernetes.io/serviceaccount/secret.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.name": string;
  readonly "kubernetes.io/serviceaccount/service-account.uid": string;
}

export const serviceAccountUser = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`;

/** Groups of every ServiceAccount, besides `system:authenticated`. */
export const serviceAccountGroups = (namespace: string): readonly string[] => [
  "system:serviceaccounts",
  `system:serviceaccounts:${namespace}`,
];

export const refTo = ({ metadata: { name, uid } }: KubeObject): ObjectRef => ({ name, uid });

export function legacyClaims(account: KubeObject, secretName: string): LegacyClaims {
  const { namespace = "", name, uid } = account.metadata;
  return {
    iss: legacyIssuer,
    sub: serviceAccountUser(namespace, name),
    "kubernetes.io/serviceaccount/namespace": namespace,
    "kubernetes.io/serviceaccount/secret.name": secretName,
    "kubernetes.io/serviceaccount/service-account.name": name,
    "kubernetes.io/serviceaccount/service-account.uid": uid,
  };
}

/** @returns undefined when a claim that must be there is not, or is of another form */
export function tokenClaims(claims: Readonly<Record<string, unknown>>): TokenClaims | undefined {
  const { iss, sub, aud, iat, nbf, exp, jti } = claims;
  const own = record(claims["kubernetes.io"]);
  const account = ref(own?.serviceaccount);
  if (typeof iss !== "string" || typeof sub !== "string" || typeof own?.namespace !== "string" || !account) return undefined;
  const audiences = typeof aud === "string" ? [aud] : aud;
  if (!isTexts(audiences) || typeof iat !== "number" || typeof nbf !== "number" || typeof exp !== "number") return undefined;
  const bound: { pod?: ObjectRef; secret?: ObjectRef; node?: ObjectRef } = {};
  for (const kind of ["pod", "secret", "node"] as const) {
    if (own[kind] === undefined) continue;
    const to = ref(own[kind]);
    if (!to) return undefined;
    bound[kind] = to;
  }
  return {
    iss,
    sub,
    aud: audiences,
    iat,
    nbf,
    exp,
    jti: typeof jti === "string" ? jti : "",
    "kubernetes.io": {
      namespace: own.namespace,
      serviceaccount: account,
      ...bound,
      ...(typeof own.warnafter === "number" && { warnafter: own.warnafter }),
    },
  };
}

const record = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;

function ref(value: unknown): ObjectRef | undefined {
  const found = record(value);
  // A reference to a Node that was not there when the token was made has a name alone.
  const uid = found?.uid ?? "";
  return found && typeof found.name === "string" && typeof uid === "string" ? { name: found.name, uid } : undefined;
}

const isTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((one) => typeof one === "string");
