/** What a streaming function writes into, and how API Gateway reads it: a JSON prelude, eight NUL bytes, the body. */
import { Writable } from "node:stream";

/** Head of an HTTP answer. */
export interface HttpPrelude {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>;
  readonly cookies?: readonly string[];
}

const separator = new Uint8Array(8);
/** The separator must come within so many bytes. */
const preludeLimit = 16 * 1024;

/** Bytes in the order in which the function wrote them. A rejected write ends the stream. */
export interface ByteSink {
  write(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

export class ResponseStream extends Writable {
  #prelude: HttpPrelude | undefined;
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    super();
    this.#sink = sink;
  }

  /** Called by `HttpResponseStream.from`. */
  usePrelude(prelude: HttpPrelude): void {
    this.#prelude = prelude;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    settle(this.#send(chunk), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    settle(
      this.#send(new Uint8Array()).then(() => this.#sink.end()),
      callback,
    );
  }

  async #send(chunk: Uint8Array): Promise<void> {
    const prelude = this.#prelude;
    this.#prelude = undefined;
    if (prelude) await this.#sink.write(Buffer.concat([Buffer.from(JSON.stringify(prelude)), separator]));
    if (chunk.byteLength > 0) await this.#sink.write(chunk);
  }
}

/** Tells a stream how its work ended. */
function settle(work: Promise<void>, callback: (error?: Error | null) => void): void {
  const [succeed, fail] = [() => callback(), (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)))];
  work.then(succeed, fail);
}

/** The function's output is not what API Gateway understands; clients get 502. */
export class MalformedOutputError extends Error {
  override readonly name = "MalformedOutputError";
}

/** Takes the function's bytes apart: the prelude once, then the body. */
export class PreludeReader {
  #head: Buffer | undefined = Buffer.alloc(0);

  /**
   * @returns the prelude when this chunk completes it, and the bytes of the body in it
   * @throws {MalformedOutputError}
   */
  read(chunk: Uint8Array): { readonly prelude?: HttpPrelude; readonly body: Uint8Array } {
    if (!this.#head) return { body: chunk };
    const all = Buffer.concat([this.#head, chunk]);
    const at = all.indexOf(separator);
    if (at < 0 || at > preludeLimit) {
      if (all.byteLength > preludeLimit) throw new MalformedOutputError(`no prelude within ${preludeLimit} bytes`);
      this.#head = all;
      return { body: new Uint8Array() };
    }
    this.#head = undefined;
    return { prelude: parsePrelude(all.subarray(0, at).toString("utf8")), body: all.subarray(at + separator.byteLength) };
  }

  /** Whether the prelude was seen. */
  get complete(): boolean {
    return this.#head === undefined;
  }
}

function parsePrelude(text: string): HttpPrelude {
  try {
    const prelude: unknown = JSON.parse(text);
    if (typeof prelude === "object" && prelude !== null) return prelude;
  } catch {
    // Not JSON: said below.
  }
  throw new MalformedOutputError("the prelude is not a JSON object");
}
