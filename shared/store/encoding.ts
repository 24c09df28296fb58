/** JSON values as bytes and back: compressed when that pays, exact for every number, and frozen once read. */
import { deflateRawSync, inflateRawSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { dictionary } from "./dictionary.ts";

/** Below this many bytes compression costs more than it saves. */
const worthCompressing = 60;
/** Up to here the window of deflate holds all of the dictionary and the text, and it makes less of them than zstd, in less time. */
const longestDeflated = 32 * 1024 - dictionary.length;
/** Longer texts have enough in common with themselves. */
const worthDictionary = 128 * 1024;
/** Objects that are being packed are short, and so is what they are packed into; the default is a page that is thrown away half empty. */
const deflating = { dictionary, level: 3, chunkSize: 2048 };

// What a packed text begins with. No JSON text begins with any of these.
const zstdMagic = 0x28;
const zstdWithDictionary = 1;
const deflateWithDictionary = 2;

export function packText(text: string): Uint8Array {
  const plain = Buffer.from(text);
  if (plain.length < worthCompressing) return plain;
  const packed = pack(plain);
  return packed.length < plain.length ? packed : plain;
}

function pack(plain: Buffer): Buffer {
  if (plain.length > worthDictionary) return zstdCompressSync(plain);
  return plain.length > longestDeflated
    ? marked(zstdWithDictionary, zstdCompressSync(plain, { dictionary }))
    : marked(deflateWithDictionary, deflateRawSync(plain, deflating));
}

function marked(mark: number, body: Buffer): Buffer {
  const packed = Buffer.allocUnsafe(body.length + 1);
  packed[0] = mark;
  packed.set(body, 1);
  return packed;
}

export function unpackText(bytes: Uint8Array): string {
  return unpack(bytes).toString("utf8");
}

function unpack(bytes: Uint8Array): Buffer {
  switch (bytes[0]) {
    case deflateWithDictionary:
      return inflateRawSync(bytes.subarray(1), { dictionary });
    case zstdWithDictionary:
      return zstdDecompressSync(bytes.subarray(1), { dictionary });
    case zstdMagic:
      return zstdDecompressSync(bytes);
    default:
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
}

/** @param exact keep the text of numbers which a double would change, as `JSON.rawJSON` */
export const parseValue = (text: string, exact: boolean): unknown => (exact ? JSON.parse(text, keepNumbers) : JSON.parse(text));

const keepNumbers = (_name: string, value: unknown, context?: { readonly source?: string }): unknown =>
  typeof value === "number" && context?.source !== undefined && JSON.stringify(value) !== context.source
    ? JSON.rawJSON(context.source)
    : value;

/** What a value holds beyond plain JSON. */
export interface Traits {
  /** `JSON.rawJSON` numbers. */
  readonly exact: boolean;
  /** Something that its JSON text would not bring back, such as a member that is undefined. */
  readonly impure: boolean;
}

/** Freezes a value all the way down, and tells what it is made of. */
export function deepFreeze(value: unknown): Traits {
  let exact = false;
  let impure = false;
  const visit = (each: unknown): void => {
    if (typeof each !== "object" || each === null) {
      if (each === undefined || typeof each === "function" || typeof each === "symbol") impure = true;
      else if (typeof each === "number" && (!Number.isFinite(each) || Object.is(each, -0))) impure = true;
      return;
    }
    if (Array.isArray(each)) for (let index = 0; index < each.length; index++) visit(each[index]);
    else {
      const prototype = Object.getPrototypeOf(each);
      if (prototype !== Object.prototype) {
        if (JSON.isRawJSON(each)) {
          exact = true;
          return;
        }
        if (prototype !== null) impure = true;
      }
      for (const name in each) {
        const member = (each as Record<string, unknown>)[name];
        // Most members are texts, which are what they are.
        if (typeof member !== "string") visit(member);
      }
    }
    Object.freeze(each);
  };
  visit(value);
  return { exact, impure };
}
