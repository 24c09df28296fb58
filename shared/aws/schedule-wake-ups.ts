/** One-shot wake-ups as EventBridge schedules that delete themselves after they ran. */
import { ConflictException, CreateScheduleCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import type { Clock } from "../runtime/clock.ts";
import type { Consumer, ConsumerEvent, WakeUps } from "../runtime/consumer.ts";

export interface ScheduleWakeUpsOptions {
  readonly client?: SchedulerClient;
  readonly clock: Clock;
  readonly groupName: string;
  readonly roleArn: string;
  readonly functionArnPrefix: string;
}

const minuteMs = 60_000;

/** Schedules fire with 60 s precision, so times are rounded up to the minute, at least one minute ahead. */
export function scheduleWakeUps({
  client = new SchedulerClient(),
  clock,
  groupName,
  roleArn,
  functionArnPrefix,
}: ScheduleWakeUpsOptions): WakeUps {
  return {
    async at(cluster: string, consumer: Consumer, when: Date) {
      const due = new Date(Math.ceil(Math.max(when.getTime(), clock.now().getTime() + minuteMs) / minuteMs) * minuteMs);
      const event: ConsumerEvent = { cluster, consumer };
      const minute = due.toISOString().slice(0, 16);
      try {
        await client.send(
          new CreateScheduleCommand({
            Name: `${cluster}-${consumer}-${minute.replaceAll(/[^0-9]/g, "")}`,
            GroupName: groupName,
            ScheduleExpression: `at(${minute}:00)`,
            FlexibleTimeWindow: { Mode: "OFF" },
            ActionAfterCompletion: "DELETE",
            Target: { Arn: `${functionArnPrefix}${consumer}`, RoleArn: roleArn, Input: JSON.stringify(event) },
          }),
        );
      } catch (error) {
        // Somebody asked for this minute already: that is what we wanted.
        if (!(error instanceof ConflictException)) throw error;
      }
    },
  };
}
