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
  /** Address of a relay (`relay-program.ts`): only it is heard, and it says for whom it asks. */
  readonly relay?: string;
  readonly log: Log;
}): Promise<DnsServer> {
  const { address, resolver, serves, relay, log } = options;
  const isHeard = (sender: string) => (relay === undefined ? serves(sender) : sender === relay);
  const connections = new Set<Socket>();
  const tcp = createServer((socket) => {
    connections.add(socket);
    socket.on("close", () => connections.delete(socket));
    socket.on("error", () => socket.destroy());
    socket.setTimeout(idleMs, () => socket.destroy());
    const sender = socket.remoteAddress ?? "";
    if (isHeard(sender)) serveConnection(socket, relay === undefined ? sender : undefined, serves, resolver);
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
  udp.on("message", (message, { address: sender, port: senderPort }) => {
    if (!isHeard(sender)) return;
    const client = relay === undefined ? sender : addressIn(message);
    const query = relay === undefined ? message : message.subarray(addressBytes);
    if (!serves(client)) return;
    void (async () => {
      const answer = await resolver.resolve(query, client, "udp");
      // Whoever is gone does not want it any more.
      if (answer) udp.send(answer, senderPort, sender, () => {});
    })();
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

const addressBytes = 4;
/** The address that a relay puts before what it hands on. */
const addressIn = (bytes: Buffer): string => bytes.subarray(0, addressBytes).join(".");

/**
 * Questions may follow each other on one connection; each is answered after its length.
 * @param known the client, unless a relay says at the beginning who it is
 */
function serveConnection(socket: Socket, known: string | undefined, serves: (client: string) => boolean, resolver: Resolver): void {
  let rest = Buffer.alloc(0);
  let client = known;
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    if (client === undefined) {
      if (rest.length < addressBytes) return;
      client = addressIn(rest);
      rest = rest.subarray(addressBytes);
      if (!serves(client)) return void socket.destroy();
    }
    const asking = client;
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const message = Buffer.from(rest.subarray(2, 2 + rest.readUInt16BE(0)));
      rest = rest.subarray(2 + message.length);
      void (async () => {
        const answer = await resolver.resolve(message, asking, "tcp");
        if (!answer) socket.destroy();
        else if (!socket.destroyed) socket.write(framed(answer));
      })();
    }
  });
}
