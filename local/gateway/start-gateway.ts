/** HTTPS on this machine, answered by the real Lambda handler: what API Gateway is on AWS. */
import type { IncomingMessage } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout } from "node:timers/promises";
import type { Log } from "../../shared/runtime/log.ts";
import { isStreaming } from "./awslambda.ts";
import { invoke, refuse } from "./invocation.ts";
import { limits, proxyEvent } from "./proxy-event.ts";
import { Refusal } from "./refusal.ts";
import { type Answer, upgradeAnswer, withoutUpgrade } from "./upgrade.ts";

export interface GatewayOptions {
  /** Loaded after `installAwsLambda()`; must stream. */
  readonly handler: unknown;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** PEM. */
  readonly tls: { readonly key: string; readonly cert: string };
  readonly log: Log;
  /** Connections of other machines are closed unheard. */
  readonly fromHereOnly?: boolean;
  /** Name of the stage, as events show it. Local URLs do not carry it. */
  readonly stage?: string;
}

export interface Gateway {
  readonly port: number;
  /** Ends open answers, watches among them, and frees the port. */
  close(): Promise<void>;
}

/** Connections of clients are kept this long, as API Gateway keeps them. */
const keepAliveMs = 310_000;

/** How long functions may take to end when the gateway closes. */
const lastWordsMs = 1000;

/** @throws when the address is taken, or when the handler does not stream */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { handler, host, port, tls, log, fromHereOnly = false, stage = "k" } = options;
  if (!isStreaming(handler)) throw new TypeError("the handler does not stream: load it after installAwsLambda()");
  const running = new Set<Promise<void>>();

  const serve = async (request: IncomingMessage, response: Answer, isUpgrade: boolean): Promise<void> => {
    try {
      // What follows an upgrade's head is no body.
      const body = isUpgrade ? Buffer.alloc(0) : await readPayload(request);
      const event = proxyEvent(request, body, { host: request.headers.host ?? `${host}:${port}`, stage, now: new Date() });
      const passedOn = isUpgrade ? withoutUpgrade(event, request) : event;
      await invoke(passedOn, response, { handler, functionName: "api", log });
    } catch (error) {
      request.resume();
      if (response.destroyed || response.headersSent) {
        response.destroy();
        return;
      }
      if (!(error instanceof Refusal)) log.error("gateway failed", { error });
      refuse(response, error instanceof Refusal ? error : new Refusal(500, "Internal server error"));
    }
  };

  const server = createServer(
    { ...tls, keepAliveTimeout: keepAliveMs, maxHeaderSize: 4 * limits.headerBytes, noDelay: true },
    (request, response) => {
      const done = serve(request, response, false).finally(() => running.delete(done));
      running.add(done);
    },
  );
  const upgraded = new Set<Duplex>();
  server.on("upgrade", (request, socket, head) => {
    upgraded.add(socket);
    socket.once("close", () => upgraded.delete(socket));
    const done = serve(request, upgradeAnswer(request, socket, head), true).finally(() => running.delete(done));
    running.add(done);
  });
  // Who talks to itself has one address on both ends.
  if (fromHereOnly) server.on("connection", (socket: Socket) => socket.remoteAddress === socket.localAddress || socket.destroy());
  server.on("clientError", (_error, socket) => socket.destroy());

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      for (const socket of upgraded) socket.destroy();
      await closed;
      // Their clients are gone, which ends them; one that does not notice must not keep the gateway.
      await Promise.race([Promise.allSettled(running), setTimeout(lastWordsMs, undefined, { ref: false })]);
    },
  };
}

async function readPayload(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.byteLength;
    if (size > limits.payloadBytes) throw new Refusal(413, "Request Too Long");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}
