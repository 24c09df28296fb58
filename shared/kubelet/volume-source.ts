/** Fills volumes from the API of the cluster that a task's Pod belongs to. A Pod gets what its own spec names, nothing else. */
import type { Client } from "../api/client.ts";
import type { Pod } from "../api/generated/types.ts";
import * as kinds from "../api/kinds.ts";
import { clusterOf } from "./ingest.ts";
import { volumeFiles } from "./volume-files.ts";
import { VolumeNotReadyError, type VolumeSource } from "./volumes.ts";

export interface TokenRequest {
  readonly cluster: string;
  readonly pod: Pod;
  /** The API server's own when absent. */
  readonly audience: string | undefined;
  readonly expirationSeconds: number;
}

export interface VolumeSourceOptions {
  readonly deployment: string;
  readonly client: (cluster: string) => Client;
  /** Issues ServiceAccount tokens bound to a Pod; where it is absent, volumes that need one are not ready. */
  readonly token?: (request: TokenRequest) => Promise<string>;
}

export const volumeSource = (options: VolumeSourceOptions): VolumeSource => ({
  async files({ clusterArn, namespace, name, uid }, volume) {
    const cluster = clusterOf(clusterArn, options.deployment);
    if (cluster === undefined) throw new VolumeNotReadyError(`no cluster of this deployment: ${clusterArn}`);
    const client = options.client(cluster);
    const pod = await client.get(kinds.pods, { namespace, name });
    if (pod?.metadata.uid !== uid) throw new VolumeNotReadyError(`pod "${name}" not found`);
    return volumeFiles(pod, volume, {
      configMap: (namespace, name) => client.get(kinds.configMaps, { namespace, name }),
      secret: (namespace, name) => client.get(kinds.secrets, { namespace, name }),
      allocatable: async ({ spec }) =>
        (await client.get(kinds.nodes, { namespace: "", name: spec.nodeName ?? "" }))?.status?.allocatable ?? {},
      token: async (pod, request) => {
        if (!options.token) throw new VolumeNotReadyError("tokens of service accounts are not issued here");
        return options.token({ cluster, pod, ...request });
      },
    });
  },
});
