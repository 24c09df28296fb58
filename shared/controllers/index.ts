/** All controllers of the reconciler. */
import type { Controller } from "../runtime/controller.ts";
import type { Resources } from "./common/resources.ts";
import { cronJobController } from "./cronjob/controller.ts";
import { customResourceCleanup } from "./custom-resource-cleanup/controller.ts";
import { daemonSetController } from "./daemonset/controller.ts";
import { deploymentController } from "./deployment/controller.ts";
import { endpointsController } from "./endpoints/controller.ts";
import { endpointSliceController } from "./endpointslice/controller.ts";
import { ephemeralVolumeController } from "./ephemeral-volumes/controller.ts";
import { garbageCollector } from "./garbage-collector/controller.ts";
import { jobController } from "./job/controller.ts";
import { kubernetesServiceController } from "./kubernetes-service/controller.ts";
import { namespaceController } from "./namespace/controller.ts";
import { persistentVolumeController } from "./persistent-volumes/controller.ts";
import type { ProvisionerOptions } from "./persistent-volumes/provisioner.ts";
import { replicaSetController } from "./replicaset/controller.ts";
import { statefulSetController } from "./statefulset/controller.ts";
import { volumeProtectionController } from "./volume-protection/controller.ts";

export interface ControllersOptions {
  /** The kinds that the cluster serves now and that can be listed and deleted, custom ones included. */
  readonly resources: Resources;
  /** PEM of the authority that signed the API's certificate; undefined where a public one did. */
  readonly clusterCa?: string | undefined;
  /** Where clients reach the API; undefined: `default/kubernetes` is not published. */
  readonly publicUrl?: string | undefined;
  /** Which volumes are made, and where. */
  readonly provisioner?: ProvisionerOptions;
}

const usualProvisioner: ProvisionerOptions = { any: false, folder: "/var/lib/binnacle/volumes" };

/** One set per cluster: some remember what they saw of it. */
export const controllers = ({ resources, clusterCa = "", publicUrl, provisioner = usualProvisioner }: ControllersOptions): Controller[] => [
  namespaceController({ clusterCa, resources }),
  garbageCollector({ resources }),
  customResourceCleanup(),
  deploymentController(),
  replicaSetController(),
  jobController(),
  cronJobController(),
  statefulSetController(),
  daemonSetController(),
  persistentVolumeController(provisioner),
  volumeProtectionController(),
  ephemeralVolumeController(),
  endpointSliceController(),
  endpointsController(),
  ...(publicUrl === undefined ? [] : [kubernetesServiceController(publicUrl)]),
];
