/** ServiceAccount: every Pod runs as one, and finds its token, the cluster's CA and its namespace in a volume unless it declines. */
import type { Container, Pod, ServiceAccount, Volume } from "../api/generated/types.ts";
import { serviceAccounts } from "../api/kinds.ts";
import { generateName } from "../api/names.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { isMirror, podOf, podsOn, refusePod } from "./pods.ts";

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
        if (pod.spec.serviceAccountName) throw refusePod(request, "a mirror pod may not reference service accounts");
        return;
      }
      const name = (pod.spec.serviceAccountName ||= "default");
      // The field's old name, which the API still shows beside it.
      pod.spec.serviceAccount = name;
      const account = await reader.get(serviceAccounts, { namespace: request.key.namespace, name });
      // Every namespace has its `default` account; one that is about to be made is what an empty one is.
      if (account === undefined && name !== "default") {
        const where = `${request.key.namespace}/${name}`;
        throw refusePod(request, `error looking up service account ${where}: serviceaccount "${name}" not found`);
      }
      if (wantsToken(pod, account)) mountToken(pod, random);
      const secrets = account?.imagePullSecrets ?? [];
      if ((pod.spec.imagePullSecrets ?? []).length === 0 && secrets.length > 0)
        pod.spec.imagePullSecrets = secrets.map(({ name }) => ({ name }));
    },
  };
}

const wantsToken = ({ spec }: Pod, account: ServiceAccount | undefined): boolean =>
  spec.automountServiceAccountToken ?? account?.automountServiceAccountToken ?? true;

function mountToken({ spec }: Pod, random: () => number): void {
  const existing = spec.volumes?.find(({ name }) => name.startsWith(volumePrefix));
  const name = existing?.name ?? generateName(volumePrefix, random);
  // A mount of the container's own at that path stands.
  const without = [...(spec.initContainers ?? []), ...spec.containers].filter((container) => !mountsToken(container));
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
