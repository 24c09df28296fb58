/** Reads a gzip'd tar archive: enough of it for archives of plain files with short names. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const block = 512;
const text = (bytes: Buffer) => bytes.subarray(0, bytes.indexOf(0) < 0 ? undefined : bytes.indexOf(0)).toString();

/** Contents by path. */
export function readTarGz(path: string): Map<string, string> {
  const files = new Map<string, string>();
  const bytes = gunzipSync(readFileSync(path));
  for (let at = 0; at + block <= bytes.byteLength && bytes[at] !== 0; ) {
    const header = bytes.subarray(at, at + block);
    const size = Number.parseInt(text(header.subarray(124, 136)), 8);
    const isFile = header[156] === 0x30 || header[156] === 0;
    if (isFile) files.set(text(header.subarray(0, 100)), bytes.subarray(at + block, at + block + size).toString());
    at += block + Math.ceil(size / block) * block;
  }
  return files;
}
