/**
 * Writes protobuf's wire format from the end towards the beginning: when a message's length is due, its bytes are there already.
 * So everything is written in reverse: the last field first, in it the value before the tag.
 */
import type { WireType } from "./reader.ts";

/** Below this length a loop is faster than a call into the runtime. */
const shortText = 24;

export class Writer {
  #bytes = Buffer.allocUnsafe(4096);
  #at = this.#bytes.length;

  /** Bytes written so far; the difference of two is a length. */
  get size(): number {
    return this.#bytes.length - this.#at;
  }

  finish(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(this.#at));
  }

  #reserve(count: number): void {
    if (this.#at >= count) return;
    const size = this.size;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, size + count + 1024));
    this.#bytes.copy(larger, larger.length - size, this.#at);
    this.#bytes = larger;
    this.#at = larger.length - size;
  }

  tag(number: number, wireType: WireType): void {
    this.varint(number * 8 + wireType);
  }

  /** @param value an integer between 0 and 2^53 */
  varint(value: number): void {
    this.#reserve(10);
    if (value < 0x80) {
      this.#bytes[--this.#at] = value;
      return;
    }
    let length = 1;
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 128)) length++;
    this.#at -= length;
    let rest = value;
    for (let i = 0; i < length; i++) {
      this.#bytes[this.#at + i] = (rest % 128) | (i + 1 < length ? 0x80 : 0);
      rest = Math.floor(rest / 128);
    }
  }

  /** A signed integer; negative ones take ten bytes. */
  integer(value: number | bigint): void {
    if (typeof value === "number" && value >= 0 && Number.isSafeInteger(value)) {
      this.varint(value);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    const groups: number[] = [];
    do {
      groups.push(Number(rest & 0x7fn));
      rest >>= 7n;
    } while (rest > 0n);
    this.#reserve(10);
    this.#at -= groups.length;
    for (const [i, group] of groups.entries()) this.#bytes[this.#at + i] = group | (i + 1 < groups.length ? 0x80 : 0);
  }

  double(value: number): void {
    this.#reserve(8);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** The length of what was written since `size` was `before`. */
  lengthSince(before: number): void {
    this.varint(this.size - before);
  }

  text(text: string): void {
    const before = this.size;
    if (!this.#shortAscii(text)) {
      const length = Buffer.byteLength(text);
      this.#reserve(length);
      this.#at -= length;
      this.#bytes.write(text, this.#at, length, "utf8");
    }
    this.lengthSince(before);
  }

  #shortAscii(text: string): boolean {
    const { length } = text;
    if (length > shortText) return false;
    this.#reserve(length);
    const start = this.#at - length;
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) return false;
      this.#bytes[start + i] = code;
    }
    this.#at = start;
    return true;
  }

  base64(text: string): void {
    this.raw(Buffer.from(text, "base64"));
  }

  /** Bytes with their length. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
    this.varint(bytes.length);
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#at -= bytes.length;
    this.#bytes.set(bytes, this.#at);
  }
}
