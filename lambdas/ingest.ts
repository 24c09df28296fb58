/** Puts ECS events and probe reports into the inbox. Deployed by `infra/binnacle-stack.ts`. */
import middy from "@middy/core";
import type { EventBridgeEvent } from "aws-lambda";
import { readConfig } from "../shared/app/config.ts";
import { createIngest } from "../shared/app/ingest.ts";
import { awsCore } from "../shared/aws/core.ts";
import { lambdaInvoker } from "../shared/aws/lambda-invoker.ts";

const platform = awsCore(readConfig(process.env));
const ingest = createIngest({ ...platform, invoker: lambdaInvoker({ functionArnPrefix: platform.config.functionArnPrefix }) });

export const handler = middy(async (event: EventBridgeEvent<string, unknown>) => {
  await ingest.take(event);
});
