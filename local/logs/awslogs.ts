/** Docker's `awslogs` driver: a container's lines go to the group and stream that its log configuration names. */
import type { ContainerLogs } from "../engine/docker/log-follower.ts";
import type { EngineContainer, EngineTask } from "../engine/engine.ts";
import type { LineSink } from "../engine/simulated/runtime.ts";
import type { LogStore } from "./log-store.ts";

/** Streams are named `prefix/container/task id`; without a prefix, as here, nothing is kept. */
function streamOf(task: EngineTask, container: EngineContainer): { readonly group: string; readonly stream: string } | undefined {
  const options = container.logConfiguration?.options;
  const group = options?.["awslogs-group"];
  const prefix = options?.["awslogs-stream-prefix"];
  if (container.logConfiguration?.logDriver !== "awslogs" || group === undefined || prefix === undefined) return undefined;
  return { group, stream: `${prefix}/${container.name}/${task.taskArn.split("/").at(-1)}` };
}

export function awslogs(store: LogStore): LineSink & ContainerLogs {
  const append: ContainerLogs["append"] = (task, container, lines) => {
    const { group, stream } = streamOf(task, container) ?? {};
    const timestamp = lines[0]?.timestamp;
    if (group === undefined || stream === undefined || timestamp === undefined) return;
    if (container.logConfiguration?.options?.["awslogs-create-group"] === "true") store.createGroup(group, timestamp);
    if (!store.hasGroup(group)) return;
    store.createStream(group, stream, timestamp);
    store.append(group, stream, lines, timestamp);
  };
  return {
    write: (task, container, message, timestamp) => append(task, container, [{ timestamp, message }]),
    append,
    position(task, container) {
      const { group, stream } = streamOf(task, container) ?? {};
      const timestamp = group === undefined || stream === undefined ? undefined : store.stream(group, stream)?.lastEventTimestamp;
      if (group === undefined || stream === undefined || timestamp === undefined) return undefined;
      const limit = Number.MAX_SAFE_INTEGER;
      return { timestamp, count: store.read({ logGroupName: group, logStreamNames: [stream], startTime: timestamp, limit }).length };
    },
  };
}
