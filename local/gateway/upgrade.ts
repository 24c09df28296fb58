/**
 * Requests that ask for another protocol. Watches can be had as WebSocket messages, one event each; everything else is answered like any
 * other request, as a REST API does, which drops the header and goes on.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import { type Duplex, Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { APIGatewayProxyEvent } from "aws-lambda";
import { type WebSocket, WebSocketServer } from "ws";

/** The protocol by which browsers, which cannot set headers here, hand over a token. */
const tokenProtocol = "base64url.bearer.authorization.k8s.io.";

/** Messages from clients of a watch are nobody's business. */
const maxPayload = 4 * 1024;

const sockets = new WebSocketServer({
  noServer: true,
  maxPayload,
  // The token is no protocol to speak.
  handleProtocols: (offered) => [...offered].find((protocol) => !protocol.startsWith(tokenProtocol)) ?? false,
});

export const isWatchOverWebSocket = ({ method, url = "", headers }: IncomingMessage): boolean =>
  method === "GET" && headers.upgrade?.toLowerCase() === "websocket" && /[?&]watch=(?!0(&|$)|false(&|$))/.test(url);

/** The event without what only this hop is about, and with the token that the protocols may carry. */
export function withoutUpgrade(event: APIGatewayProxyEvent, request: IncomingMessage): APIGatewayProxyEvent {
  const kept = <T>(headers: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(headers).filter(([name]) => !name.toLowerCase().startsWith("sec-websocket-")));
  const token = tokenInProtocols(request);
  return {
    ...event,
    headers: { ...kept(event.headers), ...(token !== undefined && { Authorization: token }) },
    multiValueHeaders: { ...kept(event.multiValueHeaders), ...(token !== undefined && { Authorization: [token] }) },
  };
}

function tokenInProtocols({ headers }: IncomingMessage): string | undefined {
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim());
  const encoded = offered.find((protocol) => protocol.startsWith(tokenProtocol))?.slice(tokenProtocol.length);
  return encoded === undefined ? undefined : `Bearer ${Buffer.from(encoded, "base64url").toString()}`;
}

/** What an invocation writes its answer to. */
export type Answer = Pick<ServerResponse, "setHeader" | "hasHeader" | "writeHead" | "headersSent"> & Writable;

/**
 * An answer on a connection that asked for an upgrade.
 * @param head what the client sent after its request already
 */
export function upgradeAnswer(request: IncomingMessage, socket: Duplex, head: Buffer): Answer {
  return new UpgradeAnswer(request, socket, head) as unknown as Answer;
}

class UpgradeAnswer extends Writable {
  readonly #request: IncomingMessage;
  readonly #socket: Duplex;
  readonly #head: Buffer;
  readonly #headers = new Map<string, string>();
  #webSocket: WebSocket | undefined;
  readonly #text = new StringDecoder();
  /** The beginning of an event whose end has not come yet. */
  #rest = "";
  headersSent = false;

  constructor(request: IncomingMessage, socket: Duplex, head: Buffer) {
    super({ decodeStrings: true });
    this.#request = request;
    this.#socket = socket;
    this.#head = head;
    socket.once("close", () => this.destroy());
    socket.on("error", () => this.destroy());
  }

  setHeader(name: string, value: string | readonly string[]): this {
    this.#headers.set(name.toLowerCase(), typeof value === "string" ? value : value.join(", "));
    return this;
  }

  hasHeader(name: string): boolean {
    return this.#headers.has(name.toLowerCase());
  }

  writeHead(status: number, headers: Readonly<Record<string, string>> = {}): this {
    for (const [name, value] of Object.entries(headers)) this.setHeader(name, value);
    this.headersSent = true;
    if (status === 200 && isWatchOverWebSocket(this.#request)) {
      sockets.handleUpgrade(this.#request, this.#socket, this.#head, (webSocket) => {
        this.#webSocket = webSocket;
        webSocket.once("close", () => this.destroy());
        webSocket.on("error", () => this.destroy());
      });
      return this;
    }
    const lines = [...this.#headers].filter(([name]) => name !== "connection" && name !== "transfer-encoding");
    this.#socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}connection: close\r\n\r\n`,
      "latin1",
    );
    return this;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (!this.#webSocket) {
      this.#socket.write(chunk, done);
      return;
    }
    const lines = `${this.#rest}${this.#text.write(chunk)}`.split("\n");
    this.#rest = lines.pop() ?? "";
    if (lines.length === 0) done();
    for (const [index, line] of lines.entries()) {
      const isLast = index === lines.length - 1;
      this.#webSocket.send(line, (error) => {
        if (isLast) done(error);
      });
    }
  }

  override _final(done: (error?: Error | null) => void): void {
    if (this.#webSocket) this.#webSocket.close(1000);
    else this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#webSocket?.terminate();
    this.#socket.destroy();
    done(error);
  }
}
