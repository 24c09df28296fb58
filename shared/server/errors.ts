/** Every failure becomes a response here and nowhere else. */

import { encodeProtobuf } from "../api/protobuf.ts";
import { type Status, StatusError } from "../errors/status-error.ts";
import type { Log } from "../runtime/log.ts";
import { parseAccept, protobuf } from "./media-types.ts";

/**
 * The error as a client may see it. What is not a {@link StatusError} is a defect: it is logged with its cause, and the client
 * learns only that it happened.
 */
export function toStatusError(error: unknown, log: Log, fields: Readonly<Record<string, unknown>>): StatusError {
  if (error instanceof StatusError) {
    if (error.code >= 500) log.error("request failed", { ...fields, reason: error.reason, error });
    return error;
  }
  log.error("unexpected error", { ...fields, error });
  return new StatusError("InternalError", "Internal error occurred: the server met an unexpected condition; its log has the details", {
    details: { causes: [{ message: "the server met an unexpected condition; its log has the details" }] },
    cause: error,
  });
}

/** As JSON, which nearly every client reads, whatever it would rather have. */
export function statusResponse(status: Status, headers: Readonly<Record<string, string>> = {}): Response {
  const retryAfter = status.details?.retryAfterSeconds;
  return new Response(`${JSON.stringify(status)}\n`, {
    status: status.code,
    headers: {
      "content-type": "application/json",
      "x-content-type-options": "nosniff",
      ...(retryAfter !== undefined && retryAfter > 0 && { "retry-after": String(retryAfter) }),
      ...headers,
    },
  });
}

/** The same for a client that takes nothing but protobuf. */
export function statusResponseFor(accept: string | null, status: Status): Response {
  const types = parseAccept(accept ?? "").filter(({ quality }) => quality > 0);
  const takesJson = types.length === 0 || types.some(({ type }) => type !== protobuf);
  if (takesJson) return statusResponse(status);
  const body = Buffer.from(encodeProtobuf("io.k8s.apimachinery.pkg.apis.meta.v1.Status", { ...status }));
  const { headers } = statusResponse(status, { "content-type": protobuf });
  return new Response(body, { status: status.code, headers });
}

/** A resource in a known group version that does not exist, or a path below it which means nothing. */
export const resourceNotFound = (): StatusError =>
  new StatusError("NotFound", "the server could not find the requested resource", { details: {} });

export const methodNotAllowed = (): StatusError =>
  new StatusError("MethodNotAllowed", "the server does not allow this method on the requested resource", { details: {} });

/** What a server answers to a path it knows nothing of: plain text, not a Status. */
export const pageNotFound = (): Response =>
  new Response("404 page not found\n", {
    status: 404,
    headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" },
  });

export const tooManyRequests = (message: string, retryAfterSeconds: number): StatusError =>
  new StatusError("TooManyRequests", message, { details: { retryAfterSeconds } });

export const timedOut = (message: string): StatusError =>
  new StatusError("Timeout", `Timeout: ${message}`, { details: { retryAfterSeconds: 0 } });
