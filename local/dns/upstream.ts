/** Asks the machine's resolver what the cluster does not know. */
import { createSocket } from "node:dgram";
import { connect, isIP } from "node:net";

export type Transport = "udp" | "tcp";

export interface Upstream {
  /**
   * @param query a DNS message
   * @returns the answer as it came; undefined when this machine has no resolver
   * @throws {Error} when none answers
   */
  ask(query: Buffer, transport: Transport): Promise<Buffer | undefined>;
}

const port = 53;
/** How long one server is waited for; each is asked twice over UDP. */
const timeoutMs = 2_000;
const attempts = 2;

export const upstream = (options: {
  readonly nameservers: () => Promise<readonly string[]>;
  /** Of the servers. */
  readonly port?: number;
  readonly timeoutMs?: number;
}): Upstream => ({
  async ask(query, transport) {
    const nameservers = await options.nameservers();
    if (nameservers.length === 0) return undefined;
    const waitMs = options.timeoutMs ?? timeoutMs;
    let last: unknown;
    for (let attempt = 0; attempt < (transport === "udp" ? attempts : 1); attempt += 1) {
      for (const server of nameservers) {
        try {
          return await (transport === "udp" ? askUdp : askTcp)(server, options.port ?? port, query, waitMs);
        } catch (error) {
          last = error;
        }
      }
    }
    throw new Error(`no resolver of this machine answers (${nameservers.join(", ")})`, { cause: last });
  },
});

/** From a port of its own, so that answers are hard to forge. */
const askUdp = (server: string, serverPort: number, query: Buffer, waitMs: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = createSocket(isIP(server) === 6 ? "udp6" : "udp4");
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    const timer = setTimeout(() => end(() => reject(new Error(`${server} does not answer`))), waitMs);
    socket.once("error", (error) => end(() => reject(error)));
    socket.on("message", (answer) => {
      // Something else than the answer to this question.
      if (answer.length < 12 || answer.readUInt16BE(0) !== query.readUInt16BE(0)) return;
      end(() => resolve(answer));
    });
    socket.connect(serverPort, server, () => socket.send(query));
  });

const askTcp = (server: string, serverPort: number, query: Buffer, waitMs: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: server, port: serverPort });
    const chunks: Buffer[] = [];
    const end = (settle: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const timer = setTimeout(() => end(() => reject(new Error(`${server} does not answer`))), waitMs);
    socket.on("connect", () => socket.write(framed(query)));
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      const bytes = Buffer.concat(chunks);
      if (bytes.length < 2 || bytes.length < 2 + bytes.readUInt16BE(0)) return;
      end(() => resolve(bytes.subarray(2, 2 + bytes.readUInt16BE(0))));
    });
    socket.on("error", (error) => end(() => reject(error)));
    socket.on("close", () => end(() => reject(new Error(`${server} closed the connection`))));
  });

/** A message as it travels over TCP: after its length. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
