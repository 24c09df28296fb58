/** The tasks that run in a control plane's own Amazon ECS, as anybody with an AWS SDK sees them. */
import { DescribeTasksCommand, ECSClient, paginateListTasks, type Task } from "@aws-sdk/client-ecs";
import { namespaceTag, nameTag } from "../../shared/kubelet/pod-tags.ts";
import type { ControlPlane } from "./control-plane.ts";

const cluster = "binnacle-default";
const maxDescribed = 100;

/** @returns the names of the Pods of a namespace that tasks run for, sorted; a Pod with two tasks is there twice */
export async function podsWithTasks(plane: ControlPlane, namespace: string): Promise<string[]> {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new ECSClient({ endpoint: plane.awsUrl(), region: "us-east-1", credentials });
  try {
    const arns: string[] = [];
    for await (const { taskArns } of paginateListTasks({ client }, { cluster, desiredStatus: "RUNNING" })) arns.push(...(taskArns ?? []));
    const tasks: Task[] = [];
    for (let from = 0; from < arns.length; from += maxDescribed) {
      const described = await client.send(
        new DescribeTasksCommand({ cluster, tasks: arns.slice(from, from + maxDescribed), include: ["TAGS"] }),
      );
      tasks.push(...(described.tasks ?? []));
    }
    const tag = (task: Task, key: string) => task.tags?.find((tag) => tag.key === key)?.value;
    return tasks
      .filter((task) => tag(task, namespaceTag) === namespace)
      .map((task) => tag(task, nameTag) ?? "")
      .toSorted();
  } finally {
    client.destroy();
  }
}
