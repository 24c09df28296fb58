/** Between API Gateway's REST proxy events and web-standard requests and responses. */
import { Readable } from "node:stream";
import type { ReadableStream as NodeReadableStream } from "node:stream/web";
import { badRequest, StatusError } from "../errors/status-error.ts";
import { statusResponse } from "./errors.ts";

/** What is used of a REST API's Lambda proxy event (payload version 1.0). */
export interface ProxyEvent {
  readonly httpMethod: string;
  /** Decoded once by API Gateway, without the stage. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
  /** Names and values decoded once. */
  readonly multiValueQueryStringParameters?: Readonly<Record<string, readonly string[] | undefined>> | null;
  readonly body: string | null;
  readonly isBase64Encoded: boolean;
}

/** What a streaming handler returns: the head in one piece, the body as it comes. */
export interface StreamingResult {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readable | string;
}

/**
 * The event as the request that API Gateway received.
 * @throws {StatusError} BadRequest when path, headers or method could be read in two ways
 */
export function toRequest(event: ProxyEvent): Request {
  const headers = toHeaders(event);
  // Whoever may GET could else DELETE: the gateway acts on this header, so what was authorised would not be what was asked.
  if (headers.has("x-http-method-override")) throw badRequest("the header X-HTTP-Method-Override is not supported");
  const body = toBody(event);
  try {
    return new Request(`https://${headers.get("host") ?? "localhost"}${encodePath(event.path)}${encodeQuery(event)}`, {
      method: event.httpMethod,
      headers,
      ...(body && { body }),
    });
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw badRequest("the request cannot be read as an HTTP request", error);
  }
}

function toHeaders({ headers, multiValueHeaders }: ProxyEvent): Headers {
  const result = new Headers();
  const entries = multiValueHeaders
    ? Object.entries(multiValueHeaders).flatMap(([name, values]) => (values ?? []).map((value) => [name, value] as const))
    : Object.entries(headers ?? {});
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    try {
      result.append(name, Buffer.from(value, "utf8").toString("latin1"));
    } catch (error) {
      throw badRequest(`the header ${JSON.stringify(name)} has a value that is not allowed`, error);
    }
  }
  return result;
}

/** Segments keep their place: what was decoded is encoded again, so that the server decodes exactly once. */
function encodePath(path: string): string {
  const segments = path.split("/");
  // A URL drops such segments before anybody sees them, and then the path is another one.
  if (segments.some((segment) => segment === "." || segment === ".."))
    throw badRequest("the request path is not usable: it has a dot segment");
  return segments.map((segment) => encodeURIComponent(segment)).join("/");
}

function encodeQuery({ multiValueQueryStringParameters: parameters }: ProxyEvent): string {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(parameters ?? {})) for (const value of values ?? []) query.append(name, value);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}

function toBody({ httpMethod, body, isBase64Encoded }: ProxyEvent): Uint8Array<ArrayBuffer> | undefined {
  if (body === null || body === "" || httpMethod === "GET" || httpMethod === "HEAD") return undefined;
  return Uint8Array.from(Buffer.from(body, isBase64Encoded ? "base64" : "utf8"));
}

/** A response in the form which the streaming execution mode of middy writes out. */
export function toStreamingResult(response: Response): StreamingResult {
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers),
    // A Node stream, because destroying it cancels what feeds it; the web stream would be read on until its next chunk.
    body: response.body ? Readable.fromWeb(response.body as NodeReadableStream<Uint8Array>, { highWaterMark: 0 }) : "",
  };
}

/** One event answered, whatever happens. */
export async function answerEvent(
  event: ProxyEvent,
  remainingMs: () => number,
  fetch: (request: Request, options: { readonly remainingMs: () => number }) => Promise<Response>,
): Promise<StreamingResult> {
  let request: Request;
  try {
    request = toRequest(event);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return toStreamingResult(statusResponse(error.toStatus()));
  }
  return toStreamingResult(await fetch(request, { remainingMs }));
}
