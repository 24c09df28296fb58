/** An HTTP request as the event that a REST API with Lambda proxy integration makes of it, refusals included. */
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { Refusal } from "./refusal.ts";

/** @see https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html */
export const limits = {
  payloadBytes: 10 * 1024 * 1024,
  /** Of an invocation's event: Lambda's own limit, which base64 reaches first. */
  eventBytes: 6 * 1024 * 1024,
  urlCharacters: 10_240,
  headerBytes: 20_480,
} as const;

/** Dropped or replaced on the way in. @see …/developerguide/api-gateway-known-issues.html */
const droppedHeaders = new Set([
  "connection",
  "content-length",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export interface EventOptions {
  /** `HOST:PORT` of the API, whatever the client called it. */
  readonly host: string;
  readonly stage: string;
  readonly now: Date;
}

/** @throws {Refusal} for what API Gateway answers itself */
export function proxyEvent(request: IncomingMessage, body: Buffer, { host, stage, now }: EventOptions): APIGatewayProxyEvent {
  const target = request.url ?? "/";
  checkTarget(target, request.rawHeaders);
  const [rawPath = "/", rawQuery = ""] = splitOnce(target, "?");
  const path = decodeOnce(rawPath);
  const query = parseQuery(rawQuery);
  const multiValueHeaders = headersOf(request);
  multiValueHeaders.Host = [host];
  multiValueHeaders["X-Forwarded-For"] = [request.socket.remoteAddress ?? ""];
  multiValueHeaders["X-Forwarded-Proto"] = ["https"];
  const override = request.headers["x-http-method-override"];
  const event: APIGatewayProxyEvent = {
    resource: path === "/" ? "/" : "/{proxy+}",
    path,
    httpMethod: (typeof override === "string" ? override : request.method) ?? "GET",
    headers: lastOf(multiValueHeaders),
    multiValueHeaders,
    queryStringParameters: query && lastOf(query),
    multiValueQueryStringParameters: query,
    pathParameters: path === "/" ? null : { proxy: path.slice(1) },
    stageVariables: null,
    requestContext: requestContext(request, { host, stage, now }, path),
    body: body.byteLength > 0 ? body.toString("base64") : null,
    isBase64Encoded: body.byteLength > 0,
  };
  if (Buffer.byteLength(JSON.stringify(event)) > limits.eventBytes) throw new Refusal(413, "Request Too Long");
  return event;
}

function checkTarget(target: string, rawHeaders: readonly string[]): void {
  if (target.length > limits.urlCharacters) throw new Refusal(414, "Request URI is too long");
  if (rawHeaders.reduce((sum, text) => sum + Buffer.byteLength(text), 0) > limits.headerBytes)
    throw new Refusal(431, "Request headers are too long");
  const query = splitOnce(target, "?")[1] ?? "";
  if (/[;|{}]/.test(query)) throw new Refusal(400, "Bad Request: the query string contains characters that must be percent-encoded");
}

const splitOnce = (text: string, separator: string): string[] => {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
};

function decodeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, "Bad Request: the URL is not percent-encoded UTF-8");
  }
}

function parseQuery(raw: string): Record<string, string[]> | null {
  if (raw === "") return null;
  const result: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(raw)) (result[name] ??= []).push(value);
  return result;
}

/** Header names as the client wrote them: REST APIs keep their case. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    if (!droppedHeaders.has(name.toLowerCase())) (result[name] ??= []).push(rawHeaders[index + 1] ?? "");
  }
  return result;
}

const lastOf = (values: Readonly<Record<string, readonly string[]>>): Record<string, string> =>
  Object.fromEntries(Object.entries(values).map(([name, all]) => [name, all.at(-1) ?? ""]));

function requestContext(
  request: IncomingMessage,
  { host, stage, now }: EventOptions,
  path: string,
): APIGatewayProxyEvent["requestContext"] {
  return {
    accountId: "000000000000",
    apiId: "local",
    authorizer: null,
    protocol: `HTTP/${request.httpVersion}`,
    httpMethod: request.method ?? "GET",
    identity: {
      accessKey: null,
      accountId: null,
      apiKey: null,
      apiKeyId: null,
      caller: null,
      clientCert: null,
      cognitoAuthenticationProvider: null,
      cognitoAuthenticationType: null,
      cognitoIdentityId: null,
      cognitoIdentityPoolId: null,
      principalOrgId: null,
      sourceIp: request.socket.remoteAddress ?? "",
      user: null,
      userAgent: request.headers["user-agent"] ?? null,
      userArn: null,
    },
    path: `/${stage}${path}`,
    stage,
    requestId: randomUUID(),
    requestTime: now.toUTCString(),
    requestTimeEpoch: now.getTime(),
    resourceId: "local",
    resourcePath: path === "/" ? "/" : "/{proxy+}",
    domainName: host,
  };
}
