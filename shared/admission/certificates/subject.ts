/** Who a certificate signing request (PKCS #10) asks to be: as much of its DER as tells the organizations of the subject. */
import { asn1, type DerElement, derElements, expected, requestInPem } from "../../api/certificate-request.ts";

/** id-at-organizationName, 2.5.4.10 */
const organizationName = "55040a";

/**
 * The organizations of the subject, which are a user's groups to Kubernetes.
 * @param pem begins with, or contains, a block of the type CERTIFICATE REQUEST
 * @returns undefined when it cannot be read
 * @see RFC 2986, section 4.1
 */
export function organizationsOf(pem: string): string[] | undefined {
  const der = requestInPem(pem);
  if (!der) return undefined;
  try {
    const [request] = derElements(der, asn1.sequence);
    const [info] = derElements(request?.content, asn1.sequence);
    // The first two of four: version, subject.
    const [, subject] = derElements(info?.content, asn1.integer, asn1.sequence);
    return derElements(subject?.content)
      .flatMap((relative) => derElements(expected(relative, asn1.set).content))
      .flatMap((attribute) => {
        const [type, value] = derElements(expected(attribute, asn1.sequence).content, asn1.objectId);
        return type?.content.toString("hex") === organizationName && value ? [textOf(value)] : [];
      });
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** BMPString is UTF-16, big end first; the other types that names are made of are UTF-8, or ASCII in our case. */
const textOf = ({ tag, content }: DerElement): string =>
  tag === asn1.bmpString
    ? Buffer.from(content.subarray(0, content.length & ~1))
        .swap16()
        .toString("utf16le")
    : content.toString("utf8");
