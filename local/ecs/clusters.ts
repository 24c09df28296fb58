/** ECS clusters. */
import { type Account } from "../account.ts";
import { type Input, stringMember, stringsMember, structuresMember } from "../wire/input.ts";
import { clientException, invalidParameter } from "./errors.ts";
import { limits } from "./limits.ts";
import type { Cluster, Failure } from "./model.ts";
import { page } from "./paging.ts";
import { clusterArn, clusterName } from "./references.ts";
import type { EcsState } from "./state.ts";
import { readTags } from "./tags.ts";

export interface Clusters {
  readonly operations: Readonly<Record<"CreateCluster" | "DescribeClusters" | "ListClusters", (input: Input) => unknown>>;
  /** Makes the cluster unless it is there. */
  ensure(name: string): void;
}

export function clusters({ state, account }: { readonly state: EcsState; readonly account: Account }): Clusters {
  const create = (name: string, tags: Cluster["tags"], settings: Cluster["settings"]): Cluster => {
    const existing = state.clusters.get(name);
    if (existing) return existing;
    if (state.clusters.size >= limits.clusters) throw clientException("The maximum number of clusters was reached.");
    const cluster: Cluster = { clusterArn: clusterArn(account, name), clusterName: name, status: "ACTIVE", tags, settings };
    state.clusters.put(name, cluster);
    return cluster;
  };
  const shown = (cluster: Cluster, include: readonly string[]) => {
    const tasks = [...state.tasks.values()].filter(({ task }) => task.clusterArn === cluster.clusterArn);
    return {
      ...cluster,
      tags: include.includes("TAGS") ? cluster.tags : [],
      settings: include.includes("SETTINGS") ? cluster.settings : [],
      statistics: [],
      capacityProviders: [],
      defaultCapacityProviderStrategy: [],
      activeServicesCount: 0,
      registeredContainerInstancesCount: [...state.instances.values()].filter(
        (record) => record.clusterName === cluster.clusterName && record.instance.status !== "INACTIVE",
      ).length,
      runningTasksCount: tasks.filter(({ task }) => task.lastStatus === "RUNNING").length,
      pendingTasksCount: tasks.filter(({ task }) => ["PROVISIONING", "PENDING", "ACTIVATING"].includes(task.lastStatus)).length,
    };
  };
  return {
    ensure: (name) => void create(name, [], []),
    operations: {
      CreateCluster(input) {
        const name = stringMember(input, "clusterName") ?? "default";
        if (!/^[A-Za-z0-9_-]{1,255}$/u.test(name)) throw invalidParameter("Cluster name contains invalid characters.");
        const settings = (structuresMember(input, "settings") ?? []).map((setting) => ({
          name: stringMember(setting, "name") ?? "",
          value: stringMember(setting, "value") ?? "",
        }));
        return { cluster: shown(create(name, readTags(input), settings), ["TAGS", "SETTINGS"]) };
      },
      DescribeClusters(input) {
        const asked = stringsMember(input, "clusters") ?? ["default"];
        if (asked.length > limits.describedAtOnce)
          throw invalidParameter(`Clusters cannot have more than ${limits.describedAtOnce} elements.`);
        const include = stringsMember(input, "include") ?? [];
        const failures: Failure[] = [];
        const found = asked.flatMap((reference) => {
          const name = clusterName(reference);
          const cluster = state.clusters.get(name);
          if (!cluster) failures.push({ arn: clusterArn(account, name), reason: "MISSING" });
          return cluster ? [shown(cluster, include)] : [];
        });
        return { clusters: found, failures };
      },
      ListClusters(input) {
        const arns = [...state.clusters.values()].map((cluster) => cluster.clusterArn);
        const { ids, ...rest } = page(arns.toSorted(), input);
        return { clusterArns: ids, ...rest };
      },
    },
  };
}
