/** One-shot wake-ups for the functions that work in turns. */
import { scheduleWakeUps } from "../shared/aws/schedule-wake-ups.ts";
import { core } from "./core.ts";

const { config, clock } = core.platform;

export const wakeUps = scheduleWakeUps({
  clock,
  groupName: config.scheduleGroup,
  roleArn: config.schedulerRoleArn,
  functionArnPrefix: config.functionArnPrefix,
});
