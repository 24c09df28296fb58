/** One request to the registry and its answer, as the parts of the protocol see them. */
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import type { Repository } from "../repositories.ts";

export interface Asked {
  /** Upper case; HEAD is asked as GET, and its body is not sent. */
  readonly method: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage["headers"];
  /** To be read at most once. */
  readonly body: AsyncIterable<Buffer>;
  readonly repository: Repository;
  /** What follows the name of the collection: a digest, a tag, the id of an upload. */
  readonly reference: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  readonly body?: string | Buffer | Readable;
}

export const json = (value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 200,
  headers: { "Content-Type": "application/json", ...headers },
  body: JSON.stringify(value),
});
