/** The behaviours of all built-in kinds. */

import "../base.ts";
import {
  mutatingAdmissionPolicyBehaviour,
  mutatingAdmissionPolicyBindingBehaviour,
  validatingAdmissionPolicyBehaviour,
  validatingAdmissionPolicyBindingBehaviour,
} from "./admission-policies.ts";
import { apiServiceBehaviour } from "./api-services.ts";
import type { Declared } from "./behaviour.ts";
import { certificateSigningRequestBehaviour } from "./certificate-signing-requests.ts";
import { componentStatusBehaviour } from "./component-statuses.ts";
import { configMapBehaviour } from "./config-maps.ts";
import { controllerRevisionBehaviour } from "./controller-revisions.ts";
import { cronJobBehaviour } from "./cron-jobs.ts";
import { csiDriverBehaviour, csiNodeBehaviour, csiStorageCapacityBehaviour, volumeAttachmentBehaviour } from "./csi.ts";
import { customResourceDefinitionBehaviour } from "./custom-resource-definitions.ts";
import { daemonSetBehaviour } from "./daemon-sets.ts";
import { deploymentBehaviour } from "./deployments.ts";
import {
  deviceClassBehaviour,
  resourceClaimBehaviour,
  resourceClaimTemplateBehaviour,
  resourceSliceBehaviour,
} from "./device-resources.ts";
import { endpointSliceBehaviour } from "./endpoint-slices.ts";
import { endpointsBehaviour } from "./endpoints.ts";
import { eventBehaviour, newEventBehaviour } from "./events.ts";
import { flowSchemaBehaviour, priorityLevelConfigurationBehaviour } from "./flow-control.ts";
import { horizontalPodAutoscalerBehaviour, oldHorizontalPodAutoscalerBehaviour } from "./horizontal-pod-autoscalers.ts";
import { ingressBehaviour, ingressClassBehaviour } from "./ingresses.ts";
import { jobBehaviour } from "./jobs.ts";
import { leaseBehaviour } from "./leases.ts";
import { limitRangeBehaviour } from "./limit-ranges.ts";
import { namespaceBehaviour } from "./namespaces.ts";
import { networkPolicyBehaviour } from "./network-policies.ts";
import { nodeBehaviour } from "./nodes.ts";
import { persistentVolumeClaimBehaviour } from "./persistent-volume-claims.ts";
import { persistentVolumeBehaviour } from "./persistent-volumes.ts";
import { podDisruptionBudgetBehaviour } from "./pod-disruption-budgets.ts";
import { podTemplateBehaviour } from "./pod-templates.ts";
import { podBehaviour } from "./pods.ts";
import { priorityClassBehaviour } from "./priority-classes.ts";
import { clusterRoleBehaviour, clusterRoleBindingBehaviour, roleBehaviour, roleBindingBehaviour } from "./rbac.ts";
import { replicaSetBehaviour } from "./replica-sets.ts";
import { replicationControllerBehaviour } from "./replication-controllers.ts";
import { resourceQuotaBehaviour } from "./resource-quotas.ts";
import { runtimeClassBehaviour } from "./runtime-classes.ts";
import { secretBehaviour } from "./secrets.ts";
import { serviceAccountBehaviour } from "./service-accounts.ts";
import { ipAddressBehaviour, serviceCidrBehaviour } from "./service-cidrs.ts";
import { serviceBehaviour } from "./services.ts";
import { statefulSetBehaviour } from "./stateful-sets.ts";
import { storageClassBehaviour, volumeAttributesClassBehaviour } from "./storage-classes.ts";
import { mutatingWebhookConfigurationBehaviour, validatingWebhookConfigurationBehaviour } from "./webhook-configurations.ts";

export const behaviours: readonly Declared[] = [
  apiServiceBehaviour,
  certificateSigningRequestBehaviour,
  clusterRoleBehaviour,
  clusterRoleBindingBehaviour,
  componentStatusBehaviour,
  configMapBehaviour,
  controllerRevisionBehaviour,
  cronJobBehaviour,
  csiDriverBehaviour,
  csiNodeBehaviour,
  csiStorageCapacityBehaviour,
  customResourceDefinitionBehaviour,
  daemonSetBehaviour,
  deploymentBehaviour,
  deviceClassBehaviour,
  endpointSliceBehaviour,
  endpointsBehaviour,
  eventBehaviour,
  flowSchemaBehaviour,
  horizontalPodAutoscalerBehaviour,
  ingressBehaviour,
  ingressClassBehaviour,
  ipAddressBehaviour,
  jobBehaviour,
  leaseBehaviour,
  limitRangeBehaviour,
  mutatingAdmissionPolicyBehaviour,
  mutatingAdmissionPolicyBindingBehaviour,
  mutatingWebhookConfigurationBehaviour,
  namespaceBehaviour,
  networkPolicyBehaviour,
  newEventBehaviour,
  nodeBehaviour,
  oldHorizontalPodAutoscalerBehaviour,
  persistentVolumeBehaviour,
  persistentVolumeClaimBehaviour,
  podBehaviour,
  podDisruptionBudgetBehaviour,
  podTemplateBehaviour,
  priorityClassBehaviour,
  priorityLevelConfigurationBehaviour,
  replicaSetBehaviour,
  replicationControllerBehaviour,
  resourceClaimBehaviour,
  resourceClaimTemplateBehaviour,
  resourceQuotaBehaviour,
  resourceSliceBehaviour,
  roleBehaviour,
  roleBindingBehaviour,
  runtimeClassBehaviour,
  secretBehaviour,
  serviceAccountBehaviour,
  serviceBehaviour,
  serviceCidrBehaviour,
  statefulSetBehaviour,
  storageClassBehaviour,
  validatingAdmissionPolicyBehaviour,
  validatingAdmissionPolicyBindingBehaviour,
  validatingWebhookConfigurationBehaviour,
  volumeAttachmentBehaviour,
  volumeAttributesClassBehaviour,
];
