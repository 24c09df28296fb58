/**
 * The bytes of manifests and layers: one file each, named by its digest, in a folder. What is being received lies beside them until its
 * digest is known, and is forgotten when the process ends: clients begin such an upload again.
 */
import { createHash } from "node:crypto";
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { digestOf } from "./digest.ts";

/** Inclusive on both ends, in bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Content on its way in. */
export interface Incoming {
  /** Bytes received so far. */
  readonly size: number;
  /** One call at a time. What came before the chunks failed is kept. @throws whatever the chunks throw */
  append(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
  /** Of what was received so far. */
  digest(): string;
  /** Keeps it under its digest. Nothing may follow. */
  keep(): void;
  discard(): void;
}

export interface Contents {
  has(digest: string): boolean;
  /** @throws when it is not there */
  read(digest: string): Buffer;
  stream(digest: string, range?: ByteRange): Readable;
  /** @returns its digest */
  put(content: Uint8Array): string;
  receive(): Incoming;
  remove(digest: string): void;
}

/** @param folder made when it is missing */
export function openContents(folder: string): Contents {
  const incoming = join(folder, "incoming");
  rmSync(incoming, { recursive: true, force: true });
  mkdirSync(incoming, { recursive: true, mode: 0o700 });
  let received = 0;
  const temporary = () => join(incoming, String(received++));
  /** Two digits make a folder of its own, so that none grows large. */
  const pathOf = (digest: string) => {
    const hex = digest.slice("sha256:".length);
    return join(folder, "sha256", hex.slice(0, 2), hex);
  };
  /** It is there whole or not at all. */
  const moveIn = (path: string, digest: string) => {
    const place = pathOf(digest);
    mkdirSync(join(place, ".."), { recursive: true });
    renameSync(path, place);
  };

  return {
    has: (digest) => existsSync(pathOf(digest)),
    read: (digest) => readFileSync(pathOf(digest)),
    stream: (digest, range) => createReadStream(pathOf(digest), range),
    put(content) {
      const digest = digestOf(content);
      const path = temporary();
      writeFileSync(path, content);
      moveIn(path, digest);
      return digest;
    },
    receive() {
      const path = temporary();
      const hash = createHash("sha256");
      let size = 0;
      const digest = () => `sha256:${hash.copy().digest("hex")}`;
      writeFileSync(path, "", { flag: "wx" });
      return {
        get size() {
          return size;
        },
        async append(chunks) {
          const file = await open(path, "a");
          try {
            for await (const chunk of chunks) {
              await file.writeFile(chunk);
              hash.update(chunk);
              size += chunk.byteLength;
            }
          } finally {
            await file.close();
          }
        },
        digest,
        keep: () => moveIn(path, digest()),
        discard: () => rmSync(path, { force: true }),
      };
    },
    remove(digest) {
      const place = pathOf(digest);
      rmSync(place, { force: true });
      const home = join(place, "..");
      if (existsSync(home) && readdirSync(home).length === 0) rmSync(home, { recursive: true });
    },
  };
}
