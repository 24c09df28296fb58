/** Reads the table's stream and starts the consumers that a change concerns. Deployed by `infra/binnacle-stack.ts`. */
import middy from "@middy/core";
import type { DynamoDBStreamEvent } from "aws-lambda";
import { readConfig } from "../shared/app/config.ts";
import { lambdaInvoker } from "../shared/aws/lambda-invoker.ts";
import { systemClock } from "../shared/runtime/clock.ts";
import { createDoorbell } from "../shared/runtime/doorbell.ts";
import { jsonLog } from "../shared/runtime/log.ts";

const { functionArnPrefix, logLevel } = readConfig(process.env);
const log = jsonLog((line) => process.stdout.write(`${line}\n`), logLevel, { part: "doorbell" });
const doorbell = createDoorbell({ invoker: lambdaInvoker({ functionArnPrefix }), clock: systemClock, log });

export const handler = middy(async (event: DynamoDBStreamEvent) => {
  await doorbell.ring(event.Records);
});
