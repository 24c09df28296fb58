/** Makes X.509 certificates: a certificate authority of our own, and the certificates it signs. @see RFC 5280 */
import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import {
  bitString,
  boolean,
  contextConstructed,
  contextPrimitive,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  utcTime,
  utf8String,
} from "./der.ts";

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

const oid = {
  ecdsaWithSha256: objectIdentifier("1.2.840.10045.4.3.2"),
  commonName: objectIdentifier("2.5.4.3"),
  subjectKeyIdentifier: objectIdentifier("2.5.29.14"),
  keyUsage: objectIdentifier("2.5.29.15"),
  subjectAltName: objectIdentifier("2.5.29.17"),
  basicConstraints: objectIdentifier("2.5.29.19"),
  authorityKeyIdentifier: objectIdentifier("2.5.29.35"),
  extendedKeyUsage: objectIdentifier("2.5.29.37"),
  serverAuth: objectIdentifier("1.3.6.1.5.5.7.3.1"),
} as const;

const dayMs = 24 * 60 * 60_000;

/** A certificate authority that may sign end certificates only; valid for ten years. */
export function makeAuthority(commonName: string, now: Date): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return {
    cert: certificate({
      subject: commonName,
      issuer: commonName,
      publicKey,
      signingKey: privateKey,
      authorityKey: publicKey,
      notBefore: now,
      days: 3_650,
      extensions: [
        extension(oid.basicConstraints, true, sequence(boolean(true), integer(Buffer.from([0])))),
        // keyCertSign and cRLSign
        extension(oid.keyUsage, true, bitString(Buffer.from([0b0000_0110]), 1)),
      ],
    }),
    key: pem(privateKey),
  };
}

/** How long a server's certificate is valid; browsers and Apple's clients refuse more than 398 days. */
export const serverCertificateDays = 365;

/** @param hosts DNS names and IP addresses that the server is reached by */
export function makeServerCertificate(authority: KeyPair, hosts: readonly string[], now: Date): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = new X509Certificate(authority.cert);
  return {
    cert: certificate({
      subject: hosts[0] ?? "localhost",
      issuer: /^CN=(.*)$/mu.exec(issuer.subject)?.[1] ?? "",
      publicKey,
      signingKey: createPrivateKey(authority.key),
      authorityKey: issuer.publicKey,
      notBefore: now,
      days: serverCertificateDays,
      extensions: [
        extension(oid.basicConstraints, true, sequence()),
        // digitalSignature
        extension(oid.keyUsage, true, bitString(Buffer.from([0b1000_0000]), 7)),
        extension(oid.extendedKeyUsage, false, sequence(oid.serverAuth)),
        extension(oid.subjectAltName, false, sequence(...hosts.map(generalName))),
      ],
    }),
    key: pem(privateKey),
  };
}

/** Whether the certificate is from this authority, names all these hosts and is good for some time yet. */
export function isGoodFor(certificate: string, authority: string, hosts: readonly string[], now: Date, daysLeft: number): boolean {
  const parsed = new X509Certificate(certificate);
  return (
    parsed.verify(new X509Certificate(authority).publicKey) &&
    parsed.validFromDate.getTime() <= now.getTime() &&
    parsed.validToDate.getTime() - now.getTime() > daysLeft * dayMs &&
    hosts.every((host) => (isIP(host) ? parsed.checkIP(host) : parsed.checkHost(host)) !== undefined)
  );
}

function certificate(options: {
  readonly subject: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly signingKey: KeyObject;
  readonly authorityKey: KeyObject;
  readonly notBefore: Date;
  readonly days: number;
  readonly extensions: readonly Buffer[];
}): string {
  const algorithm = sequence(oid.ecdsaWithSha256);
  const { notBefore, days } = options;
  // Some minutes back: the client's clock may be behind (a virtual machine's, after the laptop slept).
  const from = new Date(notBefore.getTime() - 10 * 60_000);
  const until = new Date(notBefore.getTime() + days * dayMs);
  const body = sequence(
    contextConstructed(0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    algorithm,
    name(options.issuer),
    sequence(utcTime(from), utcTime(until)),
    name(options.subject),
    spki(options.publicKey),
    contextConstructed(
      3,
      sequence(
        ...options.extensions,
        extension(oid.subjectKeyIdentifier, false, octetString(keyIdentifier(options.publicKey))),
        extension(oid.authorityKeyIdentifier, false, sequence(contextPrimitive(0, keyIdentifier(options.authorityKey)))),
      ),
    ),
  );
  const der = sequence(body, algorithm, bitString(sign("sha256", body, options.signingKey)));
  const lines = der.toString("base64").match(/.{1,64}/gu) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

const extension = (id: Buffer, critical: boolean, value: Buffer): Buffer =>
  sequence(id, ...(critical ? [boolean(true)] : []), octetString(value));

const name = (commonName: string): Buffer => sequence(set(sequence(oid.commonName, utf8String(commonName))));

const spki = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" });

const keyIdentifier = (key: KeyObject): Buffer => createHash("sha1").update(spki(key)).digest();

const pem = (key: KeyObject): string => String(key.export({ type: "pkcs8", format: "pem" }));

const generalName = (host: string): Buffer =>
  isIP(host) === 0 ? contextPrimitive(2, Buffer.from(host, "ascii")) : contextPrimitive(7, addressBytes(host));

const groups = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));

/** 4 bytes of an IPv4 address, 16 of an IPv6 one. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number));
  // The URL parser writes IPv4 tails and zeros the one canonical way.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = "", tail] = canonical.split("::");
  const [left, right] = [groups(head), groups(tail ?? "")];
  const all = tail === undefined ? left : [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 255]));
}
