/** Who a certificate signing request (PKCS #10) asks to be: as much of its DER as tells the organizations of the subject. */

/** Tags of the ASN.1 types on the way there. */
const integer = 0x02;
const objectId = 0x06;
const sequence = 0x30;
const set = 0x31;
const bmpString = 0x1e;

/** id-at-organizationName, 2.5.4.10 */
const organizationName = "55040a";

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/**
 * The organizations of the subject, which are a user's groups to Kubernetes.
 * @param pem begins with, or contains, a block of the type CERTIFICATE REQUEST
 * @returns undefined when it cannot be read
 * @see RFC 2986, section 4.1
 */
export function organizationsOf(pem: string): string[] | undefined {
  const [, base64] = /-----BEGIN CERTIFICATE REQUEST-----\s([^-]*)-----END CERTIFICATE REQUEST-----/.exec(pem) ?? [];
  if (base64 === undefined) return undefined;
  try {
    const [request] = elements(Buffer.from(base64, "base64"), sequence);
    const [info] = elements(request?.content, sequence);
    // The first two of four: version, subject.
    const [, subject] = elements(info?.content, integer, sequence);
    return elements(subject?.content)
      .flatMap((relative) => elements(expected(relative, set).content))
      .flatMap((attribute) => {
        const [type, value] = elements(expected(attribute, sequence).content, objectId);
        return type?.content.toString("hex") === organizationName && value ? [textOf(value)] : [];
      });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The elements that follow one another in `bytes`. @throws {RangeError} when they do not, or the first ones are not of the types `tags` */
function elements(bytes: Buffer | undefined, ...tags: readonly number[]): Element[] {
  const found: Element[] = [];
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

function expected(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw new RangeError("not what a request consists of");
  return element;
}

/** BMPString is UTF-16, big end first; the other types that names are made of are UTF-8, or ASCII in our case. */
const textOf = ({ tag, content }: Element): string =>
  tag === bmpString
    ? Buffer.from(content.subarray(0, content.length & ~1))
        .swap16()
        .toString("utf16le")
    : content.toString("utf8");
