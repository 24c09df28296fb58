import type { IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import middy from "@middy/core";
import { executionModeStreamifyResponse } from "@middy/core/executionModeStreamifyResponse";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installAwsLambda, type StreamingHandler } from "../../../local/gateway/awslambda.ts";
import { Refusal } from "../../../local/gateway/refusal.ts";
import type { ResponseStream } from "../../../local/gateway/response-stream.ts";
import { type Gateway, startGateway } from "../../../local/gateway/start-gateway.ts";
import { makeAuthority, makeServerCertificate } from "../../../local/tls/certificates.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { answerEvent, type StreamingResult } from "../../../shared/server/lambda.ts";
import { testServer } from "../../support/test-server.ts";

installAwsLambda();

/** What a function does with an event. */
type Behaviour = (event: APIGatewayProxyEvent, context: Context, raw: ResponseStream) => unknown;

let behaviour: Behaviour = () => {};
let gateway: Gateway;
const authority = await makeAuthority("gateway test", new Date());
const tls = await makeServerCertificate(authority, ["127.0.0.1"], new Date());
const ca = authority.cert;

const viaMiddy = middy<APIGatewayProxyEvent, StreamingResult>({ executionMode: executionModeStreamifyResponse }).handler(
  (event: APIGatewayProxyEvent, context: Context) => behaviour(event, context, undefined as never) as StreamingResult,
);
let handler: unknown = viaMiddy;

beforeAll(async () => {
  const chosen = (globalThis as any).awslambda.streamifyResponse((event: unknown, raw: ResponseStream, context: Context) =>
    (handler as StreamingHandler)(event, raw, context),
  );
  gateway = await startGateway({ handler: chosen, host: "127.0.0.1", port: 0, tls, log: silentLog });
});
afterAll(() => gateway.close());

/** An answer as it comes: the head is there, the body is not read yet. */
function open(path: string, { body, ...options }: RequestOptions & { body?: string | Buffer } = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest({ host: "127.0.0.1", port: gateway.port, path, ca, agent: false, ...options }, resolve);
    request.once("error", reject);
    request.end(body);
  });
}

async function ask(path: string, options: RequestOptions & { body?: string | Buffer } = {}) {
  const response = await open(path, options);
  return { status: response.statusCode, headers: response.headers, rawHeaders: response.rawHeaders, body: await text(response) };
}

/** Answers with the event that it got. */
const echo: Behaviour = (event) => ({ statusCode: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(event) });
const eventFor = async (path: string, options: RequestOptions & { body?: string | Buffer } = {}): Promise<APIGatewayProxyEvent> => {
  behaviour = echo;
  return JSON.parse((await ask(path, options)).body);
};
/** The middy handler is what serves, unless a test brings a handler of its own. */
async function serving<T>(raw: Behaviour, use: () => Promise<T>): Promise<T> {
  handler = (event: APIGatewayProxyEvent, stream: ResponseStream, context: Context) => raw(event, context, stream);
  try {
    return await use();
  } finally {
    handler = viaMiddy;
  }
}

describe("a request becomes an event", () => {
  it("path and query decoded once, names and values repeated", async () => {
    const event = await eventFor("/api/v1/namespaces/a%20b/pods?labelSelector=a%3Db&labelSelector=c&limit=5");
    expect(event).toMatchObject({
      httpMethod: "GET",
      path: "/api/v1/namespaces/a b/pods",
      resource: "/{proxy+}",
      pathParameters: { proxy: "api/v1/namespaces/a b/pods" },
      queryStringParameters: { labelSelector: "c", limit: "5" },
      multiValueQueryStringParameters: { labelSelector: ["a=b", "c"], limit: ["5"] },
      requestContext: { stage: "k", path: "/k/api/v1/namespaces/a b/pods" },
    });
    expect(await eventFor("/")).toMatchObject({ path: "/", resource: "/", pathParameters: null, multiValueQueryStringParameters: null });
  });

  it("any body is base64", async () => {
    const body = Buffer.from([0, 1, 255]);
    const event = await eventFor("/x", { method: "POST", body, headers: { "content-type": "application/json" } });
    expect([event.body, event.isBase64Encoded]).toEqual([body.toString("base64"), true]);
    expect(await eventFor("/x")).toMatchObject({ body: null, isBase64Encoded: false });
  });

  it("headers keep their case; those of the connection are dropped", async () => {
    const { multiValueHeaders } = await eventFor("/x", {
      headers: { "X-Custom": ["a", "b"], TE: "trailers", Upgrade: "websocket", Connection: "Upgrade", Authorization: "Bearer t" },
    });
    expect(multiValueHeaders).toMatchObject({ "X-Custom": ["a", "b"], Authorization: ["Bearer t"], "X-Forwarded-Proto": ["https"] });
    for (const name of ["upgrade", "connection", "te"])
      expect(Object.keys(multiValueHeaders).map((one) => one.toLowerCase())).not.toContain(name);
  });

  it("a header may override the method, as it may on AWS", async () => {
    expect((await eventFor("/x", { method: "POST", headers: { "x-http-method-override": "DELETE" } })).httpMethod).toBe("DELETE");
  });
});

