/** AWS Lambda's Invoke over the wire, so that the adapters in `shared/aws` start functions locally as they do in the cloud. */

import type { RestResponse, RestService } from "../wire/server.ts";
import { ServiceError } from "../wire/service-error.ts";
import type { Functions } from "./functions.ts";

/** Largest payload of an asynchronous and of a synchronous invocation, in bytes. */
const payloadLimit = { Event: 1_024 * 1_024, RequestResponse: 6 * 1_024 * 1_024 } as const;

const path = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/u;

export function lambdaService(functions: Functions): RestService {
  return {
    handle({ method, path: asked, headers, body }) {
      const [, reference] = path.exec(asked) ?? [];
      if (method !== "POST" || reference === undefined) return undefined;
      return invoke(functions, decodeURIComponent(reference), String(headers["x-amz-invocation-type"] ?? "RequestResponse"), body);
    },
  };
}

async function invoke(functions: Functions, reference: string, type: string, body: Buffer): Promise<RestResponse> {
  const name = /^(?:arn:[^:]*:lambda:[^:]*:\d*:function:)?([\w-]+)/u.exec(reference)?.[1] ?? "";
  if (!functions.has(name)) throw new ServiceError("ResourceNotFoundException", `Function not found: ${reference}`, 404);
  if (type === "DryRun") return { status: 204 };
  if (type !== "Event" && type !== "RequestResponse") {
    throw new ServiceError("InvalidParameterValueException", `InvocationType ${type} is not Event, RequestResponse or DryRun.`);
  }
  if (body.length > payloadLimit[type]) {
    throw new ServiceError(
      "RequestTooLargeException",
      `${body.length} byte payload is too large for the ${type} invocation type (limit ${payloadLimit[type]} bytes)`,
      413,
    );
  }
  const event = read(body);
  if (type === "Event") {
    functions.enqueue(name, event);
    return { status: 202 };
  }
  try {
    const result = await functions.invoke(name, event);
    return { status: 200, headers: { "X-Amz-Executed-Version": "$LATEST" }, body: JSON.stringify(result ?? null) };
  } catch (error) {
    const { name: errorType, message, stack } = error instanceof Error ? error : new Error(String(error));
    const body = JSON.stringify({ errorType, errorMessage: message, trace: stack?.split("\n") ?? [] });
    return { status: 200, headers: { "X-Amz-Executed-Version": "$LATEST", "X-Amz-Function-Error": "Unhandled" }, body };
  }
}

function read(body: Buffer): unknown {
  try {
    return body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
  } catch {
    throw new ServiceError("InvalidRequestContentException", "Could not parse request body into json");
  }
}
