/** References to the built-in kinds that Binnacle's own parts use, with their types. */
import type { KindRef } from "./client.ts";
import type * as k8s from "./generated/types.ts";
import type { KubeObject } from "./objects.ts";

const ref = <T extends KubeObject>(group: string, version: string, kind: string, plural: string, namespaced = true): KindRef<T> => ({
  group,
  version,
  kind,
  plural,
  namespaced,
});

export const namespaces = ref<k8s.Namespace>("", "v1", "Namespace", "namespaces", false);
export const nodes = ref<k8s.Node>("", "v1", "Node", "nodes", false);
export const pods = ref<k8s.Pod>("", "v1", "Pod", "pods");
export const services = ref<k8s.Service>("", "v1", "Service", "services");
export const endpoints = ref<k8s.Endpoints>("", "v1", "Endpoints", "endpoints");
export const configMaps = ref<k8s.ConfigMap>("", "v1", "ConfigMap", "configmaps");
export const secrets = ref<k8s.Secret>("", "v1", "Secret", "secrets");
export const serviceAccounts = ref<k8s.ServiceAccount>("", "v1", "ServiceAccount", "serviceaccounts");
export const events = ref<k8s.Event>("", "v1", "Event", "events");
export const persistentVolumes = ref<k8s.PersistentVolume>("", "v1", "PersistentVolume", "persistentvolumes", false);
export const persistentVolumeClaims = ref<k8s.PersistentVolumeClaim>("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims");
export const deployments = ref<k8s.Deployment>("apps", "v1", "Deployment", "deployments");
export const replicaSets = ref<k8s.ReplicaSet>("apps", "v1", "ReplicaSet", "replicasets");
export const statefulSets = ref<k8s.StatefulSet>("apps", "v1", "StatefulSet", "statefulsets");
export const daemonSets = ref<k8s.DaemonSet>("apps", "v1", "DaemonSet", "daemonsets");
export const controllerRevisions = ref<k8s.ControllerRevision>("apps", "v1", "ControllerRevision", "controllerrevisions");
export const jobs = ref<k8s.Job>("batch", "v1", "Job", "jobs");
export const endpointSlices = ref<k8s.EndpointSlice>("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices");
export const storageClasses = ref<k8s.StorageClass>("storage.k8s.io", "v1", "StorageClass", "storageclasses", false);
export const priorityClasses = ref<k8s.PriorityClass>("scheduling.k8s.io", "v1", "PriorityClass", "priorityclasses", false);
export const customResourceDefinitions = ref<k8s.CustomResourceDefinition>(
  "apiextensions.k8s.io",
  "v1",
  "CustomResourceDefinition",
  "customresourcedefinitions",
  false,
);