describe("trap 16: what the gateway refuses itself is a Status", () => {
  it.each([
    { status: 429, reason: "TooManyRequests" },
    { status: 503, reason: "ServiceUnavailable" },
    { status: 504, reason: "Timeout" },
  ])("$status says when to come back", ({ status, reason }) => {
    const refusal = new Refusal(status, "later");
    expect(refusal.headers["retry-after"]).toBe("1");
    expect(JSON.parse(refusal.body)).toMatchObject({ code: status, reason, details: { retryAfterSeconds: 1 } });
  });

  it.each([
    { what: "a raw bar in the query", path: "/x?a|b", status: 400 },
    { what: "a semicolon in the query", path: "/x?a;b", status: 400 },
    { what: "a path that is no UTF-8", path: "/%ff", status: 400 },
    { what: "a very long URL", path: `/${"x".repeat(10_240)}`, status: 414 },
  ])("$what", async ({ path, status }) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", apiVersion: "v1", status: "Failure", code: status });
  });

  it("large headers", async () => expect((await ask("/x", { headers: { "x-large": "x".repeat(20_480) } })).status).toBe(431));

  it("large bodies: more than an invocation can carry, more than the gateway takes", async () => {
    const five = Buffer.alloc(5 * 1024 * 1024);
    expect((await ask("/x", { method: "POST", body: five })).status).toBe(413);
    const eleven = await ask("/x", { method: "POST", body: Buffer.alloc(11 * 1024 * 1024) });
    expect(JSON.parse(eleven.body)).toMatchObject({ code: 413, reason: "RequestEntityTooLarge" });
  });

  it("a function that fails before its head: 502", async () => {
    behaviour = () => {
      throw new Error("boom");
    };
    const answer = await ask("/x");
    expect([answer.status, JSON.parse(answer.body).message]).toEqual([502, "Internal server error"]);
  });

  it("a function that writes no prelude: 502", async () => {
    const answer = await serving(
      async (_event, _context, raw) => void raw.end("just text"),
      () => ask("/x"),
    );
    expect(answer.status).toBe(502);
  });
});

describe("an answer", () => {
  it("has the function's status and headers, some of them renamed", async () => {
    behaviour = () => ({
      statusCode: 401,
      headers: { "WWW-Authenticate": "Bearer", warning: '299 - "gr\u00c3\u00b6\u00c3\u009fer"', "retry-after": "1" },
      body: "no",
    });
    const { status, headers, body } = await ask("/x");
    expect([status, body]).toEqual([401, "no"]);
    expect(headers["www-authenticate"]).toBeUndefined();
    expect(headers["x-amzn-remapped-www-authenticate"]).toBe("Bearer");
    expect(headers["content-type"]).toBe("application/json");
    expect(headers["retry-after"]).toBe("1");
    expect(Buffer.from(String(headers.warning), "latin1").toString()).toBe('299 - "größer"');
  });

  it("is binary if the function says so", async () => {
    const bytes = Buffer.from([0x1f, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 255]);
    behaviour = () => ({ statusCode: 200, body: new Blob([bytes]).stream() });
    const response = await open("/x");
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(bytes);
  });

  it("starts before it is complete", async () => {
    const { promise: finished, resolve: finish } = Promise.withResolvers<void>();
    behaviour = () => ({
      statusCode: 200,
      body: new ReadableStream({
        async start(controller) {
          controller.enqueue(Buffer.from("first\n"));
          await finished;
          controller.enqueue(Buffer.from("second\n"));
          controller.close();
        },
      }),
    });
    const response = await open("/x");
    expect(response.statusCode).toBe(200);
    const [first] = await new Promise<Buffer[]>((resolve) => response.once("data", (chunk: Buffer) => resolve([chunk])));
    expect(String(first)).toBe("first\n");
    finish();
    expect(await text(response)).toBe("second\n");
  });

  it("sends its head at once, even when nothing follows for a while", async () => {
    behaviour = () => ({ statusCode: 200, body: new ReadableStream({ pull: () => new Promise(() => {}) }) });
    const response = await open("/x");
    expect(response.statusCode).toBe(200);
    response.destroy();
  });

  it("may arrive in any pieces", async () => {
    const wire = Buffer.concat([Buffer.from('{"statusCode":202,"headers":{"x-a":"b"}}'), Buffer.alloc(8), Buffer.from("\0\0body")]);
    const answer = await serving(
      async (_event, _context, raw) => {
        for (const byte of wire) raw.write(Buffer.from([byte]));
        raw.end();
      },
      () => ask("/x"),
    );
    expect([answer.status, answer.headers["x-a"], answer.body]).toEqual([202, "b", "\0\0body"]);
  });

  it("tells the function how much time it has", async () => {
    let remaining = 0;
    behaviour = (_event, context) => {
      remaining = context.getRemainingTimeInMillis();
      return { statusCode: 204, body: "" };
    };
    await ask("/x");
    expect(remaining).toBeGreaterThan(14 * 60_000);
    expect(remaining).toBeLessThanOrEqual(15 * 60_000);
  });
});

