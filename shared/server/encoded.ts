/**
 * Objects as the bytes that answers consist of, kept while they are in use. Objects as the registry presents them are frozen and shared by
 * all who read the same state, so what one answer encoded is there for the next: a list costs what changed since the last, and a change
 * is encoded once for all who watch it.
 */
import type { AnyObject } from "../api/kind.ts";
import { encodeListItem } from "../api/protobuf.ts";
import { type ElementForm, EncodedRuns } from "./encoded-runs.ts";
import { type IncludeObject, partialMetadata, type TableRenderer } from "./table.ts";

/** Bytes that are kept, in this process, for all clusters: of what lists consist of, and of events. */
const listBudget = 48 * 2 ** 20;
const eventBudget = 16 * 2 ** 20;

export type ObjectForm = ElementForm<AnyObject>;

const elements = new EncodedRuns(listBudget);

/** Elements of a list or Table one after the other; see {@link EncodedRuns.runs}. */
export const elementRuns = (objects: readonly AnyObject[], form: ObjectForm): Generator<Uint8Array> => elements.runs(objects, form);

/** Forms in JSON begin with the comma that stands between elements: whoever writes the first one leaves it out. */
const json = (name: string, value: (object: AnyObject) => unknown): ObjectForm => ({
  name,
  body: (object) => Buffer.from(`,${JSON.stringify(value(object))}`),
});

/** The whole object. */
export const objectJson = json("object", (object) => object);

/** The object without its type: items of a typed list do not repeat what the list says. */
export const itemJson = json("item", untyped);

/** Its metadata alone. @param version of meta.k8s.io */
export const metadataJson = (version: string): ObjectForm => json(`metadata ${version}`, (object) => partialMetadata(object, version));

/** A row of a Table: its cells speak of ages and change by themselves, what it shows of the object does not. */
export function rowJson(table: TableRenderer, include: IncludeObject, version: string): ObjectForm {
  const shown = (object: AnyObject) => (include === "None" ? null : include === "Object" ? object : partialMetadata(object, version));
  return {
    name: `row ${include} ${version}`,
    lead: (object) => {
      const conditions = table.conditions(object);
      return `,{"cells":${table.cellsJson(object)}${conditions ? `,"conditions":${JSON.stringify(conditions)}` : ""},"object":`;
    },
    body: (object) => Buffer.from(`${JSON.stringify(shown(object))}}`),
  };
}

/** An item of a protobuf list. @param definition OpenAPI definition name of the objects */
export const itemProtobuf = (definition: string): ObjectForm => ({
  name: `protobuf ${definition}`,
  body: (object) => encodeListItem(definition, object),
});

/** Its metadata alone, as an item of a protobuf list. */
export const metadataProtobuf = (definition: string, version: string): ObjectForm => ({
  name: `protobuf metadata ${version}`,
  body: (object) => encodeListItem(definition, partialMetadata(object, version)),
});

/** Two generations: what was not asked for while the younger one filled up goes. */
class EncodedEvents {
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

const events = new EncodedEvents(eventBudget);

/** Bytes in which a change of this object goes to those who watch it. @param form tells apart what differs: event and media type */
export const eventBytes = (object: AnyObject, form: string, encode: () => Uint8Array): Uint8Array => events.get(object, form, encode);

/** Clients would see items differ from the same objects read one by one. */
export function untyped({ apiVersion: _apiVersion, kind: _kind, ...rest }: AnyObject): Omit<AnyObject, "apiVersion" | "kind"> {
  return rest;
}
