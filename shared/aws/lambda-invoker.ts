/** Starts consumers as asynchronous Lambda invocations. */
import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import type { Consumer, ConsumerEvent, ConsumerInvoker } from "../runtime/consumer.ts";

export interface LambdaInvokerOptions {
  readonly client?: LambdaClient;
  /** ARN of the functions without their names. */
  readonly functionArnPrefix: string;
}

/** Lambda queues the event and retries a failing function twice; a lost event costs time only, because the sweep looks again. */
export function lambdaInvoker({ client = new LambdaClient(), functionArnPrefix }: LambdaInvokerOptions): ConsumerInvoker {
  return {
    async start(cluster: string, consumer: Consumer) {
      const event: ConsumerEvent = { cluster, consumer };
      await client.send(
        new InvokeCommand({
          FunctionName: `${functionArnPrefix}${consumer}`,
          InvocationType: "Event",
          Payload: new TextEncoder().encode(JSON.stringify(event)),
        }),
      );
    },
  };
}
