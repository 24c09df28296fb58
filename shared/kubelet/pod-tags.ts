/** Tags and labels by which a task says which Pod it runs and what should stand beside its containers. */
import type { Task } from "./task-engine.ts";
import type { TaskPod } from "./volumes.ts";

/** Tag of every task and task definition of a deployment; its value is the deployment's name. */
export const deploymentTag = "binnacle";

/** Tags of a task: its Pod's namespace and name. The Pod's uid is the task's `startedBy`. */
export const namespaceTag = "binnacle.dev/namespace";
export const nameTag = "binnacle.dev/name";

/**
 * Label of the first container: `"all"` means that the task goes on until every container that is no sidecar has stopped (a Pod that
 * is not restarted as a whole), though Amazon ECS would stop it with its first essential container. Kept by what stands beside the
 * containers; only set where that exists.
 */
export const endsWithLabel = "binnacle.dev/ends-with";

/**
 * Label of the first container: the Pod's `restartPolicy` where it is `Never` or `OnFailure`, that is, where the task is meant to come
 * to an end. Read by the simulated engine's rules.
 */
export const restartPolicyLabel = "binnacle.dev/restart-policy";

/** Containers marked as sidecars (restartable init containers): the task does not wait for them, and stops them last. */
export const sidecarLabel = "binnacle.dev/sidecar";

/** A container's label: names of environment variables, as a JSON array, that are set to the task's address when it is known. */
export const addressVariablesLabel = "binnacle.dev/address-variables";

/** Label of the first container: the host name of the task (its Pod's `spec.hostname`; the Pod's name when absent). */
export const hostnameLabel = "binnacle.dev/hostname";

/** Label of the first container: the Pod's `spec.subdomain`, the Service that gives its host name a domain. */
export const subdomainLabel = "binnacle.dev/subdomain";

/** Label of the first container: the Pod's `spec.hostAliases` as JSON, lines for `/etc/hosts`. */
export const hostAliasesLabel = "binnacle.dev/host-aliases";

/** Label of the first container: what the Pod asks of name resolution beyond the usual, as JSON: `policy` and its `spec.dnsConfig`. */
export const dnsLabel = "binnacle.dev/dns";

/** A container's label: `Always`, `IfNotPresent` or `Never`. The ECS agent knows only a setting for the whole machine. */
export const pullPolicyLabel = "binnacle.dev/image-pull-policy";

/** The Pod that a task runs; undefined for tasks of others. */
export function podOfTask(task: Pick<Task, "clusterArn" | "startedBy" | "tags">): TaskPod | undefined {
  const tag = (key: string) => task.tags?.find((tag) => tag.key === key)?.value;
  const namespace = tag(namespaceTag);
  const name = tag(nameTag);
  if (task.startedBy === undefined || namespace === undefined || name === undefined) return undefined;
  return { clusterArn: task.clusterArn, namespace, name, uid: task.startedBy };
}
