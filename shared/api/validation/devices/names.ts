/** What devices, their pools, attributes and shares are called. */
import type { Problem } from "../../kind.ts";
import { dnsLabelProblems, dnsSubdomainProblems, patternMessage } from "../../names.ts";
import { validateDriverName } from "../pod/volumes.ts";
import { invalid, invalidEach, quote, required, tooLong } from "../problems.ts";

const longestPoolName = 253;
const longestIdentifier = 32;
const longestDomain = 63;

/** Keys of attributes and capacities, as paths show them. */
export const longestQualifiedName = longestDomain + 1 + longestIdentifier;

export const validateLabel = (name: string | undefined, field: string): Problem[] =>
  invalidEach(field, name ?? "", dnsLabelProblems(name ?? ""));

/** Subdomains with slashes between them. */
export function validatePoolName(name: string | undefined, field: string): Problem[] {
  if (!name) return [required(field)];
  return [
    ...(Buffer.byteLength(name) > longestPoolName ? [tooLong(field, longestPoolName)] : []),
    ...name.split("/").flatMap((part) => invalidEach(field, part, dnsSubdomainProblems(part))),
  ];
}

const identifier = "[A-Za-z_][A-Za-z0-9_]*";
const identifierPattern = new RegExp(`^${identifier}$`);
const identifierMessage = patternMessage(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  identifier,
  "my_name",
  "MY_NAME",
  "MyName",
);

const validateIdentifier = (id: string, field: string): Problem[] => [
  ...(Buffer.byteLength(id) > longestIdentifier ? [tooLong(field, longestIdentifier)] : []),
  ...(identifierPattern.test(id) ? [] : [invalid(field, id, identifierMessage)]),
];

/** `identifier` or `domain/identifier`. Kubernetes lets pass what has more slashes. */
export function validateQualifiedName(name: string, field: string): Problem[] {
  const [first = "", second, ...more] = name.split("/");
  if (more.length > 0) return [];
  if (second === undefined) return validateIdentifier(first, field);
  return [
    ...(first === "" ? [invalid(field, "", "the domain must not be empty")] : validateDriverName(first, field)),
    ...(second === "" ? [invalid(field, "", "the name must not be empty")] : validateIdentifier(second, field)),
  ];
}

export const validateFullyQualifiedName = (name: string, field: string): Problem[] => [
  ...validateQualifiedName(name, field),
  ...(name.includes("/") ? [] : [invalid(field, name, "a fully qualified name must be a domain and a name separated by a slash")]),
];

const uidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const uidForm = "uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters";

export function validateUid(uid: string, field: string): Problem[] {
  const problem = unreadableUid(uid);
  if (problem !== undefined) return [invalid(field, uid, `error validating uid: ${problem}`)];
  return uid.length === 36 && uid === uid.toLowerCase() ? [] : [invalid(field, uid, uidForm)];
}

/** What keeps a text from being a UUID in any of the forms that there are: bare, as a URN, in braces, without hyphens. */
function unreadableUid(uid: string): string | undefined {
  const wrong = "invalid UUID format";
  switch (Buffer.byteLength(uid)) {
    case 36:
      return uidPattern.test(uid) ? undefined : wrong;
    case 45:
      if (uid.slice(0, 9).toLowerCase() !== "urn:uuid:") return `invalid urn prefix: ${quote(uid.slice(0, 9))}`;
      return uidPattern.test(uid.slice(9)) ? undefined : wrong;
    case 38:
      if (!uid.startsWith("{") || !uid.endsWith("}")) return "invalid bracketed UUID format";
      return uidPattern.test(uid.slice(1, -1)) ? undefined : wrong;
    case 32:
      return /^[0-9a-f]{32}$/i.test(uid) ? undefined : wrong;
    default:
      return `invalid UUID length: ${Buffer.byteLength(uid)}`;
  }
}

/** A key that is too long for its map, shortened in the middle for paths. */
export function shortKey(key: string, most: number): string {
  const bytes = Buffer.from(key);
  if (bytes.length <= most) return key;
  const kept = most - 3;
  return `${bytes.toString("utf8", 0, Math.ceil(kept / 2))}...${bytes.toString("utf8", bytes.length - Math.floor(kept / 2))}`;
}