describe("a client that goes away", () => {
  it("ends the function's output, so that an abandoned watch costs nothing", async () => {
    const cancelled = new Promise<void>((resolve) => {
      const { server } = testServer();
      behaviour = async (event, context) =>
        answerEvent(
          event,
          () => context.getRemainingTimeInMillis(),
          async (request, options) => {
            const response = await server.fetch(request, options);
            const [kept, watched] = [response.body, response.headers];
            const body = new ReadableStream({
              pull: () => new Promise(() => {}),
              cancel: () => {
                void kept?.cancel();
                resolve();
              },
            });
            return new Response(body, { status: response.status, headers: watched });
          },
        );
    });
    const response = await open("/api/v1/pods?watch=true", { headers: { authorization: "Bearer admin" } });
    expect(response.statusCode).toBe(200);
    response.destroy();
    await cancelled;
  });
});

describe("the server behind the gateway", () => {
  const { server } = testServer();
  const serve: Behaviour = (event, context) =>
    answerEvent(
      event,
      () => context.getRemainingTimeInMillis(),
      (request, options) => server.fetch(request, options),
    );
  const admin = { authorization: "Bearer admin" };

  it("serves a write and a read", async () => {
    behaviour = serve;
    const body = JSON.stringify({ metadata: { name: "x" }, data: { a: "ü" } });
    const made = await ask("/api/v1/namespaces/ns/configmaps", {
      method: "POST",
      body,
      headers: { ...admin, "content-type": "application/json" },
    });
    expect(made.status).toBe(201);
    expect(JSON.parse((await ask("/api/v1/namespaces/ns/configmaps/x", { headers: admin })).body).data).toEqual({ a: "ü" });
  });

  it.each(["/api/../healthz", "/api/%2e%2e/healthz", "/api//v1", "/api/v1/namespaces/a%2Fb/pods", "/api/v1/namespaces/a%252Fb/pods"])(
    "%s is not another path",
    async (path) => {
      behaviour = serve;
      const { status } = await ask(path, { headers: admin });
      expect([400, 404]).toContain(status);
    },
  );

  it("refuses an overridden method", async () => {
    behaviour = serve;
    const answer = await ask("/api/v1/namespaces/ns/configmaps/x", {
      method: "POST",
      headers: { ...admin, "x-http-method-override": "DELETE" },
    });
    expect(answer.status).toBe(400);
  });

  it("answers a request for a WebSocket like any other", async () => {
    behaviour = serve;
    const head = await new Promise<string>((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: gateway.port, ca }, () =>
        socket.write(
          "GET /api/v1/namespaces/ns/pods/p/exec HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer admin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        ),
      );
      socket.once("data", (chunk) => {
        resolve(chunk.toString());
        socket.destroy();
      });
      socket.once("error", reject);
    });
    expect(head).toMatch(/^HTTP\/1\.1 405 /);
  });
});

it("a handler that was loaded too early is refused", async () => {
  await expect(startGateway({ handler: () => {}, host: "127.0.0.1", port: 0, tls, log: silentLog })).rejects.toThrow("installAwsLambda");
});

it("closing ends what is open", async () => {
  const endless = (globalThis as any).awslambda.streamifyResponse(async (_event: unknown, raw: ResponseStream) => {
    const out = (globalThis as any).awslambda.HttpResponseStream.from(raw, { statusCode: 200 });
    out.write("");
    await new Promise<void>((resolve) => out.once("close", resolve));
  });
  const other = await startGateway({ handler: endless, host: "127.0.0.1", port: 0, tls, log: silentLog });
  const response = await new Promise<IncomingMessage>((resolve) => {
    httpsRequest({ host: "127.0.0.1", port: other.port, ca, agent: false }, resolve).end();
  });
  const ended = new Promise<void>((resolve) => response.once("close", () => resolve()).on("error", () => {}));
  await other.close();
  await ended;
});

describe("a gateway for this machine only", () => {
  it("hears nobody who comes from another address", async () => {
    const chosen = (globalThis as any).awslambda.streamifyResponse((event: unknown, raw: ResponseStream, context: Context) =>
      (handler as StreamingHandler)(event, raw, context),
    );
    const closed = await startGateway({ handler: chosen, host: "127.0.0.1", port: 0, tls, fromHereOnly: true, log: silentLog });
    behaviour = () => ({ statusCode: 200, body: "hello" });
    try {
      expect((await open("/", { port: closed.port })).statusCode).toBe(200);
      // All of 127.0.0.0/8 is this machine; to the gateway it is another one.
      await expect(open("/", { port: closed.port, localAddress: "127.0.0.2" })).rejects.toThrow(/ECONNRESET|socket hang up|disconnected/u);
    } finally {
      await closed.close();
    }
  });
});
