/** A real kube-apiserver beside a test: the program in `test/clients/reference`, with an etcd of its own and no controllers. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { Agent, request } from "node:https";
import { Readable } from "node:stream";
import { freePort } from "./control-plane.ts";
import { referenceProgram } from "./tools.ts";

export interface ReferenceServer {
  /**
   * Sends a request as an administrator, unless its headers say who is asking.
   * @returns the answer, once its headers have arrived
   */
  ask(path: string, asking: ReferenceAsking): Promise<Response>;
  /** Ends it; resolves when it is gone and has removed its data. */
  stop(): Promise<void>;
}

export interface ReferenceAsking {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

const startTimeoutMs = 60_000;

/** Builds it where that has not been done, which takes minutes the first time; resolves when it says that it is ready. */
export async function startReferenceServer(): Promise<ReferenceServer> {
  const program = await referenceProgram();
  const port = await freePort();
  const token = randomUUID();
  // It ends with its standard input, however this process ends.
  const child = spawn(program, ["-port", String(port), "-token", token], { stdio: ["pipe", "ignore", "pipe"] });
  const output = lastOutput(child);
  // It made its certificate for this run, on loopback.
  const agent = new Agent({ keepAlive: true, rejectUnauthorized: false });

  const ask = (path: string, { method, headers = {}, body }: ReferenceAsking) =>
    new Promise<Response>((resolve, reject) => {
      // Node would send a DELETE's body without saying how long it is.
      const length = body !== undefined && { "content-length": String(Buffer.byteLength(body)) };
      const all = { authorization: `Bearer ${token}`, ...length, ...headers };
      const sending = request({ host: "127.0.0.1", port, path, method, headers: all, agent }, (incoming) => {
        const init = { status: incoming.statusCode ?? 0, headers: headersOf(incoming.rawHeaders) };
        resolve(new Response(hasBody(init.status) ? (Readable.toWeb(incoming) as ReadableStream) : null, init));
      });
      sending.once("error", reject);
      sending.end(body);
    });

  const stop = () =>
    new Promise<void>((resolve) => {
      agent.destroy();
      if (child.exitCode !== null || child.signalCode !== null) return resolve();
      child.once("exit", () => resolve());
      child.stdin?.end();
    });

  const deadline = Date.now() + startTimeoutMs;
  while (!(await isReady(ask))) {
    if (child.exitCode === null && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    await stop();
    throw new Error(`the reference server did not start:\n${output()}`);
  }
  return { ask, stop };
}

async function isReady(ask: ReferenceServer["ask"]): Promise<boolean> {
  try {
    const response = await ask("/readyz", { method: "GET" });
    await response.text();
    return response.ok;
  } catch {
    return false;
  }
}

const hasBody = (status: number): boolean => status !== 204 && status !== 304;

function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers();
  for (let index = 0; index + 1 < raw.length; index += 2) headers.append(raw[index] ?? "", raw[index + 1] ?? "");
  return headers;
}

/** What it said last: it logs much. */
function lastOutput(child: ChildProcess): () => string {
  const lines: string[] = [];
  child.stderr?.on("data", (data: Buffer) => {
    lines.push(...data.toString().split("\n"));
    lines.splice(0, lines.length - 50);
  });
  return () => lines.join("\n");
}
