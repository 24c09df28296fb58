import { request as httpsRequest } from "node:https";
import { text } from "node:stream/consumers";
import middy from "@middy/core";
import { executionModeStreamifyResponse } from "@middy/core/executionModeStreamifyResponse";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { installAwsLambda } from "../../../local/gateway/awslambda.ts";
import { type Gateway, startGateway } from "../../../local/gateway/start-gateway.ts";
import { makeAuthority, makeServerCertificate } from "../../../local/tls/certificates.ts";
import { systemClock } from "../../../shared/runtime/clock.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { answerEvent, type StreamingResult } from "../../../shared/server/lambda.ts";
import { type ApiServer, apiServer } from "../../support/api-server.ts";

installAwsLambda();
const authority = await makeAuthority("gateway test", new Date());
const tls = await makeServerCertificate(authority, ["127.0.0.1"], new Date());
const ca = authority.cert;
const configMaps = "/api/v1/namespaces/default/configmaps";

const open: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function world(): Promise<{ readonly api: ApiServer; readonly gateway: Gateway }> {
  const api = await apiServer({ clock: systemClock });
  const handler = middy<APIGatewayProxyEvent, StreamingResult>({ executionMode: executionModeStreamifyResponse }).handler(
    (event: APIGatewayProxyEvent, context: Context) =>
      answerEvent(
        event,
        () => context.getRemainingTimeInMillis(),
        (request, options) => api.server.fetch(request, options),
      ),
  );
  const gateway = await startGateway({ handler, host: "127.0.0.1", port: 0, tls, log: silentLog });
  open.push(gateway);
  return { api, gateway };
}

const create = (api: ApiServer, name: string) =>
  api.ask(configMaps, { method: "POST", body: { metadata: { name }, data: { text: "größe 👻".repeat(20_000) } } });

/** The next so many messages. */
function messages(socket: WebSocket, count: number): Promise<any[]> {
  return new Promise((resolve, reject) => {
    const seen: any[] = [];
    socket.on("message", (data: Buffer, isBinary) => {
      expect(isBinary).toBe(false);
      seen.push(JSON.parse(data.toString()));
      if (seen.length === count) resolve(seen);
    });
    socket.once("error", reject);
    socket.once("close", (code) => reject(new Error(`closed with ${code} after ${seen.length} messages`)));
  });
}

const watch = (gateway: Gateway, query: string, options: object = {}, protocols: string[] = []) =>
  new WebSocket(`wss://127.0.0.1:${gateway.port}${configMaps}?watch=true${query}`, protocols, { ca, ...options });

const admin = { headers: { authorization: "Bearer admin" } };

describe("checklist 12: a watch over a WebSocket", () => {
  it("brings one event a message, from the state that is there on", async () => {
    const { api, gateway } = await world();
    await create(api, "a");
    const socket = watch(gateway, "", admin);
    const events = messages(socket, 2);
    await new Promise((resolve) => socket.once("open", resolve));
    await create(api, "b");
    expect((await events).map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ["ADDED", "a"],
      ["ADDED", "b"],
    ]);
    expect((await events)[0].object.data.text).toBe("größe 👻".repeat(20_000));
    socket.close();
  });

  it("takes a token from the protocols, as browsers have to send it", async () => {
    const { api, gateway } = await world();
    await create(api, "a");
    const token = `base64url.bearer.authorization.k8s.io.${Buffer.from("admin").toString("base64url")}`;
    const socket = watch(gateway, "", {}, [token, "base64.binary.k8s.io"]);
    expect(await messages(socket, 1)).toMatchObject([{ type: "ADDED", object: { metadata: { name: "a" } } }]);
    expect(socket.protocol).toBe("base64.binary.k8s.io");
    socket.close();
  });

  it("ends with its time, in good order", async () => {
    const { gateway } = await world();
    const socket = watch(gateway, "&timeoutSeconds=1&resourceVersion=0", admin);
    expect(await new Promise((resolve) => socket.once("close", resolve))).toBe(1000);
  });

  it("is refused like any other request", async () => {
    const { gateway } = await world();
    const status = (options: object, query = "") =>
      new Promise((resolve) =>
        watch(gateway, query, options).once("unexpected-response", (_request, { statusCode }) => resolve(statusCode)),
      );
    expect(await status({ headers: { authorization: "Bearer wrong" } })).toBe(401);
    expect(await status({})).toBe(403);
    expect(await status(admin, "&labelSelector=a%20in%20(")).toBe(400);
  });

  it("other requests for another protocol are answered as if they did not ask", async () => {
    const { gateway } = await world();
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      const headers = { ...admin.headers, connection: "upgrade", upgrade: "SPDY/3.1" };
      const request = httpsRequest(
        {
          host: "127.0.0.1",
          port: gateway.port,
          path: "/api/v1/namespaces/default/pods/p/exec",
          method: "POST",
          ca,
          agent: false,
          headers,
        },
        (response) => {
          text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
        },
      );
      request.once("error", reject);
      request.end();
    });
    expect(answer.status).toBe(405);
    expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", code: 405 });
  });

  it("where the gateway carries none, a Status says what to do instead", async () => {
    const api = await apiServer();
    expect(
      await api.json(`${configMaps}?watch=true`, { headers: { "sec-websocket-key": "x", "sec-websocket-version": "13" } }),
    ).toMatchObject({
      code: 400,
      message: expect.stringContaining("does not carry WebSockets"),
    });
  });
});
