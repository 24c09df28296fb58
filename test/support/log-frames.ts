/** Pieces of a container's output as an engine sends them. */

/** @param stream 1 for standard output, 2 for standard error */
export function frame(stream: 1 | 2, payload: string | Buffer): Buffer {
  const body = Buffer.from(payload as string);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(body.length, 4);
  return Buffer.concat([header, body]);
}
