/**
 * Where events about tasks wait for the kubelet: one item per task and kind of event, holding the newest. Events come at least once
 * and in any order, so an item is replaced only by a newer version.
 */
import type { Item, Table } from "../store/table.ts";
import type { ProbeReport } from "./probes.ts";
import { taskId } from "./record.ts";
import type { ContainerInstance, Task } from "./task-engine.ts";

export type InboxMessage = { readonly type: "task"; readonly task: Task } | { readonly type: "report"; readonly report: ProbeReport };

export interface InboxEntry {
  readonly message: InboxMessage;
  readonly version: number;
  /** Identifies task and kind. */
  readonly id: string;
}

/** What of a container instance matters at once. */
export type NotedInstance = Pick<ContainerInstance, "containerInstanceArn" | "status" | "agentConnected" | "version">;

export interface Inbox {
  /** Keeps the message if it is newer than what waits there. Safe to repeat. */
  put(cluster: string, message: InboxMessage): Promise<void>;
  /** Everything that waits. */
  all(cluster: string): Promise<readonly InboxEntry[]>;
  /**
   * Notes how a container instance is. Amazon ECS tells of every instance at every placement; hardly any of it matters.
   * @returns whether that is news
   */
  note(cluster: string, instance: NotedInstance): Promise<boolean>;
  /** Takes an entry out, unless a newer one has come meanwhile. */
  remove(cluster: string, entry: InboxEntry): Promise<void>;
}

const partition = (cluster: string) => `${cluster}#kubelet-inbox`;

const versionOf = (message: InboxMessage): number => (message.type === "task" ? message.task.version : message.report.version);

const arnOf = (message: InboxMessage): string => (message.type === "task" ? message.task.taskArn : message.report.taskArn);

export function createInbox(table: Table): Inbox {
  return {
    async put(cluster, message) {
      const version = versionOf(message);
      const item: Item = {
        pk: partition(cluster),
        sk: `${message.type}/${taskId(arnOf(message))}`,
        cluster,
        ring: "kubelet",
        version,
        body: JSON.stringify(message),
      };
      await table.put(item, { type: "absentOrLess", attribute: "version", value: version });
    },

    async note(cluster, { containerInstanceArn, status, agentConnected, version }) {
      const key = { pk: `${cluster}#container-instances`, sk: taskId(containerInstanceArn) };
      const state = `${status} ${agentConnected ? "connected" : "away"}`;
      const { item } = await table.get(key, { consistent: true });
      if (item && (item.state === state || Number(item.version) >= version)) return false;
      return (await table.put({ ...key, cluster, state, version }, { type: "absentOrLess", attribute: "version", value: version })).done;
    },

    async all(cluster) {
      const entries: InboxEntry[] = [];
      let cursor: Parameters<Table["query"]>[0]["cursor"];
      do {
        const page = await table.query({ pk: partition(cluster), consistent: true, ...(cursor && { cursor }) });
        for (const item of page.items) {
          entries.push({ id: item.sk, version: Number(item.version), message: withDates(JSON.parse(String(item.body))) });
        }
        cursor = page.cursor;
      } while (cursor);
      return entries;
    },

    async remove(cluster, { id, version }) {
      await table.delete({ pk: partition(cluster), sk: id }, { type: "equals", attribute: "version", value: version });
    },
  };
}

const times = ["createdAt", "startedAt", "stoppingAt", "stoppedAt"] as const;

/** JSON has no dates: a task's times are text in the item. */
function withDates(message: InboxMessage): InboxMessage {
  return message.type === "report" ? message : { type: "task", task: taskWithDates(message.task) };
}

/** A task whose times may be text (from JSON or an event), with dates. */
export function taskWithDates(task: Task): Task {
  const dates = times.flatMap((name) => {
    const value = task[name] as Date | string | undefined;
    return value === undefined ? [] : [[name, new Date(value)] as const];
  });
  return { ...task, ...Object.fromEntries(dates) };
}
