/**
 * Ends a Pod that is being deleted: stops its task, writes what became of it, and only then lets the object go. Nobody else finishes a
 * graceful deletion.
 */
import type { Pod } from "../api/generated/types.ts";
import * as kinds from "../api/kinds.ts";
import { keyOf } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import type { ControllerContext, Result } from "../runtime/controller.ts";
import type { Kubelet } from "./kubelet.ts";
import { writeStatus } from "./kubelet.ts";
import { readRecord, type TaskRecord } from "./record.ts";
import { podStatus } from "./status.ts";
import type { Task } from "./task-engine.ts";
import { stopSeconds } from "./translate/containers.ts";

/** How much longer than its grace period a stop may take before Amazon ECS is asked again. */
const slackMs = 15_000;

/** Tells the task to stop, when it is its turn; again and again is the same as once. */
export async function stopTask(kubelet: Kubelet, context: ControllerContext, pod: Pod, task: Task, reason: string): Promise<Result> {
  const now = context.clock.now();
  const again = { again: new Date(now.getTime() + stopSeconds(pod) * 1_000 + slackMs) };
  if (task.desiredStatus === "STOPPED") return again;
  const turn = kubelet.limiter.tryTake("modify");
  if (turn) return { again: turn };
  if (pod.metadata.deletionTimestamp !== undefined) warnOfGrace(context, pod);
  await kubelet.engine.stopTask({ cluster: kubelet.ecsCluster, task: task.taskArn, reason });
  kubelet.observer.see({ ...task, desiredStatus: "STOPPED" }, "answer");
  for (const { name, lastStatus } of task.containers) {
    if (lastStatus === "RUNNING") context.event(pod, "Normal", "Killing", `Stopping container ${name}`);
  }
  return again;
}

/** The time to stop is fixed in the task definition: says so when the deletion asked for another one. */
function warnOfGrace(context: ControllerContext, pod: Pod): void {
  const asked = pod.metadata.deletionGracePeriodSeconds;
  const given = stopSeconds(pod);
  if (asked === undefined || asked === (pod.spec.terminationGracePeriodSeconds ?? given)) return;
  context.event(
    pod,
    "Warning",
    "GracePeriodNotHonoured",
    `containers get ${given}s to stop, not ${asked}s: with Amazon ECS the time is fixed when a task starts`,
  );
}

/** Writes the last status and lets the object go. Its finalizers may hold it still. */
export async function finish(context: ControllerContext, pod: Pod, record: TaskRecord | undefined, task: Task | undefined): Promise<void> {
  const now = context.clock.now();
  if (record) {
    const written = await writeStatus(context, pod, (current) => {
      const ended: TaskRecord = { ...(readRecord(current) ?? record), state: "Ended", since: now };
      const before = readRecord(current);
      return podStatus({
        pod: current,
        record: before?.state === "Ended" ? before : ended,
        task,
        report: undefined,
        hostIp: current.status?.hostIP,
        ending: true,
        now,
      });
    });
    if (!written) return;
  }
  if (pod.metadata.deletionGracePeriodSeconds === 0) return;
  try {
    await context.client.delete(kinds.pods, keyOf(pod), { uid: pod.metadata.uid, gracePeriodSeconds: 0 });
  } catch (error) {
    if (error instanceof StatusError && error.reason === "NotFound") return;
    throw error;
  }
}
