/** One invocation of a streaming function, its answer passed on as API Gateway passes it on. */

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { finished } from "node:stream/promises";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import type { Log } from "../../shared/runtime/log.ts";
import type { StreamingHandler } from "./awslambda.ts";
import { Refusal } from "./refusal.ts";
import { type HttpPrelude, PreludeReader, ResponseStream } from "./response-stream.ts";
import type { Answer } from "./upgrade.ts";

/** A function's answer may take this long in all … */
export const functionTimeoutMs = 15 * 60_000;
/** … and this long between two of its bytes (Regional endpoints). */
export const idleTimeoutMs = 5 * 60_000;

/** Headers that a function may set and clients get under another name. */
const remappedHeaders = new Set(["authorization", "connection", "date", "server", "user-agent", "www-authenticate"]);

export interface InvocationOptions {
  readonly handler: StreamingHandler;
  readonly functionName: string;
  readonly log: Log;
}

/**
 * Invokes the function and streams its answer.
 *
 * On AWS a client that goes away is not told to the function, which runs on until it ends by itself. Here its output is closed then,
 * because otherwise every abandoned watch would keep a laptop busy until its own deadline; a function that tries to write gets an error
 * that on AWS it would not get, and must not depend on either.
 */
export async function invoke(event: APIGatewayProxyEvent, response: Answer, options: InvocationOptions): Promise<void> {
  const { handler, log } = options;
  const reader = new PreludeReader();
  const began = performance.now();
  let idle: NodeJS.Timeout | undefined;
  const stillAlive = () => {
    clearTimeout(idle);
    idle = setTimeout(() => output.destroy(new Refusal(504, "Endpoint request timed out")), idleTimeoutMs).unref();
  };

  const output = new ResponseStream({
    async write(chunk) {
      stillAlive();
      const { prelude, body } = reader.read(chunk);
      if (prelude) writeHead(response, prelude, event.requestContext.requestId);
      if (body.byteLength > 0 && !response.write(body)) await once(response, "drain", { signal: gone.signal });
    },
    async end() {
      if (!reader.complete) throw new Refusal(502, "Internal server error");
      response.end();
    },
  });
  output.on("error", () => {});

  const gone = new AbortController();
  response.once("close", () => {
    gone.abort();
    output.destroy();
  });
  const deadline = setTimeout(() => output.destroy(new Refusal(504, "Endpoint request timed out")), functionTimeoutMs).unref();
  stillAlive();
  try {
    await handler(
      event,
      output,
      context(options.functionName, () => functionTimeoutMs - (performance.now() - began)),
    );
    if (!output.writableEnded) output.end();
    await finished(output);
  } catch (error) {
    // A client that went away is the usual end of a watch.
    if (gone.signal.aborted) return;
    const refusal = output.errored instanceof Refusal ? output.errored : error instanceof Refusal ? error : undefined;
    if (!refusal) log.error("function failed", { function: options.functionName, path: event.path, error });
    if (response.headersSent) response.destroy();
    else refuse(response, refusal ?? new Refusal(502, "Internal server error"));
  } finally {
    clearTimeout(deadline);
    clearTimeout(idle);
  }
}

/** Writes the gateway's own answer. */
export function refuse(response: Answer, refusal: Refusal): void {
  response.writeHead(refusal.statusCode, refusal.headers);
  response.end(refusal.body);
}

function writeHead(response: Answer, { statusCode = 200, headers, multiValueHeaders, cookies }: HttpPrelude, requestId: string): void {
  const set = (name: string, value: string | readonly string[]) =>
    response.setHeader(remappedHeaders.has(name.toLowerCase()) ? `x-amzn-Remapped-${name}` : name, value);
  for (const [name, value] of Object.entries(headers ?? {})) set(name, value);
  for (const [name, values] of Object.entries(multiValueHeaders ?? {})) set(name, values);
  if (cookies) set("Set-Cookie", cookies);
  if (!response.hasHeader("content-type")) response.setHeader("content-type", "application/json");
  response.setHeader("x-amzn-RequestId", requestId);
  response.writeHead(statusCode);
  // The head alone: whoever opens a watch is told at once that it is open. As bytes, since `flushHeaders` would write UTF-8.
  response.write(Buffer.alloc(0));
}

const context = (functionName: string, remainingMs: () => number): Context => ({
  callbackWaitsForEmptyEventLoop: false,
  functionName,
  functionVersion: "$LATEST",
  invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
  memoryLimitInMB: "512",
  awsRequestId: randomUUID(),
  logGroupName: `/aws/lambda/${functionName}`,
  logStreamName: "local",
  getRemainingTimeInMillis: () => Math.max(0, Math.round(remainingMs())),
  done: () => {},
  fail: () => {},
  succeed: () => {},
});
