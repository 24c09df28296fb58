/** What the store answers, in Kubernetes' errors. */
import { badRequest, type GroupResource, StatusError } from "../errors/status-error.ts";
import {
  CompactedError,
  FutureRevisionError,
  ObjectTooLargeError,
  OutcomeUnknownError,
  SlowReaderError,
  StoreBusyError,
  StoreFullError,
  StoreUnavailableError,
  UnknownClusterError,
} from "../store/store.ts";

const oldList = "The resourceVersion for the provided list is too old.";

/** 410: the client has to list again. */
export const expired = (message: string, cause?: unknown, continueToken?: string): StatusError =>
  new StatusError("Expired", message, { cause, ...(continueToken !== undefined && { continue: continueToken }) });

/** 504 with the cause that tells clients to ask again for a revision which this server does not know yet. */
const tooLarge = (error: FutureRevisionError): StatusError =>
  new StatusError("Timeout", `Timeout: ${error.message}`, {
    cause: error,
    details: { causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }], retryAfterSeconds: 1 },
  });

/** An error of any origin as the one that a client may see. A StatusError stays what it is. */
export function toStatusError(error: unknown): StatusError {
  if (error instanceof StatusError) return error;
  if (error instanceof CompactedError) return expired(oldList, error);
  if (error instanceof FutureRevisionError) return tooLarge(error);
  if (error instanceof StoreFullError) {
    const message =
      "Internal error occurred: the disk that holds the cluster's state is full: nothing can be changed until there is room on it";
    return new StatusError("InternalError", message, { cause: error });
  }
  if (error instanceof OutcomeUnknownError) {
    return new StatusError(
      "Timeout",
      "Timeout: request did not complete within the allotted time, and may or may not have been carried out",
      {
        cause: error,
      },
    );
  }
  if (error instanceof StoreUnavailableError) {
    return new StatusError("ServiceUnavailable", "the server is currently unable to handle the request", {
      cause: error,
      details: { retryAfterSeconds: error.retryAfterSeconds },
    });
  }
  if (error instanceof StoreBusyError) {
    return new StatusError("TooManyRequests", "the server has received too many requests and has asked us to try again later", {
      cause: error,
      details: { retryAfterSeconds: error.retryAfterSeconds },
    });
  }
  if (error instanceof SlowReaderError)
    return new StatusError("TooManyRequests", "the watch did not keep up with the changes", { cause: error });
  if (error instanceof ObjectTooLargeError) {
    return new StatusError("RequestEntityTooLarge", `Request entity too large: ${error.message}`, { cause: error });
  }
  if (error instanceof UnknownClusterError)
    return new StatusError("NotFound", "the server could not find the requested resource", { cause: error });
  return new StatusError("InternalError", "Internal error occurred: see the server's log", { cause: error });
}

/** Runs a request's work; whatever it throws leaves as a StatusError. An aborted request stays an abort. */
export async function answering<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && error === signal.reason) throw error;
    throw toStatusError(error);
  }
}

export const unknownResource = (): StatusError => new StatusError("NotFound", "the server could not find the requested resource");

/** The verb is not served for this resource. */
export const methodNotAllowed = (resource: GroupResource, verb: string): StatusError =>
  new StatusError(
    "MethodNotAllowed",
    `${verb} is not supported on resources of kind "${resource.group ? `${resource.plural}.${resource.group}` : resource.plural}"`,
    {
      details: { ...(resource.group && { group: resource.group }), kind: resource.plural },
    },
  );

/**
 * A resourceVersion of a read: undefined when unset, 0 for "any".
 * @throws {StatusError} BadRequest when it is not a decimal number
 */
export function parseRevision(text: string | undefined): number | undefined {
  if (text === undefined || text === "") return undefined;
  // Upstream's are 64 bits wide. Ours never come near 53, so what is larger lies in the future just as well.
  if (/^\d+$/.test(text) && BigInt(text) < 2n ** 64n) return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  throw badRequest(
    `invalid resource version: resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}
