/** Writes tar archives, as the engine takes files. Only what is needed: files and folders with short names. */

export interface TarEntry {
  /** Relative; at most 100 bytes. Folders end with `/`. */
  readonly name: string;
  readonly mode: number;
  readonly content?: Uint8Array;
  /** The epoch when absent, so that equal content makes equal archives. */
  readonly modified?: Date;
}

const blockBytes = 512;
const nameBytes = 100;

/** @throws {RangeError} for a name that is too long */
export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(blocks), Buffer.alloc(2 * blockBytes)]);
}

function blocks({ name, mode, content = new Uint8Array(), modified = new Date(0) }: TarEntry): Uint8Array[] {
  if (Buffer.byteLength(name) > nameBytes) throw new RangeError(`name too long for an archive: ${name}`);
  const header = Buffer.alloc(blockBytes);
  const octal = (value: number, offset: number, length: number) => header.write(value.toString(8).padStart(length - 1, "0"), offset);
  header.write(name);
  octal(mode, 100, 8);
  octal(0, 108, 8); // owner: root
  octal(0, 116, 8);
  octal(content.length, 124, 12);
  octal(Math.floor(modified.getTime() / 1_000), 136, 12);
  header.fill(" ", 148, 156);
  header.write(name.endsWith("/") ? "5" : "0", 156);
  header.write("ustar\u000000", 257);
  octal(
    header.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  header[154] = 0;
  return [header, content, Buffer.alloc((blockBytes - (content.length % blockBytes)) % blockBytes)];
}
