/** What the registry does with a kind's behaviour, without the registry: defaults, preparation, validation, columns. */
import { builtinKinds, loadBehaviours } from "../../shared/api/builtin-kinds.ts";
import { decodeObject } from "../../shared/api/codec.ts";
import { type AnyObject, apiVersionOf, type Column, hasStatus, type Kind, type Problem } from "../../shared/api/kind.ts";
import { age, name } from "../../shared/api/kinds/cells.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { copyOf } from "../../shared/api/patch/values.ts";
import { validateMetadata, validateMetadataUpdate } from "../../shared/api/validation/metadata.ts";

await loadBehaviours();

export function kindOf(object: { readonly apiVersion?: string; readonly kind?: string }): Kind {
  const found = builtinKinds().find((kind) => kind.kind === object.kind && apiVersionOf(kind) === object.apiVersion);
  if (!found) throw new Error(`no such kind: ${object.apiVersion} ${object.kind}`);
  return found;
}

export interface Prepared {
  readonly object: AnyObject;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

export function defaulted(input: object): AnyObject {
  const kind = kindOf(input);
  const object = decodeObject(kind.schema, copyOf(input as JsonObject)).object as AnyObject;
  if (kind.schema.type === "object" && kind.schema.fields.get("spec")?.implicit) object.spec ??= {};
  kind.behaviour.defaults?.(object);
  return object;
}

export function created(input: object): Prepared {
  const object = defaulted(input);
  const kind = kindOf(object);
  const { behaviour } = kind;
  behaviour.prepareForCreate?.(object);
  const problems = [
    ...validateMetadata(kind, object.metadata),
    ...(behaviour.validate?.(object) ?? []),
    ...(behaviour.validateCreate?.(object) ?? []),
  ];
  return { object, problems, warnings: behaviour.warnings?.(object, undefined) ?? [] };
}

export function updated(input: object, before: object): Prepared {
  const [object, previous] = [defaulted(input), defaulted(before)];
  const kind = kindOf(object);
  const { behaviour } = kind;
  behaviour.prepareForUpdate?.(object, previous);
  const problems = [
    ...validateMetadataUpdate(object.metadata, previous.metadata),
    ...(behaviour.validate?.(object) ?? []),
    ...(behaviour.validateUpdate?.(object, previous) ?? []),
  ];
  return { object, problems, warnings: behaviour.warnings?.(object, previous) ?? [] };
}

export function statusUpdated(input: object, before: object): Prepared {
  const [object, previous] = [defaulted(input), defaulted(before)];
  const kind = kindOf(object);
  if (!hasStatus(kind)) throw new Error(`${kind.kind} has no status`);
  const { behaviour } = kind;
  let next = object;
  if (behaviour.prepareForStatusUpdate) behaviour.prepareForStatusUpdate(next, previous, new Date(0));
  else next = { ...previous, metadata: object.metadata, status: object.status };
  const problems = [
    ...validateMetadataUpdate(next.metadata, previous.metadata),
    ...(behaviour.validateStatusUpdate?.(next, previous) ?? []),
  ];
  return { object: next, problems, warnings: [] };
}

export function columnsOf({ behaviour }: Kind): readonly Column<any>[] {
  return [...(behaviour.ownName ? [] : [name()]), ...(behaviour.columns ?? []), ...(behaviour.ownAge ? [] : [age])];
}

export function row(input: object, now: Date): unknown[] {
  const object = defaulted(input);
  return columnsOf(kindOf(object)).map((column) => column.value(object, now));
}