export const limitRanges = ref<k8s.LimitRange>("", "v1", "LimitRange", "limitranges");
export const podTemplates = ref<k8s.PodTemplate>("", "v1", "PodTemplate", "podtemplates");
export const replicationControllers = ref<k8s.ReplicationController>("", "v1", "ReplicationController", "replicationcontrollers");
export const resourceQuotas = ref<k8s.ResourceQuota>("", "v1", "ResourceQuota", "resourcequotas");
export const componentStatuses = ref<k8s.ComponentStatus>("", "v1", "ComponentStatus", "componentstatuses", false);
export const newEvents = ref<k8s.EventsEvent>("events.k8s.io", "v1", "Event", "events");
export const cronJobs = ref<k8s.CronJob>("batch", "v1", "CronJob", "cronjobs");
export const horizontalPodAutoscalers = ref<k8s.AutoscalingV2HorizontalPodAutoscaler>(
  "autoscaling",
  "v2",
  "HorizontalPodAutoscaler",
  "horizontalpodautoscalers",
);
export const oldHorizontalPodAutoscalers = ref<k8s.AutoscalingV1HorizontalPodAutoscaler>(
  "autoscaling",
  "v1",
  "HorizontalPodAutoscaler",
  "horizontalpodautoscalers",
);
export const podDisruptionBudgets = ref<k8s.PodDisruptionBudget>("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets");
export const ingresses = ref<k8s.Ingress>("networking.k8s.io", "v1", "Ingress", "ingresses");
export const ingressClasses = ref<k8s.IngressClass>("networking.k8s.io", "v1", "IngressClass", "ingressclasses", false);
export const networkPolicies = ref<k8s.NetworkPolicy>("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies");
export const serviceCidrs = ref<k8s.ServiceCIDR>("networking.k8s.io", "v1", "ServiceCIDR", "servicecidrs", false);
export const ipAddresses = ref<k8s.IPAddress>("networking.k8s.io", "v1", "IPAddress", "ipaddresses", false);
export const roles = ref<k8s.Role>("rbac.authorization.k8s.io", "v1", "Role", "roles");
export const clusterRoles = ref<k8s.ClusterRole>("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", false);
export const roleBindings = ref<k8s.RoleBinding>("rbac.authorization.k8s.io", "v1", "RoleBinding", "rolebindings");
export const clusterRoleBindings = ref<k8s.ClusterRoleBinding>(
  "rbac.authorization.k8s.io",
  "v1",
  "ClusterRoleBinding",
  "clusterrolebindings",
  false,
);
export const leases = ref<k8s.Lease>("coordination.k8s.io", "v1", "Lease", "leases");
export const runtimeClasses = ref<k8s.RuntimeClass>("node.k8s.io", "v1", "RuntimeClass", "runtimeclasses", false);
export const csiDrivers = ref<k8s.CSIDriver>("storage.k8s.io", "v1", "CSIDriver", "csidrivers", false);
export const csiNodes = ref<k8s.CSINode>("storage.k8s.io", "v1", "CSINode", "csinodes", false);
export const csiStorageCapacities = ref<k8s.CSIStorageCapacity>("storage.k8s.io", "v1", "CSIStorageCapacity", "csistoragecapacities");
export const volumeAttachments = ref<k8s.VolumeAttachment>("storage.k8s.io", "v1", "VolumeAttachment", "volumeattachments", false);
export const volumeAttributesClasses = ref<k8s.VolumeAttributesClass>(
  "storage.k8s.io",
  "v1",
  "VolumeAttributesClass",
  "volumeattributesclasses",
  false,
);
export const certificateSigningRequests = ref<k8s.CertificateSigningRequest>(
  "certificates.k8s.io",
  "v1",
  "CertificateSigningRequest",
  "certificatesigningrequests",
  false,
);
export const apiServices = ref<k8s.APIService>("apiregistration.k8s.io", "v1", "APIService", "apiservices", false);
export const mutatingWebhookConfigurations = ref<k8s.MutatingWebhookConfiguration>(
  "admissionregistration.k8s.io",
  "v1",
  "MutatingWebhookConfiguration",
  "mutatingwebhookconfigurations",
  false,
);
export const validatingWebhookConfigurations = ref<k8s.ValidatingWebhookConfiguration>(
  "admissionregistration.k8s.io",
  "v1",
  "ValidatingWebhookConfiguration",
  "validatingwebhookconfigurations",
  false,
);
export const validatingAdmissionPolicies = ref<k8s.ValidatingAdmissionPolicy>(
  "admissionregistration.k8s.io",
  "v1",
  "ValidatingAdmissionPolicy",
  "validatingadmissionpolicies",
  false,
);
export const validatingAdmissionPolicyBindings = ref<k8s.ValidatingAdmissionPolicyBinding>(
  "admissionregistration.k8s.io",
  "v1",
  "ValidatingAdmissionPolicyBinding",
  "validatingadmissionpolicybindings",
  false,
);
export const mutatingAdmissionPolicies = ref<k8s.MutatingAdmissionPolicy>(
  "admissionregistration.k8s.io",
  "v1",
  "MutatingAdmissionPolicy",
  "mutatingadmissionpolicies",
  false,
);
export const mutatingAdmissionPolicyBindings = ref<k8s.MutatingAdmissionPolicyBinding>(
  "admissionregistration.k8s.io",
  "v1",
  "MutatingAdmissionPolicyBinding",
  "mutatingadmissionpolicybindings",
  false,
);
export const flowSchemas = ref<k8s.FlowSchema>("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema", "flowschemas", false);
export const priorityLevelConfigurations = ref<k8s.PriorityLevelConfiguration>(
  "flowcontrol.apiserver.k8s.io",
  "v1",
  "PriorityLevelConfiguration",
  "prioritylevelconfigurations",
  false,
);
export const deviceClasses = ref<k8s.DeviceClass>("resource.k8s.io", "v1", "DeviceClass", "deviceclasses", false);
export const resourceClaims = ref<k8s.ResourceResourceClaim>("resource.k8s.io", "v1", "ResourceClaim", "resourceclaims");
export const resourceClaimTemplates = ref<k8s.ResourceClaimTemplate>(
  "resource.k8s.io",
  "v1",
  "ResourceClaimTemplate",
  "resourceclaimtemplates",
);
export const resourceSlices = ref<k8s.ResourceSlice>("resource.k8s.io", "v1", "ResourceSlice", "resourceslices", false);
