/** JSON values as bytes and back: compressed when that pays, exact for every number, and frozen once read. */
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";

/** Below this many bytes compression costs more than it saves. */
const worthCompressing = 300;
/** The first byte of a zstd frame; no JSON text begins with it. */
const zstdMagic = 0x28;

export function packText(text: string): Uint8Array {
  const plain = Buffer.from(text);
  if (plain.length < worthCompressing) return plain;
  const packed = zstdCompressSync(plain);
  return packed.length < plain.length ? packed : plain;
}

export function unpackText(bytes: Uint8Array): string {
  const plain = bytes[0] === zstdMagic ? zstdDecompressSync(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return plain.toString("utf8");
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
    if (JSON.isRawJSON(each)) {
      exact = true;
      return;
    }
    if (Array.isArray(each)) for (const element of each) visit(element);
    else {
      const prototype = Object.getPrototypeOf(each);
      if (prototype !== Object.prototype && prototype !== null) impure = true;
      for (const name in each) visit((each as Record<string, unknown>)[name]);
    }
    Object.freeze(each);
  };
  visit(value);
  return { exact, impure };
}
