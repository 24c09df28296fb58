/** Names, ids and ARNs by which Amazon ECS' callers name clusters, tasks and container instances. */
import { type Account, arn } from "../account.ts";
import { type Input, stringMember } from "../wire/input.ts";
import { clusterNotFound, invalidParameter } from "./errors.ts";
import type { Cluster } from "./model.ts";
import type { EcsState } from "./state.ts";

export const clusterArn = (account: Account, name: string): string => arn(account, "ecs", `cluster/${name}`);

/** A cluster's name from its name or ARN. */
export function clusterName(reference: string): string {
  const [, name] = /^(?:arn:[^/]*:cluster\/)?([^/]+)$/u.exec(reference) ?? [];
  if (name === undefined) throw invalidParameter("Invalid identifier: Unexpected number of separators");
  return name;
}

/** The active cluster that a request names; `default` when it names none. @throws {ServiceError} ClusterNotFoundException */
export function requiredCluster(state: EcsState, input: Input): Cluster {
  const cluster = state.clusters.get(clusterName(stringMember(input, "cluster") ?? "default"));
  if (cluster?.status !== "ACTIVE") throw clusterNotFound();
  return cluster;
}

const idLengths = [32, 36];

/**
 * The ARN of a cluster's task or container instance, from its id or ARN.
 * @throws {ServiceError} InvalidParameterException when it is malformed, or names another cluster
 */
export function memberArn(account: Account, cluster: Cluster, type: "task" | "container-instance", reference: string): string {
  const label = type === "task" ? "taskId" : "containerInstanceId";
  const parts = reference.split("/");
  const id = parts.at(-1) ?? "";
  if (parts.length > 3 || (parts.length > 1 && !reference.startsWith("arn:"))) {
    throw invalidParameter("Invalid identifier: Unexpected number of separators");
  }
  if (!idLengths.includes(id.length)) throw invalidParameter(`${label} length should be one of [${idLengths.join(",")}]`);
  if (parts.length === 3 && parts[1] !== cluster.clusterName) {
    throw invalidParameter(`Identifier is for cluster ${parts[1]}. Your cluster is ${cluster.clusterName}`);
  }
  return arn(account, "ecs", `${type}/${cluster.clusterName}/${id}`);
}
