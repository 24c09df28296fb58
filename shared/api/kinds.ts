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
