/**
 * Objects as the bytes that answers consist of, kept while they are in use. Objects as the registry presents them are frozen and shared by
 * all who read the same state, so what one answer encoded is there for the next: a list costs what changed since the last, and a change
 * is encoded once for all who watch it.
 */
import type { AnyObject } from "../api/kind.ts";
import { encodeListItem } from "../api/protobuf.ts";
import { type IncludeObject, partialMetadata } from "./table.ts";

/** Bytes that are kept, in this process, for all forms and clusters. */
const budget = 64 * 2 ** 20;

/** Two generations: what was not asked for while the younger one filled up goes. */
class EncodedObjects {
  readonly #budget: number;
  #young = new Map<object, Map<string, Uint8Array>>();
  #old = new Map<object, Map<string, Uint8Array>>();
  #youngBytes = 0;

  constructor(bytes: number) {
    this.#budget = bytes;
  }

  /** @param form names what `encode` makes of the object */
  get(object: object, form: string, encode: () => Uint8Array): Uint8Array {
    // Somebody might still change it.
    if (!Object.isFrozen(object)) return encode();
    const forms = this.#young.get(object);
    const known = forms?.get(form);
    if (known) return known;
    const bytes = this.#old.get(object)?.get(form) ?? encode();
    if (this.#youngBytes + bytes.byteLength > this.#budget / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#youngBytes += bytes.byteLength;
    const current = this.#young.get(object);
    if (current) current.set(form, bytes);
    else this.#young.set(object, new Map([[form, bytes]]));
    return bytes;
  }
}

const encoded = new EncodedObjects(budget);

/** The object as JSON. */
export const objectJson = (object: AnyObject): Uint8Array => encoded.get(object, "object", () => Buffer.from(JSON.stringify(object)));

/** The object as JSON without its type: items of a typed list do not repeat what the list says. */
export const itemJson = (object: AnyObject): Uint8Array => encoded.get(object, "item", () => Buffer.from(JSON.stringify(untyped(object))));

/** Its metadata alone, as JSON. @param version of meta.k8s.io */
export const metadataJson = (object: AnyObject, version: string): Uint8Array =>
  encoded.get(object, `metadata ${version}`, () => Buffer.from(JSON.stringify(partialMetadata(object, version))));

const rowEnd = Buffer.from("}");

/** A row of a Table as JSON: its cells speak of ages and change by themselves, what it shows of the object does not. */
export function rowJson(cells: readonly unknown[], object: AnyObject, include: IncludeObject, version: string): Uint8Array {
  const head = `{"cells":${JSON.stringify(cells)},"object":`;
  if (include === "None") return Buffer.from(`${head}null}`);
  return Buffer.concat([Buffer.from(head), include === "Object" ? objectJson(object) : metadataJson(object, version), rowEnd]);
}

/** The object as an item of a protobuf list. @param definition OpenAPI definition name of the object */
export const itemProtobuf = (object: AnyObject, definition: string): Uint8Array =>
  encoded.get(object, definition, () => encodeListItem(definition, object));

/** Bytes in which a change of this object goes to those who watch it. @param form tells apart what differs: event and media type */
export const eventBytes = (object: AnyObject, form: string, encode: () => Uint8Array): Uint8Array =>
  encoded.get(object, `event ${form}`, encode);

/** Clients would see items differ from the same objects read one by one. */
export const untyped = ({ apiVersion: _apiVersion, kind: _kind, ...rest }: AnyObject): Omit<AnyObject, "apiVersion" | "kind"> => rest;
