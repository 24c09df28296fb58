/** Reads protobuf without knowing its schema: fields by number. */

export interface RawMessage {
  has(number: number): boolean;
  text(number: number): string;
  message(number: number): RawMessage;
  messages(number: number): RawMessage[];
}

/** @throws {Error} for a field that is not there */
export function readProtobuf(bytes: Uint8Array): RawMessage {
  const fields = new Map<number, Uint8Array[]>();
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte % 128) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.byteLength) {
    const tag = varint();
    const wire = tag % 8;
    const start = wire === 2 ? ((length) => ((at += length), at - length))(varint()) : at;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire !== 2) throw new Error(`wire type ${wire}`);
    const number = Math.floor(tag / 8);
    fields.set(number, [...(fields.get(number) ?? []), bytes.subarray(start, at)]);
  }
  const first = (number: number) => {
    const value = fields.get(number)?.[0];
    if (!value) throw new Error(`no field ${number}`);
    return value;
  };
  return {
    has: (number) => fields.has(number),
    text: (number) => Buffer.from(first(number)).toString(),
    message: (number) => readProtobuf(first(number)),
    messages: (number) => (fields.get(number) ?? []).map(readProtobuf),
  };
}
