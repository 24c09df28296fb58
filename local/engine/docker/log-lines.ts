/** Takes an engine's log stream apart into lines with their times. */

export interface LogLine {
  /** Milliseconds since the epoch; never less than that of the line before. */
  readonly timestamp: number;
  readonly message: string;
}

/** Longest line that is put together from parts, in bytes: an event of CloudWatch Logs holds no more. */
const maxLineBytes = 256 * 1_024 - 26;
const headerBytes = 8;
const newline = 0x0a;

interface Unfinished {
  readonly parts: Buffer[];
  bytes: number;
  timestamp: number;
}

/**
 * Collects what comes in and gives out the lines that are complete.
 *
 * Without a terminal the stream is made of frames: eight bytes (stream, length), then one time, a blank, and a piece of output. An
 * engine cuts long lines into pieces, each with a time of its own; only the last one ends with a newline. With a terminal there are
 * no frames, and each line begins with its time.
 */
export class LogLines {
  readonly #terminal: boolean;
  readonly #open = new Map<number, Unfinished>();
  #rest = Buffer.alloc(0);
  #latest = 0;

  constructor(terminal: boolean) {
    this.#terminal = terminal;
  }

  push(chunk: Uint8Array): readonly LogLine[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    return this.#terminal ? this.#rawLines() : this.#framedLines();
  }

  /** What is left when the stream has ended: lines that never got their newline. */
  end(): readonly LogLine[] {
    const lines = this.#terminal && this.#rest.length > 0 ? [this.#rawLine(this.#rest)] : [];
    for (const stream of this.#open.keys()) lines.push(...this.#finish(stream));
    this.#rest = Buffer.alloc(0);
    return lines;
  }

  #rawLines(): LogLine[] {
    const lines: LogLine[] = [];
    for (let at = this.#rest.indexOf(newline); at >= 0; at = this.#rest.indexOf(newline)) {
      lines.push(this.#rawLine(this.#rest.subarray(0, at)));
      this.#rest = this.#rest.subarray(at + 1);
    }
    return lines;
  }

  #rawLine(bytes: Buffer): LogLine {
    const { timestamp, output } = split(bytes);
    return this.#line(timestamp, output.toString("utf8").replace(/\r$/u, ""));
  }

  #framedLines(): LogLine[] {
    const lines: LogLine[] = [];
    while (this.#rest.length >= headerBytes) {
      const end = headerBytes + this.#rest.readUInt32BE(4);
      if (this.#rest.length < end) break;
      lines.push(...this.#frame(this.#rest[0] ?? 1, this.#rest.subarray(headerBytes, end)));
      this.#rest = this.#rest.subarray(end);
    }
    return lines;
  }

  #frame(stream: number, payload: Buffer): readonly LogLine[] {
    const { timestamp, output } = split(payload);
    const complete = output.at(-1) === newline;
    const text = complete ? output.subarray(0, -1) : output;
    const before = this.#open.get(stream);
    const tooLong = before !== undefined && before.bytes + text.length > maxLineBytes ? this.#finish(stream) : [];
    const open = this.#open.get(stream) ?? { parts: [], bytes: 0, timestamp };
    open.parts.push(Buffer.from(text));
    open.bytes += text.length;
    open.timestamp = timestamp;
    this.#open.set(stream, open);
    return complete ? [...tooLong, ...this.#finish(stream)] : tooLong;
  }

  #finish(stream: number): LogLine[] {
    const open = this.#open.get(stream);
    this.#open.delete(stream);
    return open ? [this.#line(open.timestamp, Buffer.concat(open.parts).toString("utf8"))] : [];
  }

  #line(timestamp: number, message: string): LogLine {
    if (timestamp > this.#latest) this.#latest = timestamp;
    return { timestamp: this.#latest, message };
  }
}

/** The time that a piece begins with, in milliseconds, and what follows it. */
function split(bytes: Buffer): { readonly timestamp: number; readonly output: Buffer } {
  const blank = bytes.indexOf(0x20);
  const timestamp = blank < 0 ? Number.NaN : Date.parse(bytes.toString("latin1", 0, blank));
  // Not one of the engine's lines: kept as it is, at the time of the line before.
  if (Number.isNaN(timestamp)) return { timestamp: 0, output: bytes };
  return { timestamp, output: bytes.subarray(blank + 1) };
}
