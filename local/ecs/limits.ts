/**
 * Amazon ECS' quotas as its documentation lists them: request throttles by group of operations, and hard limits.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html
 */
import type { BucketLimits } from "../wire/token-buckets.ts";

export const buckets = {
  clusterModify: { burst: 50, perSecond: 20 },
  clusterRead: { burst: 50, perSecond: 20 },
  clusterResourceModify: { burst: 100, perSecond: 40 },
  clusterResourceRead: { burst: 100, perSecond: 20 },
  taskDefinitionModify: { burst: 20, perSecond: 1 },
  taskDefinitionRead: { burst: 50, perSecond: 20 },
  tagRead: { burst: 50, perSecond: 20 },
  agent: { burst: 200, perSecond: 120 },
  /** Tasks, not calls. */
  fargateTasks: { burst: 100, perSecond: 20 },
} as const satisfies Readonly<Record<string, BucketLimits>>;

export type Bucket = keyof typeof buckets;

/** Which bucket an operation takes a token from. */
export const bucketOf = {
  CreateCluster: "clusterModify",
  DescribeClusters: "clusterRead",
  ListClusters: "clusterRead",
  RunTask: "clusterResourceModify",
  StartTask: "clusterResourceModify",
  StopTask: "clusterResourceModify",
  ExecuteCommand: "clusterResourceModify",
  DeregisterContainerInstance: "clusterResourceModify",
  UpdateContainerInstancesState: "clusterResourceModify",
  DescribeTasks: "clusterResourceRead",
  ListTasks: "clusterResourceRead",
  DescribeContainerInstances: "clusterResourceRead",
  ListContainerInstances: "clusterResourceRead",
  RegisterTaskDefinition: "taskDefinitionModify",
  DeregisterTaskDefinition: "taskDefinitionModify",
  DescribeTaskDefinition: "taskDefinitionRead",
  ListTaskDefinitions: "taskDefinitionRead",
  ListTaskDefinitionFamilies: "taskDefinitionRead",
  RegisterContainerInstance: "agent",
  ListTagsForResource: "tagRead",
} as const satisfies Readonly<Record<string, Bucket>>;

export const limits = {
  containersPerTaskDefinition: 10,
  taskDefinitionBytes: 65_536,
  overridesCharacters: 8_192,
  startedByCharacters: 36,
  instancesPerStartTask: 10,
  tasksPerRunTask: 10,
  describedAtOnce: 100,
  pageSize: 100,
  clusters: 10_000,
  instancesPerCluster: 5_000,
  revisionsPerFamily: 1_000_000,
  tags: 50,
  subnets: 16,
  securityGroups: 5,
  /** vCPUs on Fargate in a new account. */
  fargateVcpus: 6,
} as const;

/** How long a new task may stay unseen by Describe and List: the API is eventually consistent. In milliseconds. */
export const consistencyDelayMs = 100;

/** Stopped tasks are shown for at least an hour. In milliseconds. */
export const stoppedTaskRetentionMs = 60 * 60_000;

/** CPU units and the memory (GiB) that Fargate has for them. */
export const fargateSizes: Readonly<Record<number, readonly number[]>> = {
  256: [0.5, 1, 2],
  512: range(1, 4, 1),
  1_024: range(2, 8, 1),
  2_048: range(4, 16, 1),
  4_096: range(8, 30, 1),
  8_192: range(16, 60, 4),
  16_384: range(32, 120, 8),
  32_768: [60, 120, 244],
};

function range(from: number, to: number, step: number): number[] {
  return Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, index) => from + index * step);
}
