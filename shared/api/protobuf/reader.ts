/** Reads protobuf's wire format. Positions are kept by the reader; ends of nested messages by its callers. */

/** The bytes are no message of the expected kind. */
export class ProtobufError extends Error {
  override readonly name = "ProtobufError";
}

/** 0: varint, 1: eight bytes, 2: length and bytes, 5: four bytes. Groups (3, 4) are not in use. */
export type WireType = 0 | 1 | 2 | 5;

/** Below this length a loop is faster than a call into the runtime. */
const shortText = 24;

export class Reader {
  readonly bytes: Buffer;
  at = 0;
  /** How many messages stand around the current one. */
  depth = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new ProtobufError("unexpected EOF");
    return byte;
  }

  /** A varint of which at most 32 bits count: tags, lengths, int32, booleans. Higher bits are dropped. */
  varint32(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      if (shift >= 70) throw new ProtobufError("proto: integer overflow");
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  /** A signed varint. */
  varint64(): bigint {
    let low = 0;
    let high = 0n;
    for (let shift = 0; ; shift += 7) {
      if (shift >= 70) throw new ProtobufError("proto: integer overflow");
      const byte = this.#byte();
      // Seven groups of seven bits fit a double exactly.
      if (shift < 49) low += (byte & 0x7f) * 2 ** shift;
      else high |= BigInt(byte & 0x7f) << BigInt(shift);
      if (byte < 0x80) return high === 0n ? BigInt(low) : BigInt.asIntN(64, high | BigInt(low));
    }
  }

  double(): number {
    this.at += 8;
    if (this.at > this.bytes.length) throw new ProtobufError("unexpected EOF");
    return this.bytes.readDoubleLE(this.at - 8);
  }

  /** Where the length-delimited part that begins here ends; the reader stands at its first byte. */
  end(): number {
    const length = this.varint32() >>> 0;
    const end = this.at + length;
    if (end > this.bytes.length) throw new ProtobufError("unexpected EOF");
    return end;
  }

  text(): string {
    const end = this.end();
    const start = this.at;
    this.at = end;
    if (end - start > shortText) return this.bytes.toString("utf8", start, end);
    let text = "";
    for (let i = start; i < end; i++) {
      const byte = this.bytes[i] ?? 0;
      if (byte >= 0x80) return this.bytes.toString("utf8", start, end);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  base64(): string {
    const end = this.end();
    const start = this.at;
    this.at = end;
    return this.bytes.toString("base64", start, end);
  }

  skip(wireType: number): void {
    switch (wireType) {
      case 0:
        while (this.#byte() >= 0x80);
        return;
      case 1:
        this.at += 8;
        break;
      case 2:
        this.at = this.end();
        return;
      case 5:
        this.at += 4;
        break;
      default:
        throw new ProtobufError(`proto: illegal wireType ${wireType}`);
    }
    if (this.at > this.bytes.length) throw new ProtobufError("unexpected EOF");
  }
}
