/** Everything the emulated Amazon ECS knows: in memory for reading, in the records for the next process. */
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Records } from "../state/records.ts";
import { stoppedTaskRetentionMs } from "./limits.ts";
import type { ClientToken, Cluster, InstanceRecord, TaskDefinitionRecord, TaskRecord } from "./model.ts";

/** Records of one kind, by id. */
export interface Collection<T> {
  get(id: string): T | undefined;
  values(): IterableIterator<T>;
  put(id: string, value: T): void;
  delete(id: string): void;
  readonly size: number;
}

export interface EcsState {
  /** By name. */
  readonly clusters: Collection<Cluster>;
  /** By `family:revision`. */
  readonly taskDefinitions: Collection<TaskDefinitionRecord>;
  /** Highest revision of each family; never goes down. */
  readonly revisions: Collection<number>;
  /** By ARN. */
  readonly tasks: Collection<TaskRecord>;
  /** By ARN. */
  readonly instances: Collection<InstanceRecord>;
  /** By client token. */
  readonly clientTokens: Collection<ClientToken>;
  /** Tasks by instance ARN that have not stopped. */
  tasksOn(containerInstanceArn: string): readonly TaskRecord[];
  /** Forgets tasks that stopped long ago. */
  expire(): void;
}

export function ecsState(records: Records, clock: Clock): EcsState {
  const tasks = collection<TaskRecord>(records, "ecs.task");
  const clientTokens = collection<ClientToken>(records, "ecs.clientToken");
  /** ARNs of tasks that have not stopped, by instance ARN: placement asks for them at every start. */
  const onInstance = new Map<string, Set<string>>();
  const index = ({ task }: TaskRecord) => {
    if (!task.containerInstanceArn) return;
    const there = onInstance.get(task.containerInstanceArn) ?? new Set();
    onInstance.set(task.containerInstanceArn, there);
    if (task.lastStatus === "STOPPED") there.delete(task.taskArn);
    else there.add(task.taskArn);
  };
  for (const record of tasks.values()) index(record);
  return {
    clusters: collection(records, "ecs.cluster"),
    taskDefinitions: collection(records, "ecs.taskDefinition"),
    revisions: collection(records, "ecs.revision"),
    tasks: {
      ...tasks,
      get size() {
        return tasks.size;
      },
      put(id, record) {
        tasks.put(id, record);
        index(record);
      },
    },
    instances: collection(records, "ecs.instance"),
    clientTokens,
    tasksOn: (containerInstanceArn) => [...(onInstance.get(containerInstanceArn) ?? [])].flatMap((id) => tasks.get(id) ?? []),
    expire() {
      const now = clock.now().getTime();
      for (const { task } of tasks.values()) {
        if (task.stoppedAt !== undefined && task.stoppedAt * 1_000 + stoppedTaskRetentionMs < now) tasks.delete(task.taskArn);
      }
      for (const [token, { createdAt }] of clientTokens.entries()) {
        if (createdAt * 1_000 + clientTokenRetentionMs < now) clientTokens.delete(token);
      }
    },
  };
}

/** How long a client token makes a repeat harmless. */
const clientTokenRetentionMs = 24 * 60 * 60_000;

function collection<T>(records: Records, kind: string): Collection<T> & { entries(): IterableIterator<[string, T]> } {
  const values = records.all<T>(kind);
  return {
    get: (id) => values.get(id),
    values: () => values.values(),
    entries: () => values.entries(),
    put(id, value) {
      records.put(kind, id, value);
      values.set(id, value);
    },
    delete(id) {
      records.delete(kind, id);
      values.delete(id);
    },
    get size() {
      return values.size;
    },
  };
}
