/**
 * Where a container's output lies. The awslogs driver names streams `<prefix>/<container>/<task id>`; the prefix stands in the task
 * definition, which many Pods share, so it cannot name one. The task's id can, and the Pod's status has it.
 */
import { taskIdOf } from "./record.ts";

export const logStreamPrefix = "pods";

/** @param id a container id of the Pod's status. @returns undefined for ids of others */
export function logStreamName(id: string, container: string): string | undefined {
  const task = taskIdOf(id);
  return task === undefined ? undefined : `${logStreamPrefix}/${container}/${task}`;
}
