/** The object as a whole, and its status: the two parts that nearly every kind can be written by. */
import type { AnyObject, Kind } from "../../api/kind.ts";
import type { Endpoint } from "../update.ts";
import { clone } from "../values.ts";

export const mainEndpoint = (kind: Kind): Endpoint => ({
  prepare: (next, previous) => kind.behaviour.prepareForUpdate?.(next, previous),
});

export const statusEndpoint = (kind: Kind): Endpoint => ({
  prepare: (next, previous, now) => {
    if (kind.behaviour.prepareForStatusUpdate) kind.behaviour.prepareForStatusUpdate(next, previous, now);
    else onlyStatus(kind, next, previous);
  },
  problems: (next, previous) => kind.behaviour.validateStatusUpdate?.(next, previous) ?? [],
});

/** Clients label and annotate through `/status` too, except with custom resources. */
function onlyStatus(kind: Kind, next: AnyObject, previous: AnyObject): void {
  for (const field of Object.keys(next)) if (!own.has(field)) delete next[field];
  for (const field of Object.keys(previous)) if (!own.has(field)) next[field] = clone(previous[field]);
  if (kind.custom) keepMetadata(next, previous);
}

const own: ReadonlySet<string> = new Set(["apiVersion", "kind", "metadata", "status"]);

/** Metadata stays as it was but for who owns which field. */
export function keepMetadata(next: AnyObject, previous: AnyObject): void {
  const { managedFields } = next.metadata;
  next.metadata = { ...clone(previous.metadata), ...(managedFields && { managedFields }) };
}

/** For endpoints that change a part of the spec: of the metadata, labels, annotations, finalizers and owners stay too. */
export function keepDeclaredMetadata({ metadata: next }: AnyObject, { metadata: previous }: AnyObject): void {
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences"] as const) {
    if (previous[field] === undefined) delete next[field];
    else next[field] = clone(previous[field]) as never;
  }
}
