/** All controllers of the reconciler. */
import type { ServiceAccount } from "../api/generated/types.ts";
import type { Reservations } from "../quota/reservations.ts";
import type { Controller } from "../runtime/controller.ts";
import type { Resources } from "./common/resources.ts";
import { cronJobController } from "./cronjob/controller.ts";
import { customResourceCleanup } from "./custom-resource-cleanup/controller.ts";
import { daemonSetController } from "./daemonset/controller.ts";
import { deploymentController } from "./deployment/controller.ts";
import { disruptionController } from "./disruption/controller.ts";
import { endpointsController } from "./endpoints/controller.ts";
import { endpointSliceController } from "./endpointslice/controller.ts";
import { ephemeralVolumeController } from "./ephemeral-volumes/controller.ts";
import { garbageCollector } from "./garbage-collector/controller.ts";
import { jobController } from "./job/controller.ts";
import { kubernetesServiceController } from "./kubernetes-service/controller.ts";
import { namespaceController } from "./namespace/controller.ts";
import { nodeTaintsController } from "./node-taints/controller.ts";
import { persistentVolumeController } from "./persistent-volumes/controller.ts";
import type { ProvisionerOptions } from "./persistent-volumes/provisioner.ts";
import { podGarbageCollector } from "./pod-garbage-collection/controller.ts";
import { replicaSetController } from "./replicaset/controller.ts";
import { replicationControllerController } from "./replicationcontroller/controller.ts";
import { resourceQuotaController } from "./resource-quota/controller.ts";
import { serviceAccountTokensController } from "./service-account-tokens/controller.ts";
import { statefulSetController } from "./statefulset/controller.ts";
import { volumeProtectionController } from "./volume-protection/controller.ts";

export interface ControllersOptions {
  /** The kinds that the cluster serves now and that can be listed and deleted, custom ones included. */
  readonly resources: Resources;
  /** PEM of the authority that signed the API's certificate; undefined where a public one did. */
  readonly clusterCa?: string | undefined;
  /** Where `default/kubernetes` leads; undefined: it is not published. */
  readonly endpointUrl?: string | undefined;
  /** What writes under way are about to use of this cluster's quotas; undefined: quotas are not counted. */
  readonly quotas?: { readonly cluster: string; readonly reservations: Reservations } | undefined;
  /** Signs tokens for Secrets; undefined: Secrets of that type stay as they are. */
  readonly issueToken?: ((account: ServiceAccount, secretName: string) => Promise<string>) | undefined;
  /** Which volumes are made, and where. */
  readonly provisioner?: ProvisionerOptions;
}

const usualProvisioner: ProvisionerOptions = { any: false, folder: "/var/lib/binnacle/volumes" };

/** One set per cluster: some remember what they saw of it. */
export const controllers = ({
  resources,
  clusterCa = "",
  endpointUrl,
  issueToken,
  quotas,
  provisioner = usualProvisioner,
}: ControllersOptions): Controller[] => [
  namespaceController({ clusterCa, resources }),
  garbageCollector({ resources }),
  customResourceCleanup(),
  deploymentController(),
  replicaSetController(),
  replicationControllerController(),
  jobController(),
  cronJobController(),
  statefulSetController(),
  daemonSetController(),
  disruptionController(),
  persistentVolumeController(provisioner),
  volumeProtectionController(),
  nodeTaintsController(),
  podGarbageCollector(),
  ephemeralVolumeController(),
  endpointSliceController(),
  endpointsController(),
  ...(quotas === undefined ? [] : [resourceQuotaController({ resources, ...quotas })]),
  ...(issueToken === undefined ? [] : [serviceAccountTokensController({ issue: issueToken, clusterCa })]),
  ...(endpointUrl === undefined ? [] : [kubernetesServiceController(endpointUrl)]),
];
