/**
 * The global `awslambda` of Lambda's Node runtimes: how a function streams its answer. Functions that stream expect it when their
 * module is loaded, so it must be installed before.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/config-rs-write-functions.html
 */
import type { Writable } from "node:stream";
import type { Context } from "aws-lambda";
import type { HttpPrelude, ResponseStream } from "./response-stream.ts";

/** What a streaming function is to the runtime. */
export type StreamingHandler = (event: unknown, responseStream: ResponseStream, context: Context) => Promise<unknown>;

/** The runtime knows by this mark that a function streams. */
const streaming = Symbol.for("aws.lambda.runtime.handler.streaming");

const awslambda = {
  streamifyResponse(handler: StreamingHandler): StreamingHandler {
    return Object.assign(handler, { [streaming]: "response" });
  },
  HttpResponseStream: {
    /** The same stream, which now sends status and headers before its first bytes. */
    from(stream: ResponseStream, prelude: HttpPrelude): Writable {
      stream.usePrelude(prelude);
      return stream;
    },
  },
};

export const isStreaming = (handler: unknown): handler is StreamingHandler =>
  typeof handler === "function" && (handler as { readonly [streaming]?: unknown })[streaming] === "response";

/** Makes `awslambda` global. Idempotent. The AWS SDK may have put members of its own there before: they stay. */
export function installAwsLambda(): void {
  const scope: { awslambda?: object } = globalThis;
  scope.awslambda = Object.assign(scope.awslambda ?? {}, awslambda);
}
