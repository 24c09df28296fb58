/** The cluster's DNS server: listens where Pods look for it, over UDP and TCP. */
import { createSocket } from "node:dgram";
import { createServer, type Socket } from "node:net";
import type { Log } from "../../shared/runtime/log.ts";
import type { Resolver } from "./resolver.ts";
import { framed } from "./upstream.ts";

export interface DnsServer {
  readonly port: number;
  close(): Promise<void>;
}

/** How long a TCP connection may say nothing. */
const idleMs = 10_000;

/**
 * @param options.serves whether a client is one of ours: others get no answer
 * @throws the error of the operating system when the address cannot be listened on
 */
export async function startDnsServer(options: {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly resolver: Resolver;
  readonly serves: (clientAddress: string) => boolean;
  readonly log: Log;
}): Promise<DnsServer> {
  const { address, resolver, serves, log } = options;
  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(idleMs, () => socket.destroy());
    const client = socket.remoteAddress ?? "";
    if (serves(client)) serveConnection(socket, client, resolver);
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    tcp.once("error", reject);
    tcp.listen({ host: address, port: options.port, exclusive: true }, resolve);
  });
  const bound = tcp.address();
  const port = typeof bound === "object" && bound ? bound.port : options.port;

  const udp = createSocket("udp4");
  try {
    await new Promise<void>((resolve, reject) => {
      udp.once("error", reject);
      udp.bind({ address, port, exclusive: true }, resolve);
    });
  } catch (error) {
    tcp.close();
    throw error;
  }
  udp.on("error", (error) => log.warn("DNS over UDP", { error }));
  tcp.on("error", (error) => log.warn("DNS over TCP", { error }));
  udp.on("message", (message, { address: client, port: clientPort }) => {
    if (!serves(client)) return;
    void resolver.resolve(message, client, "udp").then((answer) => {
      // A client that is gone does not want it any more.
      if (answer) udp.send(answer, clientPort, client, () => {});
    });
  });
  return {
    port,
    async close() {
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

/** Questions may follow each other on one connection; each is answered after its length. */
function serveConnection(socket: Socket, client: string, resolver: Resolver): void {
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const message = Buffer.from(rest.subarray(2, 2 + rest.readUInt16BE(0)));
      rest = rest.subarray(2 + message.length);
      void resolver.resolve(message, client, "tcp").then((answer) => {
        if (!answer) socket.destroy();
        else if (!socket.destroyed) socket.write(framed(answer));
      });
    }
  });
}
