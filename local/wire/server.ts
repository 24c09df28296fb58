/**
 * One HTTP server for all emulated services: the JSON protocols are told apart by their `X-Amz-Target` header, the REST ones by their
 * path. Signatures are not checked: it listens on the loopback address only.
 */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Log } from "../../shared/runtime/log.ts";
import { type Input, isInput } from "./input.ts";
import { ServiceError, serializationError } from "./service-error.ts";

/** A service with the AWS JSON 1.1 protocol. An operation's answer is its output, or a {@link ServiceError} thrown. */
export interface JsonService {
  /** What stands before the dot in `X-Amz-Target`, such as `Logs_20140328`. */
  readonly target: string;
  readonly operations: Readonly<Record<string, (input: Input) => unknown>>;
}

export interface RestRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface RestResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A service with a REST protocol: undefined when the path is not one of its own. */
export interface RestService {
  handle(request: RestRequest): Promise<RestResponse> | undefined;
}

/** A service that reads and answers by itself, because what passes may be larger than memory. */
export interface StreamService {
  handles(path: string): boolean;
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export interface AwsServer {
  /** `http://127.0.0.1:PORT`, for `AWS_ENDPOINT_URL` and `--endpoint-url`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Largest request body; the largest that any emulated service takes is a part of a layer, 10 MiB in Base64. */
const bodyLimit = 16 * 1_024 * 1_024;

/** @param options.port 0 for any free one */
export async function startAwsServer(options: {
  readonly port: number;
  readonly services: readonly JsonService[];
  readonly rest?: readonly RestService[];
  readonly streams?: readonly StreamService[];
  readonly log: Log;
}): Promise<AwsServer> {
  const byTarget = new Map(options.services.map((service) => [service.target, service]));
  const server = createServer((request, response) => {
    const path = request.url?.split("?")[0] ?? "/";
    const streaming = options.streams?.find((service) => service.handles(path));
    if (streaming) {
      streaming.handle(request, response).catch((error: unknown) => {
        options.log.error("emulated service failed", { error });
        response.destroy();
      });
      return;
    }
    answer(request, byTarget, options.rest ?? [], options.log)
      .then((result) => send(response, result))
      .catch((error: unknown) => {
        options.log.error("emulated service failed", { error });
        send(response, failure(new ServiceError("ServerException", "An internal error occurred.", 500)));
      });
  });
  // SDK clients keep connections for a while: a server that closes them first makes their next request fail.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  services: ReadonlyMap<string, JsonService>,
  rest: readonly RestService[],
  log: Log,
): Promise<RestResponse> {
  const body = await read(request);
  if (body === undefined) return failure(new ServiceError("RequestEntityTooLargeException", "The request body is too large.", 413));
  const target = request.headers["x-amz-target"];
  if (typeof target === "string") return json(services, target, body, log);
  const url = new URL(request.url ?? "/", "http://localhost");
  const asked = { method: request.method ?? "GET", path: url.pathname, query: url.searchParams, headers: request.headers, body };
  for (const service of rest) {
    const answering = service.handle(asked);
    if (answering) return answering.catch((error: unknown) => failure(asServiceError(error, `${asked.method} ${asked.path}`, log)));
  }
  return failure(new ServiceError("UnknownOperationException", "No emulated service has this path.", 404));
}

async function json(services: ReadonlyMap<string, JsonService>, target: string, body: Buffer, log: Log): Promise<RestResponse> {
  const dot = target.indexOf(".");
  const operation = services.get(target.slice(0, dot))?.operations;
  const name = target.slice(dot + 1);
  try {
    if (!operation || !Object.hasOwn(operation, name)) throw new ServiceError("UnknownOperationException", "");
    const output = await operation[name]?.(parse(body));
    return { status: 200, headers: { "Content-Type": "application/x-amz-json-1.1" }, body: JSON.stringify(output ?? {}) };
  } catch (error) {
    return failure(asServiceError(error, target, log));
  }
}

function parse(body: Buffer): Input {
  let value: unknown;
  try {
    value = body.length === 0 ? {} : JSON.parse(body.toString("utf8"));
  } catch {
    throw serializationError("The request body is not JSON.");
  }
  if (!isInput(value)) throw serializationError("The request body is not a JSON object.");
  return value;
}

function asServiceError(error: unknown, operation: string, log: Log): ServiceError {
  if (error instanceof ServiceError) return error;
  log.error("emulated operation failed", { operation, error });
  return new ServiceError("ServerException", "An internal error occurred.", 500);
}

const failure = ({ type, message, status }: ServiceError): RestResponse => ({
  status,
  headers: { "Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": type },
  body: JSON.stringify({ __type: type, message }),
});

function send(response: ServerResponse, { status, headers = {}, body }: RestResponse): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "x-amzn-RequestId": randomUUID(), ...headers, "Content-Length": Buffer.byteLength(body ?? "") });
  response.end(body);
}

/** Undefined when the body is larger than the limit; the rest of it is read and dropped, so that the client sees the answer. */
async function read(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= bodyLimit) chunks.push(chunk);
  }
  return size > bodyLimit ? undefined : Buffer.concat(chunks);
}
