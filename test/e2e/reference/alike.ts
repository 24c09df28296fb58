/**
 * Makes two servers' answers alike where they must differ: identities, times, versions, chosen names and addresses. What is an identity
 * stays one: a uid or an object's resourceVersion is replaced by the order in which it was first seen, so that answers differ if one
 * server keeps a resourceVersion that the other changes.
 */
import { isDeepStrictEqual } from "node:util";

/** An answer as it is compared. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON where it is that, else text. */
  readonly body: any;
}

const uidPattern = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu;
const timePattern = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/gu;
/** As Go prints a time in a message. */
const goTimePattern = /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)? \+0000 UTC(?: m=\S+)?/gu;
const tokenVolumePattern = /kube-api-access-[a-z0-9]{5}/gu;
/** Times that were never set: upstream says null of some, and we leave them out. (So it is with the last page's empty `continue`.) */
const emptyTimePattern = /Time(?:stamp)?$/u;
const agePattern = /^(?:\d+[dhms])+$/u;
/** What etcd or our table says an object's version is, in messages on failed preconditions. */
const versionInMessagePattern = /(ResourceVersion in (?:object meta: |record \())\d+/gu;

/** We go on to say what is wrong with the JSON patch. */
const rejectedPattern = /^(the server rejected our request due to an error in our request): .*$/su;

/** An object that a message quotes, with its fields in the order in which the server happens to have them. */
const quotedObjectPattern = /Invalid value: "\{.*\}"(?=: )/gsu;

/** The same where it is not in quotes, with the names of Go's fields. */
const printedObjectPattern = /((?:Invalid|Duplicate) value: )\{.*?\}[\]}]*(?=: |, |$)/gsu;

const unstoredPattern = /(?:Review|TokenRequest)$/u;
const tokenPattern = /eyJ[\w-]+\.[\w-]+\.[\w-]+/gu;
const issuerPattern = /https:\/\/kubernetes\.default\.svc(?:\.cluster\.local)?/gu;

/** What changed of what may not: upstream shows lines of Go's fields, we name fields and values. */
const changesPattern = /(immutable(?: after creation[^\n]*)?)\n.*$/su;

/** Where etcd keeps an object whose uid is another than the one that was asked for. */
const storagePattern = /StorageError: invalid object, Code: 4, Key: \S+, ResourceVersion: 0, AdditionalErrorMsg: /gu;

/** Headers that say something on the answer; others say something on the connection. */
const comparedHeaders = [
  "content-type",
  "warning",
  "allow",
  "location",
  "www-authenticate",
  "retry-after",
  "accept-patch",
  "cache-control",
  "vary",
];

/** @returns what makes one server's answers alike, to be used for all answers of one scenario, in order */
export function alike(): (response: Answer) => Answer {
  const uids = new Map<string, string>();
  const versions = new Map<string, string>();

  const text = (value: string): string =>
    value
      .replaceAll(uidPattern, (uid) => numbered(uids, uid, "uid"))
      .replaceAll(timePattern, (_, fraction) => (fraction ? "a time with microseconds" : "a time"))
      .replaceAll(goTimePattern, "a time in Go")
      .replaceAll(tokenVolumePattern, "kube-api-access-…")
      .replaceAll(versionInMessagePattern, "$1…")
      .replaceAll(storagePattern, "")
      .replaceAll(tokenPattern, "a token")
      .replaceAll(issuerPattern, "the issuer")
      .replaceAll(quotedObjectPattern, "Invalid value: {…}")
      .replaceAll(printedObjectPattern, "$1{…}")
      .replace(rejectedPattern, "$1")
      .replace(changesPattern, "$1");

  const values: Readonly<Record<string, (value: any, owner: any) => unknown>> = {
    resourceVersion: (version, owner) => {
      if (!/^[1-9]\d*$/u.test(version)) return version;
      // Lists and bookmarks have one too, that moves with everything else which is stored.
      return owner.uid === undefined ? "a version" : numbered(versions, `${owner.uid} ${version}`, "version");
    },
    continue: (token) => (token ? "a continue token" : token),
    clusterIP: clusterAddress,
    clusterIPs: (addresses) => (Array.isArray(addresses) ? addresses.map(clusterAddress) : addresses),
    nodePort: chosenPort,
    healthCheckNodePort: chosenPort,
    // Entries of one second are ordered by manager, and it is chance whether two requests share a second.
    managedFields: (entries) => (Array.isArray(entries) ? entries.map((entry) => all(entry)).toSorted(byOwner) : entries),
    // Upstream says again what both its old and its new validation found; the message does not.
    causes: (causes) => distinct(causes.map((cause: unknown) => all(cause))),
    name: (name, owner) => {
      const { generateName } = owner;
      return generateName && String(name).startsWith(generateName) ? `${generateName}…` : all(name);
    },
    cells: (cells) => cells.map((cell: unknown) => (typeof cell === "string" && agePattern.test(cell) ? "an age" : all(cell))),
    // Columns are described in our own words.
    columnDefinitions: (columns) => columns?.map((column: object) => ({ ...column, description: "" })) ?? columns,
  };

  const all = (value: any): any => {
    if (typeof value === "string") return text(value);
    if (Array.isArray(value)) return value.map((element) => all(element));
    if (typeof value !== "object" || value === null) return value;
    // Upstream books who wrote the fields of a question that is answered at once and stored nowhere.
    if (unstoredPattern.test(value.kind) && value.metadata?.managedFields) {
      const { managedFields: _, ...metadata } = value.metadata;
      return all({ ...value, metadata });
    }
    if (value.kind === "CustomResourceDefinition" && value.status) return all(withoutStatus(value));
    // What an autoscaler has measured is null there while it is nothing, and an empty list or absent here.
    const said = Object.entries(value).filter(
      ([key, field]) =>
        !(field === null && emptyTimePattern.test(key)) &&
        !(field === "" && key === "continue") &&
        !(key === "currentMetrics" && (field === null || (Array.isArray(field) && field.length === 0))),
    );
    return Object.fromEntries(said.map(([key, field]) => [key, values[key]?.(field, value) ?? all(field)]));
  };

  return ({ status, headers, body }) => ({ status, headers: all(compared(headers)), body: all(body) });
}

/** Upstream accepts a definition's names a moment after it was made, and owns what it says of it; here its status says so from the start. */
const withoutStatus = ({ metadata: { managedFields, ...metadata }, ...definition }: any) => ({
  ...definition,
  status: undefined,
  metadata: { ...metadata, ...(managedFields && { managedFields: managedFields.filter((entry: any) => entry.subresource !== "status") }) },
});

const compared = (headers: Readonly<Record<string, string>>) =>
  Object.fromEntries(comparedHeaders.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));

const distinct = (values: readonly unknown[]) =>
  values.filter((value, index) => values.findIndex((other) => isDeepStrictEqual(other, value)) === index);

function numbered(seen: Map<string, string>, value: string, word: string): string {
  const known = seen.get(value) ?? `${word} ${seen.size + 1}`;
  seen.set(value, known);
  return known;
}

const clusterAddress = (address: unknown) => (String(address).startsWith("10.") ? "an address" : address);
const chosenPort = (port: unknown) => (Number(port) >= 30_000 && Number(port) < 32_768 ? "a port" : port);

function byOwner(one: any, other: any): number {
  const [first, second] = [one, other].map(({ manager, operation, subresource }) => `${manager} ${operation} ${subresource}`);
  return String(first).localeCompare(String(second));
}
