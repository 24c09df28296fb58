/** As much of a certificate signing request (PKCS #10) as the server has to read: its PEM block, and DER. */

const pemBlock = /-----BEGIN CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\s]*)-----END CERTIFICATE REQUEST-----/;

/** The DER in the first block of the type CERTIFICATE REQUEST; undefined when there is none. */
export function requestInPem(pem: string): Buffer | undefined {
  const [, base64] = pemBlock.exec(pem) ?? [];
  return base64 === undefined ? undefined : Buffer.from(base64, "base64");
}

/** Tags of the ASN.1 types that requests are made of. */
export const asn1 = { integer: 0x02, objectId: 0x06, bmpString: 0x1e, sequence: 0x30, set: 0x31 } as const;

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
}

/** The elements that follow one another in `bytes`. @throws {RangeError} when they do not, or the first ones are not of the types `tags` */
export function derElements(bytes: Buffer | undefined, ...tags: readonly number[]): DerElement[] {
  const found: DerElement[] = [];
  let rest = bytes ?? Buffer.alloc(0);
  while (rest.length > 0) {
    const tag = rest.readUInt8(0);
    const first = rest.readUInt8(1);
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    if (first === 0x80 || lengthBytes > 4) throw new RangeError("a length that DER does not know");
    const begin = 2 + lengthBytes;
    const end = begin + (lengthBytes === 0 ? first : rest.readUIntBE(2, lengthBytes));
    if (end > rest.length) throw new RangeError("longer than what there is");
    found.push({ tag, content: rest.subarray(begin, end) });
    rest = rest.subarray(end);
  }
  tags.forEach((tag, at) => expected(found[at], tag));
  return found;
}

/** @throws {RangeError} */
export function expected(element: DerElement | undefined, tag: number): DerElement {
  if (element?.tag !== tag) throw new RangeError("not what a request consists of");
  return element;
}
