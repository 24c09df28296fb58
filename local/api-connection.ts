/** A small client of the Kubernetes API over HTTPS, for the demo and the benchmarks: a kubeconfig, JSON, and connections kept open. */
import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { Agent, request } from "node:https";
import { createInterface } from "node:readline";
import { parse } from "yaml";

export interface ApiAnswer {
  readonly status: number;
  readonly body: string;
}

export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" | "ERROR";
  readonly object: T;
}

export interface ApiConnection {
  call(method: string, path: string, body?: object, contentType?: string): Promise<ApiAnswer>;
  /** The parsed body. @throws {Error} with the server's message unless the answer is a success */
  json<T>(method: string, path: string, body?: object, contentType?: string): Promise<T>;
  /** Events until the signal aborts or the server ends the watch. */
  watch<T>(path: string, signal: AbortSignal): AsyncGenerator<WatchEvent<T>>;
  close(): void;
}

/** @param kubeconfig file with one cluster and one user with a token, as Binnacle writes it */
export function connectApi(kubeconfig: string): ApiConnection {
  const config = parse(readFileSync(kubeconfig, "utf8"));
  const { server, "certificate-authority-data": ca } = config.clusters[0].cluster;
  const { hostname, port } = new URL(server);
  const agent = new Agent({ keepAlive: true, maxSockets: 32, ca: Buffer.from(ca, "base64") });
  const authorization = `Bearer ${config.users[0].user.token}`;

  const send = (method: string, path: string, body?: object, contentType = "application/json", signal?: AbortSignal) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const text = body && JSON.stringify(body);
      const headers = { authorization, ...(text && { "content-type": contentType, "content-length": Buffer.byteLength(text) }) };
      const sent = request({ agent, hostname, port, method, path, headers, ...(signal && { signal }) }, resolve);
      sent.on("error", reject);
      sent.end(text);
    });

  const call: ApiConnection["call"] = async (method, path, body, contentType) => {
    const response = await send(method, path, body, contentType);
    const parts: Buffer[] = [];
    for await (const part of response) parts.push(part as Buffer);
    return { status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() };
  };

  return {
    call,
    async json<T>(method: string, path: string, body?: object, contentType?: string): Promise<T> {
      const answer = await call(method, path, body, contentType);
      const value = JSON.parse(answer.body);
      if (answer.status >= 300) throw new Error(`${method} ${path}: ${value.message ?? answer.status}`);
      return value as T;
    },
    async *watch<T>(path: string, signal: AbortSignal) {
      try {
        const response = await send("GET", path, undefined, undefined, signal);
        for await (const line of createInterface({ input: response, signal })) yield JSON.parse(line) as WatchEvent<T>;
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    },
    close: () => agent.destroy(),
  };
}
