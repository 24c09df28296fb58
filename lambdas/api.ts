/** Serves the Kubernetes API behind API Gateway, streaming. Deployed by `infra/binnacle-stack.ts`. */
import middy from "@middy/core";
import { executionModeStreamifyResponse } from "@middy/core/executionModeStreamifyResponse";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { createApi } from "../shared/app/api.ts";
import { cloudWatchLogReader } from "../shared/aws/cloudwatch-log-reader.ts";
import { answerEvent, type StreamingResult } from "../shared/server/lambda.ts";
import { core } from "./core.ts";

const api = createApi({ core, logs: cloudWatchLogReader() });

export const handler = middy<APIGatewayProxyEvent, StreamingResult>({ executionMode: executionModeStreamifyResponse }).handler(
  (event: APIGatewayProxyEvent, context: Context) =>
    answerEvent(
      event,
      () => context.getRemainingTimeInMillis(),
      (request, options) => api.fetch(request, options),
    ),
);
