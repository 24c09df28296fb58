/** Docker's `awslogs` driver: a container's lines go to the group and stream that its log configuration names. */
import type { LineSink } from "../engine/simulated/runtime.ts";
import type { LogStore } from "./log-store.ts";

/** Streams are named `prefix/container/task id`; without a prefix, as here, nothing is kept. */
export const awslogs = (store: LogStore): LineSink => ({
  write(task, container, line, timestamp) {
    const options = container.logConfiguration?.options;
    const group = options?.["awslogs-group"];
    const prefix = options?.["awslogs-stream-prefix"];
    if (container.logConfiguration?.logDriver !== "awslogs" || group === undefined || prefix === undefined) return;
    const stream = `${prefix}/${container.name}/${task.taskArn.split("/").at(-1)}`;
    if (options?.["awslogs-create-group"] === "true") store.createGroup(group, timestamp);
    if (!store.hasGroup(group)) return;
    store.createStream(group, stream, timestamp);
    store.append(group, stream, [{ timestamp, message: line }], timestamp);
  },
});
