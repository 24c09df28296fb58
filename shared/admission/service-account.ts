/** ServiceAccount: every Pod runs as one, and finds its token, the cluster's CA and its namespace in a volume unless it declines. */
import type { Container, Pod, ServiceAccount, Volume } from "../api/generated/types.ts";
import { serviceAccounts } from "../api/kinds.ts";
import { generateName } from "../api/names.ts";
import { type AdmissionPlugin, refusal } from "./plugin.ts";
import { isMirror, podOf, podsOn } from "./pods.ts";

const tokenMountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const volumePrefix = "kube-api-access-";
/** An hour, and seven seconds by which upstream tells its own default from one that somebody chose. */
const tokenSeconds = 3_607;

/** @param options.random in [0, 1): for the volume's name */
export function serviceAccount({ random }: { readonly random: () => number }): AdmissionPlugin {
  return {
    name: "ServiceAccount",
    handles: podsOn("CREATE"),
    admit: async (request, reader) => {
      const pod = podOf(request);
      if (isMirror(pod)) {
        const problem = mirrorProblem(pod);
        if (problem !== undefined) throw refusal(request, problem);
        return;
      }
      const name = (pod.spec.serviceAccountName ||= "default");
      // The field's old name, which the API still shows beside it.
      pod.spec.serviceAccount = name;
      const account = await reader.get(serviceAccounts, { namespace: request.key.namespace, name });
      // Every namespace has its `default` account; one that is about to be made is what an empty one is.
      if (account === undefined && name !== "default") {
        const where = `${request.key.namespace}/${name}`;
        throw refusal(request, `error looking up service account ${where}: serviceaccount "${name}" not found`);
      }
      if (wantsToken(pod, account)) mountToken(pod, random);
      const secrets = account?.imagePullSecrets ?? [];
      if ((pod.spec.imagePullSecrets ?? []).length === 0 && secrets.length > 0)
        pod.spec.imagePullSecrets = secrets.map(({ name }) => ({ name }));
      const problem = account && enforces(account) ? secretProblem(pod, account) : undefined;
      if (problem !== undefined) throw refusal(request, problem);
    },
  };
}

/** What the node made for itself cannot lean on objects that it may not see. */
function mirrorProblem({ spec }: Pod): string | undefined {
  if (spec.serviceAccountName) return "a mirror pod may not reference service accounts";
  if (secretNames(spec).length > 0) return "a mirror pod may not reference secrets";
  const wantsToken = spec.volumes?.some(({ projected }) => projected?.sources?.some((source) => source.serviceAccountToken));
  return wantsToken ? "a mirror pod may not use ServiceAccountToken volume projections" : undefined;
}

const enforces = ({ metadata }: ServiceAccount): boolean =>
  ["1", "t", "T", "true", "TRUE", "True"].includes(metadata.annotations?.["kubernetes.io/enforce-mountable-secrets"] ?? "");

interface SecretUse {
  readonly name: string;
  /** Where it is used, as a refusal says it. */
  readonly where: string;
}

function secretUses(container: Container, what: string): SecretUse[] {
  const at = `${what} ${container.name}`;
  return [
    ...(container.env ?? []).flatMap(({ name, valueFrom }) => {
      const secret = valueFrom?.secretKeyRef?.name;
      return secret === undefined ? [] : [{ name: secret, where: `${at} with envVar ${name} referencing` }];
    }),
    ...(container.envFrom ?? []).flatMap(({ secretRef }) =>
      secretRef?.name === undefined ? [] : [{ name: secretRef.name, where: `${at} with envFrom referencing` }],
    ),
  ];
}

const usesOf = (spec: Pod["spec"]): SecretUse[] => [
  ...(spec.volumes ?? []).flatMap(({ secret }) =>
    secret?.secretName === undefined ? [] : [{ name: secret.secretName, where: "volume with" }],
  ),
  ...(spec.initContainers ?? []).flatMap((container) => secretUses(container, "init container")),
  ...(spec.containers ?? []).flatMap((container) => secretUses(container, "container")),
];

const secretNames = (spec: Pod["spec"]): string[] => [
  ...usesOf(spec).map(({ name }) => name),
  ...(spec.imagePullSecrets ?? []).map(({ name = "" }) => name),
];

/** An account may ask that its Pods mount no Secrets but those that it names. */
function secretProblem({ spec }: Pod, account: ServiceAccount): string | undefined {
  const { name } = account.metadata;
  const mountable = new Set(account.secrets?.map((secret) => secret.name));
  const stray = usesOf(spec).find((use) => !mountable.has(use.name));
  if (stray)
    return `${stray.where} secret.secretName="${stray.name}" is not allowed because service account ${name} does not reference that secret`;
  const pullable = new Set(account.imagePullSecrets?.map((secret) => secret.name));
  const index = (spec.imagePullSecrets ?? []).findIndex((secret) => !pullable.has(secret.name));
  if (index < 0) return undefined;
  return `imagePullSecrets[${index}].name="${spec.imagePullSecrets?.[index]?.name}" is not allowed because service account ${name} does not reference that imagePullSecret`;
}

const wantsToken = ({ spec }: Pod, account: ServiceAccount | undefined): boolean =>
  spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true;

function mountToken({ spec }: Pod, random: () => number): void {
  // Nobody has checked yet that volumes have names.
  const existing = spec.volumes?.find(({ name }) => name?.startsWith(volumePrefix));
  const name = existing?.name ?? generateName(volumePrefix, random);
  // A mount of the container's own at that path stands.
  const without = [...(spec.initContainers ?? []), ...(spec.containers ?? [])].filter((container) => !mountsToken(container));
  for (const container of without) {
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: tokenMountPath }];
  }
  if (existing === undefined && without.length > 0) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

const mountsToken = ({ volumeMounts }: Container): boolean => (volumeMounts ?? []).some(({ mountPath }) => mountPath === tokenMountPath);

const tokenVolume = (name: string): Volume => ({
  name,
  projected: {
    defaultMode: 0o644,
    sources: [
      { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
    ],
  },
});
