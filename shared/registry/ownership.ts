/** Field ownership on every write: the one place where the registry calls the engine behind `metadata.managedFields`. */
import { FieldSet } from "../api/apply/field-set.ts";
import { applyConfiguration, type Configuration, trackUpdate } from "../api/apply/managed-fields.ts";
import { type AnyObject, apiVersionOf, hasStatus, type Kind } from "../api/kind.ts";

export interface Writer {
  readonly manager: string;
  readonly subresource: string;
  readonly now: Date;
}

const allBut = new WeakMap<Kind, FieldSet>();
const settled = new WeakMap<Kind, FieldSet>();

const fieldSet = (paths: readonly (readonly string[])[]): FieldSet => FieldSet.of(paths.map((path) => path.map((name) => `f:${name}`)));

/** Fields that an endpoint does not write, so that nobody comes to own them through it. */
function ignored(kind: Kind, subresource: string): FieldSet | undefined {
  if (subresource === "" || subresource === "finalize") {
    let fields = settled.get(kind);
    if (fields === undefined)
      settled.set(kind, (fields = fieldSet([...(hasStatus(kind) ? [["status"]] : []), ...(kind.behaviour.ignores ?? [])])));
    return fields.isEmpty ? undefined : fields;
  }
  if (subresource !== "status" || kind.schema.type !== "object") return undefined;
  let fields = allBut.get(kind);
  if (fields === undefined) {
    const names = [...kind.schema.fields.keys()].filter((name) => !["apiVersion", "kind", "metadata", "status"].includes(name));
    const more = kind.custom ? [["metadata"]] : (kind.behaviour.statusIgnores ?? []);
    fields = fieldSet([...names.map((name) => [name]), ...more]);
    allBut.set(kind, fields);
  }
  return fields;
}

/** Upstream's name for whoever gives none, not even a User-Agent. */
const nobody = "unknown";

const operation = (kind: Kind, { manager, subresource, now }: Writer) => ({
  schema: kind.schema,
  manager: manager || nobody,
  apiVersion: apiVersionOf(kind),
  subresource,
  now,
  ignored: ignored(kind, subresource),
});

/** Books what an update, create or patch changed. */
export const own = (kind: Kind, previous: AnyObject | undefined, next: AnyObject, writer: Writer): AnyObject =>
  trackUpdate(previous, next, operation(kind, writer)) as AnyObject;

/**
 * Server-side apply: the configuration merged into the object as it is.
 * @throws {StatusError} Conflict when other managers own what it changes
 */
export const apply = (
  kind: Kind,
  current: AnyObject | undefined,
  configuration: Configuration,
  writer: Writer & { readonly force: boolean },
): AnyObject => applyConfiguration(current, configuration, { ...operation(kind, writer), force: writer.force }).object as AnyObject;
