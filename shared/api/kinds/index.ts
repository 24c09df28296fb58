/** The behaviours of all built-in kinds. */
import type { Declared } from "./behaviour.ts";
import { configMapBehaviour } from "./config-maps.ts";
import { controllerRevisionBehaviour } from "./controller-revisions.ts";
import { cronJobBehaviour } from "./cron-jobs.ts";
import { csiDriverBehaviour, csiNodeBehaviour, csiStorageCapacityBehaviour, volumeAttachmentBehaviour } from "./csi.ts";
import { daemonSetBehaviour } from "./daemon-sets.ts";
import { deploymentBehaviour } from "./deployments.ts";
import { endpointSliceBehaviour } from "./endpoint-slices.ts";
import { endpointsBehaviour } from "./endpoints.ts";
import { eventBehaviour, newEventBehaviour } from "./events.ts";
import { ingressBehaviour, ingressClassBehaviour } from "./ingresses.ts";
import { jobBehaviour } from "./jobs.ts";
import { namespaceBehaviour } from "./namespaces.ts";
import { networkPolicyBehaviour } from "./network-policies.ts";
import { nodeBehaviour } from "./nodes.ts";
import { persistentVolumeClaimBehaviour } from "./persistent-volume-claims.ts";
import { persistentVolumeBehaviour } from "./persistent-volumes.ts";
import { podTemplateBehaviour } from "./pod-templates.ts";
import { podBehaviour } from "./pods.ts";
import { replicaSetBehaviour } from "./replica-sets.ts";
import { replicationControllerBehaviour } from "./replication-controllers.ts";
import { secretBehaviour } from "./secrets.ts";
import { serviceAccountBehaviour } from "./service-accounts.ts";
import { ipAddressBehaviour, serviceCidrBehaviour } from "./service-cidrs.ts";
import { serviceBehaviour } from "./services.ts";
import { statefulSetBehaviour } from "./stateful-sets.ts";
import { storageClassBehaviour, volumeAttributesClassBehaviour } from "./storage-classes.ts";

export const behaviours: readonly Declared[] = [
  configMapBehaviour,
  controllerRevisionBehaviour,
  cronJobBehaviour,
  csiDriverBehaviour,
  csiNodeBehaviour,
  csiStorageCapacityBehaviour,
  daemonSetBehaviour,
  deploymentBehaviour,
  endpointSliceBehaviour,
  endpointsBehaviour,
  eventBehaviour,
  ingressBehaviour,
  ingressClassBehaviour,
  ipAddressBehaviour,
  jobBehaviour,
  namespaceBehaviour,
  networkPolicyBehaviour,
  newEventBehaviour,
  nodeBehaviour,
  persistentVolumeBehaviour,
  persistentVolumeClaimBehaviour,
  podBehaviour,
  podTemplateBehaviour,
  replicaSetBehaviour,
  replicationControllerBehaviour,
  secretBehaviour,
  serviceAccountBehaviour,
  serviceBehaviour,
  serviceCidrBehaviour,
  statefulSetBehaviour,
  storageClassBehaviour,
  volumeAttachmentBehaviour,
  volumeAttributesClassBehaviour,
];
