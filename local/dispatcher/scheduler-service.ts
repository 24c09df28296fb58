/** EventBridge Scheduler over the wire: creating, reading, listing and deleting one-shot schedules. */
import type { Clock } from "../../shared/runtime/clock.ts";
import { type Account, arn } from "../account.ts";
import { type Input, isInput, stringMember, structureMember } from "../wire/input.ts";
import type { RestRequest, RestResponse, RestService } from "../wire/server.ts";
import { ServiceError, serializationError } from "../wire/service-error.ts";
import type { Schedule, Schedules } from "./schedules.ts";

const path = /^\/schedules(?:\/([0-9a-zA-Z._-]{1,64}))?$/u;

export function schedulerService({
  schedules,
  groups,
  account,
  clock,
}: {
  readonly schedules: Schedules;
  /** Schedule groups that exist, besides `default`. */
  readonly groups: readonly string[];
  readonly account: Account;
  readonly clock: Clock;
}): RestService {
  const group = (name: string | undefined): string => {
    const asked = name ?? "default";
    if (asked !== "default" && !groups.includes(asked)) throw notFound(`Schedule group ${asked} does not exist.`);
    return asked;
  };
  const shown = (schedule: Schedule) => ({
    Arn: scheduleArn(schedule),
    GroupName: schedule.group,
    Name: schedule.name,
    ScheduleExpression: schedule.expression,
    State: "ENABLED",
    CreationDate: schedule.createdAt / 1_000,
    FlexibleTimeWindow: { Mode: "OFF" },
    Target: { Arn: schedule.target, Input: schedule.input },
    ActionAfterCompletion: schedule.deleteAfterCompletion ? "DELETE" : "NONE",
  });
  const scheduleArn = (schedule: Pick<Schedule, "group" | "name">) =>
    arn(account, "scheduler", `schedule/${schedule.group}/${schedule.name}`);

  const create = (name: string, { body }: RestRequest): RestResponse => {
    const input = read(body);
    const expression = required(input, "ScheduleExpression");
    const target = structureMember(input, "Target");
    if (!target) throw validation("Target is required.");
    const now = clock.now().getTime();
    const schedule: Schedule = {
      group: group(stringMember(input, "GroupName")),
      name,
      expression,
      dueAt: dueTime(expression, stringMember(input, "ScheduleExpressionTimezone") ?? "UTC"),
      target: required(target, "Arn"),
      input: stringMember(target, "Input") ?? "{}",
      deleteAfterCompletion: stringMember(input, "ActionAfterCompletion") === "DELETE",
      createdAt: now,
    };
    required(target, "RoleArn");
    if (schedule.dueAt < now - 60_000) throw validation("Invalid Schedule Expression: the time is in the past.");
    if (!schedules.create(schedule)) throw new ServiceError("ConflictException", `Schedule ${name} already exists.`, 409);
    return json({ ScheduleArn: scheduleArn(schedule) });
  };

  const handle = (request: RestRequest, name: string | undefined): RestResponse => {
    const asked = request.query.get("groupName") ?? undefined;
    if (name === undefined) {
      if (request.method !== "GET") throw new ServiceError("UnknownOperationException", "", 404);
      const wanted = request.query.get("ScheduleGroup");
      return json({
        Schedules: schedules
          .all()
          .filter((one) => wanted === null || one.group === wanted)
          .map(shown),
      });
    }
    switch (request.method) {
      case "POST":
        return create(name, request);
      case "GET": {
        const found = schedules.get(group(asked), name);
        if (!found) throw notFound(`Schedule ${name} does not exist.`);
        return json(shown(found));
      }
      case "DELETE":
        if (!schedules.delete(group(asked), name)) throw notFound(`Schedule ${name} does not exist.`);
        return json({});
      default:
        throw new ServiceError("UnknownOperationException", "", 404);
    }
  };

  return {
    handle(request) {
      const match = path.exec(request.path);
      return match ? Promise.try(() => handle(request, match[1])) : undefined;
    },
  };
}

const json = (value: unknown): RestResponse => ({
  status: 200,
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(value),
});
const notFound = (message: string) => new ServiceError("ResourceNotFoundException", message, 404);
const validation = (message: string) => new ServiceError("ValidationException", message);

function read(body: Buffer): Input {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    value = undefined;
  }
  if (!isInput(value)) throw serializationError("The request body is not a JSON object.");
  return value;
}

function required(input: Input, member: string): string {
  const value = stringMember(input, member);
  if (!value) throw validation(`${member} is required.`);
  return value;
}

/** @returns milliseconds since the epoch. Rates and cron expressions are not emulated. */
function dueTime(expression: string, timezone: string): number {
  const [, at] = /^at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)$/u.exec(expression) ?? [];
  const time = at === undefined ? Number.NaN : Date.parse(`${at}Z`);
  if (Number.isNaN(time)) throw validation(`Invalid Schedule Expression ${expression}. Only at(yyyy-mm-ddThh:mm:ss) is emulated.`);
  if (timezone !== "UTC") throw validation("Only ScheduleExpressionTimezone UTC is emulated.");
  return time;
}
