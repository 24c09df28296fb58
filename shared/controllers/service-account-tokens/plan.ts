/** Decides what a Secret of type `kubernetes.io/service-account-token` needs. Pure. @see k8s.io/kubernetes/pkg/controller/serviceaccount, tokens_controller.go */
import type { Secret, ServiceAccount } from "../../api/generated/types.ts";

export const tokenSecretType = "kubernetes.io/service-account-token";
const nameAnnotation = "kubernetes.io/service-account.name";
const uidAnnotation = "kubernetes.io/service-account.uid";

/** Name of the ServiceAccount that a Secret is for; undefined for Secrets of other types. */
export const accountNameOf = ({ type, metadata }: Secret): string | undefined =>
  type === tokenSecretType ? metadata.annotations?.[nameAnnotation] : undefined;

export type TokenPlan =
  /** Nobody can use it: its account is gone, or another one of the same name. */
  { readonly type: "delete" } | { readonly type: "keep" } | { readonly type: "fill"; readonly needsToken: boolean };

/** @param ca PEM of the authority that signed the API's certificate; empty where public authorities did */
export function planToken(secret: Secret, account: ServiceAccount | undefined, ca: string): TokenPlan {
  const uid = secret.metadata.annotations?.[uidAnnotation];
  if (secret.metadata.deletionTimestamp) return { type: "keep" };
  if (!account || (uid && uid !== account.metadata.uid)) return { type: "delete" };
  const data = secret.data ?? {};
  const needsToken = !data.token;
  const needsCa = ca !== "" && data["ca.crt"] !== base64(ca);
  return needsToken || needsCa || !data.namespace ? { type: "fill", needsToken } : { type: "keep" };
}

/** The Secret with what belongs into it. @param token absent: the one that it holds stays */
export function filled(secret: Secret, account: ServiceAccount, ca: string, token: string | undefined): Secret {
  const { name, namespace = "", uid } = account.metadata;
  return {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [nameAnnotation]: name, [uidAnnotation]: uid } },
    data: {
      ...secret.data,
      ...(ca !== "" && { "ca.crt": base64(ca) }),
      namespace: secret.data?.namespace || base64(namespace),
      ...(token !== undefined && { token: base64(token) }),
    },
  };
}

/** The account without a mention of a Secret that is gone; the same object when it mentions none. */
export function withoutSecret(account: ServiceAccount, name: string): ServiceAccount {
  const left = account.secrets?.filter((secret) => secret.name !== name);
  return left?.length === account.secrets?.length ? account : { ...account, secrets: left };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
