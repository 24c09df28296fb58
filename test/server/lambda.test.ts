import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { answerEvent, type ProxyEvent, toRequest, toStreamingResult } from "../../shared/server/lambda.ts";

const anEvent = (more: Partial<ProxyEvent> = {}): ProxyEvent => ({
  httpMethod: "GET",
  path: "/api/v1/pods",
  multiValueHeaders: { Host: ["abc.execute-api.eu-west-1.amazonaws.com"] },
  multiValueQueryStringParameters: null,
  body: null,
  isBase64Encoded: false,
  ...more,
});

describe("an event of a REST API as a request", () => {
  it("keeps the path without the stage, and encodes again what the gateway decoded", () => {
    const request = toRequest(
      anEvent({
        path: "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node ü",
        multiValueQueryStringParameters: { labelSelector: ["a in (b,c)", "x&y=z"], watch: ["true"] },
      }),
    );
    const url = new URL(request.url);
    expect(url.host).toBe("abc.execute-api.eu-west-1.amazonaws.com");
    expect(url.pathname).toBe("/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode%20%C3%BC");
    expect(url.searchParams.getAll("labelSelector")).toEqual(["a in (b,c)", "x&y=z"]);
    expect(url.searchParams.get("watch")).toBe("true");
  });

  it("decodes the body", async () => {
    const binary = toRequest(
      anEvent({ httpMethod: "POST", body: Buffer.from([0x6b, 0x38, 0x73, 0, 255]).toString("base64"), isBase64Encoded: true }),
    );
    expect(new Uint8Array(await binary.arrayBuffer())).toEqual(Uint8Array.from([0x6b, 0x38, 0x73, 0, 255]));
    expect(await toRequest(anEvent({ httpMethod: "DELETE", body: "{}" })).text()).toBe("{}");
  });

  it("keeps repeated headers, and those of an event that has them only once", () => {
    const { headers } = toRequest(anEvent({ multiValueHeaders: { Host: ["h"], Accept: ["text/html", "application/json"] } }));
    expect(headers.get("accept")).toBe("text/html, application/json");
    expect(toRequest(anEvent({ multiValueHeaders: null, headers: { Host: "h", Accept: "a/b" } })).headers.get("accept")).toBe("a/b");
  });

  it.each([
    { what: "a dot segment", event: { path: "/api/../healthz" } },
    { what: "a single dot", event: { path: "/api/./v1" } },
    { what: "an overridden method", event: { multiValueHeaders: { Host: ["h"], "X-HTTP-Method-Override": ["DELETE"] } } },
    { what: "a header of several lines", event: { multiValueHeaders: { Host: ["h"], Accept: ["a\r\nb: c"] } } },
    { what: "a method that HTTP does not know", event: { httpMethod: "TRACE" } },
  ])("refuses $what", async ({ event }) => {
    const { statusCode, body } = await answerEvent(
      anEvent(event),
      () => 1000,
      () => Promise.reject(new Error("must not be asked")),
    );
    expect(statusCode).toBe(400);
    expect(JSON.parse(await text(body as Readable))).toMatchObject({ kind: "Status", reason: "BadRequest" });
  });
});

describe("a response as a streaming result", () => {
  it("has status, headers and a stream", async () => {
    const { statusCode, headers, body } = toStreamingResult(new Response("hello", { status: 201, headers: { "x-a": "b" } }));
    expect({ statusCode, headers }).toMatchObject({ statusCode: 201, headers: { "x-a": "b" } });
    expect(await text(body as Readable)).toBe("hello");
  });

  it("without a body is an empty text", () => expect(toStreamingResult(new Response(null, { status: 304 })).body).toBe(""));

  it("cancels what feeds it when it is destroyed", async () => {
    let cancelled = false;
    const source = new ReadableStream({ pull: () => new Promise(() => {}), cancel: () => void (cancelled = true) });
    const { body } = toStreamingResult(new Response(source));
    (body as Readable).on("error", () => {}).resume();
    (body as Readable).destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(cancelled).toBe(true);
  });

  it("tells how long the function has", async () => {
    let remaining = 0;
    await answerEvent(
      anEvent(),
      () => 1234,
      async (_request, { remainingMs }) => {
        remaining = remainingMs();
        return new Response();
      },
    );
    expect(remaining).toBe(1234);
  });
});
