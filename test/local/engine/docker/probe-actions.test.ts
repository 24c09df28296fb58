import { createServer as createHttp, type IncomingHttpHeaders, type RequestListener } from "node:http";
import { createServer as createHttp2, type ServerHttp2Stream } from "node:http2";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer as createTcp, type Server } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type NetworkAction, networkCheck } from "../../../../local/engine/docker/probe-actions.ts";
import { makeAuthority, makeServerCertificate } from "../../../../local/tls/certificates.ts";

const loopback = "127.0.0.1";
const open: { close(): unknown }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function listen(server: Server | ReturnType<typeof createHttp2>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, loopback, resolve));
  open.push(server);
  return (server.address() as AddressInfo).port;
}

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createTcp();
  const port = await listen(server);
  open.length = 0;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const check = (action: NetworkAction, timeoutMs = 1_000) => networkCheck(action, loopback, timeoutMs);
const httpGet = (port: number, rest: Partial<Extract<NetworkAction, { type: "httpGet" }>> = {}): NetworkAction => ({
  type: "httpGet",
  scheme: "HTTP",
  port,
  path: "/",
  headers: [],
  ...rest,
});

describe("an HTTP probe", () => {
  const status =
    (code: number, headers: Record<string, string> = {}, body = ""): RequestListener =>
    (_request, response) =>
      response.writeHead(code, headers).end(body);

  it.each([
    { code: 200, success: true },
    { code: 204, success: true },
    { code: 399, success: true },
    { code: 400, success: false },
    { code: 500, success: false },
  ])("with status $code: $success", async ({ code, success }) => {
    const port = await listen(createHttp(status(code)));
    const result = await check(httpGet(port));
    expect(result.success).toBe(success);
    if (!success) expect(result.output).toBe(`HTTP probe failed with statuscode: ${code}`);
  });

  it("asks as the kubelet does, with the headers of the probe", async () => {
    let seen: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders } | undefined;
    const port = await listen(
      createHttp((request, response) => {
        seen = { url: request.url, headers: request.headers };
        response.end();
      }),
    );
    const headers = [
      ["Host", "shop.example"],
      ["X-Probe", "yes"],
      ["accept", ""],
    ] as const;
    await check(httpGet(port, { path: "/healthz?deep=1", headers }));
    expect(seen).toMatchObject({
      url: "/healthz?deep=1",
      headers: { host: "shop.example", "x-probe": "yes", "user-agent": "kube-probe/1.36" },
    });
    expect(seen?.headers).not.toHaveProperty("accept");
  });

  it("follows redirects on the same host", async () => {
    const port = await listen(
      createHttp((request, response) => {
        if (request.url === "/") response.writeHead(302, { Location: "/there" }).end();
        else response.writeHead(503).end();
      }),
    );
    expect(await check(httpGet(port))).toEqual({ success: false, output: "HTTP probe failed with statuscode: 503" });
  });

  it("is content with a redirect to another host", async () => {
    const port = await listen(createHttp(status(302, { Location: "http://shop.example/" })));
    expect((await check(httpGet(port))).success).toBe(true);
  });

  it("gives up after ten redirects", async () => {
    const port = await listen(createHttp(status(302, { Location: "/" })));
    expect((await check(httpGet(port))).output).toMatch(/stopped after 10 redirects$/);
  });

  it("speaks HTTPS and trusts any certificate", async () => {
    const now = new Date();
    const pair = await makeServerCertificate(await makeAuthority("somebody", now), ["somewhere.example"], now);
    const port = await listen(createHttps(pair, status(200)));
    expect((await check(httpGet(port, { scheme: "HTTPS" }))).success).toBe(true);
  });

  it("says why nobody answers", async () => {
    const port = await closedPort();
    expect(await check(httpGet(port, { path: "/ready" }))).toEqual({
      success: false,
      output: `Get "http://${loopback}:${port}/ready": dial tcp ${loopback}:${port}: connect: connection refused`,
    });
  });

  it("fails when the answer takes too long", async () => {
    const port = await listen(createHttp(() => {}));
    expect((await check(httpGet(port), 50)).output).toMatch(
      /context deadline exceeded \(Client\.Timeout exceeded while awaiting headers\)$/,
    );
  });

  it("does not read an endless body", async () => {
    const port = await listen(
      createHttp((_request, response) => {
        const more = () => response.write("x".repeat(65_536), () => setImmediate(more));
        response.on("error", () => {});
        more();
      }),
    );
    const result = await check(httpGet(port));
    expect(result.success).toBe(true);
    expect(result.output.length).toBeLessThanOrEqual(10 * 1_024);
  });
});

describe("a TCP probe", () => {
  it("succeeds where somebody listens", async () => {
    const port = await listen(createTcp());
    expect(await check({ type: "tcpSocket", port })).toEqual({ success: true, output: "" });
  });

  it("says why it cannot connect", async () => {
    const port = await closedPort();
    expect(await check({ type: "tcpSocket", port })).toEqual({
      success: false,
      output: `dial tcp ${loopback}:${port}: connect: connection refused`,
    });
  });

  it("asks the host that it names", async () => {
    const port = await listen(createTcp());
    expect((await networkCheck({ type: "tcpSocket", host: loopback, port }, "192.0.2.1", 1_000)).success).toBe(true);
  });
});

describe("a gRPC probe", () => {
  /** A server of `grpc.health.v1.Health`. @param answer status of a service, or a gRPC status code of the call */
  const health = (answer: (service: string) => { readonly status?: number; readonly code?: number }) =>
    listen(
      createHttp2().on("stream", (stream: ServerHttp2Stream) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          const service = Buffer.concat(chunks).subarray(7).toString();
          const { status, code = 0 } = answer(service);
          stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
          stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(code), "grpc-message": "oh%20no" }));
          const body = status ? Buffer.from([0x08, status]) : Buffer.alloc(0);
          stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]));
        });
      }),
    );

  it.each([
    { status: 1, result: { success: true, output: "service healthy" } },
    { status: 2, result: { success: false, output: 'service unhealthy (responded with "NOT_SERVING")' } },
    { status: 0, result: { success: false, output: 'service unhealthy (responded with "UNKNOWN")' } },
  ])("with status $status: $result.success", async ({ status, result }) => {
    const port = await health(() => ({ status }));
    expect(await check({ type: "grpc", port, service: "" })).toEqual(result);
  });

  it("asks for one service", async () => {
    const port = await health((service) => ({ status: service === "shop.v1.Cart" ? 1 : 2 }));
    expect((await check({ type: "grpc", port, service: "shop.v1.Cart" })).success).toBe(true);
  });

  it.each([
    { code: 12, output: "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)" },
    { code: 5, output: "error: health rpc probe failed: rpc error: code = 5 desc = oh no" },
  ])("says what the server says: $code", async ({ code, output }) => {
    const port = await health(() => ({ code }));
    expect(await check({ type: "grpc", port, service: "" })).toEqual({ success: false, output });
  });

  it("says why it cannot connect, and does not wait for ever", async () => {
    const port = await closedPort();
    expect((await check({ type: "grpc", port, service: "" })).output).toMatch(
      /^error: failed to connect service ".*": dial tcp .*: connect: connection refused$/,
    );
    const silent = await listen(createTcp());
    expect((await check({ type: "grpc", port: silent, service: "" }, 50)).output).toMatch(
      /^timeout: failed to connect service ".*" within 0\.05s/,
    );
  });
});
