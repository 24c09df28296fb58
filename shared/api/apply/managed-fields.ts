/**
 * Who owns which field: kept in `metadata.managedFields` on every write, and the rule by which server-side apply decides.
 * @see k8s.io/apimachinery/pkg/util/managedfields
 */
import { badRequest, type StatusCause, StatusError } from "../../errors/status-error.ts";
import { Recent } from "../memo.ts";
import type { JsonObject, ManagedFieldsEntry } from "../objects.ts";
import type { SchemaNode } from "../schema.ts";
import { describePath, FieldSet } from "./field-set.ts";
import { canonical, compare, fieldsOf, isEqual, merge, outlineOf, removeFields, withDeclaredParents } from "./typed.ts";

export interface Operation {
  readonly schema: SchemaNode;
  readonly manager: string;
  readonly apiVersion: string;
  /** `status`, `scale`, … or empty for the object itself. */
  readonly subresource: string;
  readonly now: Date;
  /** Fields that this endpoint ignores (status for the object, everything else for `/status`): nobody comes to own them by it. */
  readonly ignored?: FieldSet | undefined;
}

/** Update managers kept; older ones are merged. */
const maxUpdateManagers = 10;
const oldestManager = "ancient-changes";

/** Fields that the server owns: they belong to nobody. */
const serverOwned = FieldSet.of([
  ["f:apiVersion"],
  ["f:kind"],
  ["f:metadata"],
  ...["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"].map(
    (name) => ["f:metadata", `f:${name}`],
  ),
]);

interface Manager {
  readonly entry: ManagedFieldsEntry;
  readonly fields: FieldSet;
}

const metadataOf = (object: JsonObject): JsonObject => (object.metadata ?? {}) as JsonObject;

const entriesOf = (object: JsonObject): readonly ManagedFieldsEntry[] =>
  (metadataOf(object).managedFields as ManagedFieldsEntry[] | undefined) ?? [];

const read = (object: JsonObject): Manager[] =>
  entriesOf(object).map((entry) => ({ entry, fields: FieldSet.fromFieldsV1(entry.fieldsV1) }));

/** The same for an object that a client read and sends back: what it repeats of the previous one is known already. */
const readAgain = (object: JsonObject, previous: JsonObject): Manager[] => {
  const known = entriesOf(previous);
  return entriesOf(object).map((entry, index) => {
    const before = known[index]?.fieldsV1;
    return { entry, fields: FieldSet.fromFieldsV1(isEqual(entry.fieldsV1, before) ? before : entry.fieldsV1) };
  });
};

const same = (entry: ManagedFieldsEntry, manager: string, operation: "Apply" | "Update", { apiVersion, subresource }: Operation): boolean =>
  entry.manager === manager &&
  entry.operation === operation &&
  (entry.subresource ?? "") === subresource &&
  (operation === "Apply" || entry.apiVersion === apiVersion);

function write(object: JsonObject, managers: readonly Manager[]): JsonObject {
  const rank = ({ entry }: Manager) => (entry.operation === "Apply" ? 0 : 1);
  const entries = managers
    .filter(({ fields }) => !fields.isEmpty)
    .toSorted(
      (a, b) =>
        rank(a) - rank(b) ||
        compareText(a.entry.time ?? "", b.entry.time ?? "") ||
        compareText(a.entry.manager ?? "", b.entry.manager ?? "") ||
        compareText(a.entry.apiVersion ?? "", b.entry.apiVersion ?? "") ||
        compareText(a.entry.subresource ?? "", b.entry.subresource ?? ""),
    )
    .map(({ entry, fields }) => ({ ...entry, fieldsType: "FieldsV1" as const, fieldsV1: fields.toFieldsV1() }));
  const { managedFields: _, ...metadata } = metadataOf(object);
  return { ...object, metadata: entries.length > 0 ? { ...metadata, managedFields: entries } : metadata };
}
const compareText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

const timeOf = ({ now }: Operation): string => `${now.toISOString().slice(0, 19)}Z`;

const entryOf = (
  operation: "Apply" | "Update",
  { manager, apiVersion, subresource }: Operation,
  time: string | undefined,
): ManagedFieldsEntry => ({
  manager,
  operation,
  apiVersion,
  ...(time !== undefined && { time }),
  ...(subresource && { subresource }),
});

const withoutManaged = (object: JsonObject): JsonObject => {
  const { managedFields: _, ...metadata } = metadataOf(object);
  return { ...object, metadata };
};

/**
 * Books a create, update or patch: what changed now belongs to the manager, and to nobody else.
 * @param previous undefined for a creation
 * @param next as it will be stored; managedFields that the caller put into it are the base (clients may migrate them), `[{}]` clears them:
 *   then nothing is booked until the next server-side apply
 * @returns `next` with its managedFields
 */
export function trackUpdate(previous: JsonObject | undefined, next: JsonObject, operation: Operation): JsonObject {
  // Entries are migrated through the object itself; what another endpoint is sent of them counts for nothing.
  const given = operation.subresource === "" ? entriesOf(next) : [];
  const cleared = given.length === 1 && Object.keys(given[0] ?? {}).length === 0;
  if (cleared) return withoutManaged(next);
  const base = given.length > 0 ? (previous ? readAgain(next, previous) : read(next)) : previous ? read(previous) : [];
  // Whose owners were cleared has none until somebody applies.
  if (previous && base.length === 0) return withoutManaged(next);
  const { changed, gone } = previous
    ? changes(previous, next, operation)
    : { changed: createdFields(next, operation), gone: FieldSet.empty };
  let mine: Manager | undefined;
  const others: Manager[] = [];
  for (const manager of base) {
    if (same(manager.entry, operation.manager, "Update", operation)) mine = manager;
    else others.push({ entry: manager.entry, fields: manager.fields.difference(changed).difference(gone) });
  }
  const fields = (mine?.fields ?? FieldSet.empty).difference(gone).union(changed);
  // Who takes no field keeps his time, and an object that did not change its revision.
  const entry = mine && changed.isEmpty ? mine.entry : entryOf("Update", operation, timeOf(operation));
  return write(next, cap([...others, { entry, fields }], operation));
}

function changes(previous: JsonObject, next: JsonObject, { schema, ignored }: Operation) {
  const { added, modified, removed } = compare(schema, withoutManaged(previous), withoutManaged(next));
  return { changed: strip(added.union(modified).difference(serverOwned), ignored), gone: strip(removed, ignored) };
}

/** Sets of fields that objects were made with or applied with, by schema, by what is ignored, and by outline: many Pods, one template. */
type KnownSets = WeakMap<SchemaNode, WeakMap<FieldSet, Recent<string, FieldSet>>>;

const keptOutlines = 256;
const longestOutline = 16 * 1024;
const created: KnownSets = new WeakMap();
const applied: KnownSets = new WeakMap();

function known(sets: KnownSets, { schema, ignored = FieldSet.empty }: Operation, value: JsonObject, work: () => FieldSet): FieldSet {
  let ofSchema = sets.get(schema);
  if (!ofSchema) sets.set(schema, (ofSchema = new WeakMap()));
  let byOutline = ofSchema.get(ignored);
  if (!byOutline) ofSchema.set(ignored, (byOutline = new Recent(keptOutlines)));
  const outline = outlineOf(schema, value);
  let fields = byOutline.get(outline);
  if (!fields) {
    fields = work();
    if (outline.length <= longestOutline) byOutline.set(outline, fields);
  }
  return fields;
}

function createdFields(next: JsonObject, operation: Operation): FieldSet {
  const object = withoutManaged(next);
  return known(created, operation, object, () => {
    const { added, modified } = compare(operation.schema, {}, object);
    return strip(added.union(modified).difference(serverOwned), operation.ignored);
  });
}

/** What a configuration names, empty objects and nulls included. */
function appliedFields(config: JsonObject, operation: Operation): FieldSet {
  const object = withoutManaged(config);
  return known(applied, operation, object, () => strip(fieldsOf(operation.schema, object).difference(serverOwned), operation.ignored));
}

const strip = (fields: FieldSet, ignored: FieldSet | undefined) => (ignored ? fields.withoutSubtrees(ignored) : fields);

/** Merges the oldest update managers of one apiVersion when there are too many. */
function cap(managers: readonly Manager[], { apiVersion }: Operation): Manager[] {
  const updates = managers.filter(({ entry, fields }) => entry.operation === "Update" && !entry.subresource && !fields.isEmpty);
  const surplus = updates.length - maxUpdateManagers;
  if (surplus <= 0) return [...managers];
  const oldest = updates.toSorted((a, b) => compareText(a.entry.time ?? "", b.entry.time ?? "")).slice(0, surplus + 1);
  const merged: Manager = {
    entry: {
      manager: oldestManager,
      operation: "Update",
      apiVersion,
      ...(oldest.at(-1)?.entry.time && { time: oldest.at(-1)?.entry.time }),
    },
    fields: oldest.reduce((all, { fields }) => all.union(fields), FieldSet.empty),
  };
  return [...managers.filter((manager) => !oldest.includes(manager)), merged];
}

/** What a manager applies. */
export interface Configuration {
  /** In canonical form: what becomes of the object. */
  readonly object: JsonObject;
  /** As it was sent, which says what its manager wants to own. */
  readonly sent: JsonObject;
}

export interface Applied {
  /** The live object with the configuration merged in, and its managedFields. */
  readonly object: JsonObject;
  /** False when neither object nor ownership changed: nothing needs to be written. */
  readonly changed: boolean;
}

/**
 * Server-side apply: merges a configuration into the live object.
 * @param live undefined when the object does not exist yet
 * @param configuration what the manager wants, and nothing else
 * @param resource for messages
 * @throws {StatusError} Conflict with a cause per field when others own fields that the configuration changes, unless forced;
 *   BadRequest when the configuration carries managedFields
 */
export function applyConfiguration(
  live: JsonObject | undefined,
  { object: config, sent }: Configuration,
  operation: Operation & { readonly force: boolean },
): Applied {
  if (((metadataOf(config).managedFields as unknown[] | undefined) ?? []).length > 0)
    throw badRequest("metadata.managedFields must be nil");
  const { schema, ignored } = operation;
  const base = withoutManaged(live ?? {});
  const managers = live ? adoptUnmanaged(live, base, operation) : [];
  const named = appliedFields(sent, operation);
  const mine = managers.find(({ entry }) => same(entry, operation.manager, "Apply", operation));
  // Who applies again names the same fields again; what is known of them is not worked out anew.
  const wanted = mine?.fields.equals(named) ? mine.fields : named;
  const others = managers.filter((manager) => manager !== mine);

  const merged = merge(schema, base, withoutManaged(config)) as JsonObject;
  const dropped = (mine?.fields ?? FieldSet.empty).difference(wanted);
  const next = dropped.isEmpty
    ? merged
    : (removeFields(schema, merged, removable(schema, mine?.fields ?? FieldSet.empty, wanted, others)) as JsonObject);

  const difference = compare(schema, base, next);
  const changed = strip(difference.added.union(difference.modified), ignored);
  const removed = strip(difference.removed, ignored);
  if (!operation.force) checkConflicts(others, changed.difference(takenOver(live, operation)));

  const result: Manager[] = others.map(({ entry, fields }) => ({ entry, fields: fields.difference(changed).difference(removed) }));
  const ownershipChanged = mine?.fields !== wanted || mine.entry.apiVersion !== operation.apiVersion;
  const objectChanged = !changed.isEmpty || !removed.isEmpty;
  // Who changes nothing but ownership is given no time: there was no change to date.
  const time = objectChanged || !live ? timeOf(operation) : mine?.entry.time;
  result.push({ entry: entryOf("Apply", operation, time), fields: wanted });
  const object = operation.manager === kubectl ? withLastApplied(next, sent) : next;
  return { object: write(object, result), changed: live === undefined || ownershipChanged || objectChanged };
}

/** @throws {StatusError} Conflict */
function checkConflicts(others: readonly Manager[], changed: FieldSet): void {
  const conflicts = others
    .map((manager) => ({ manager, fields: manager.fields.intersection(changed) }))
    .filter(({ fields }) => !fields.isEmpty);
  if (conflicts.length > 0) throw conflictError(conflicts);
}

/** Nobody owns the name, and everybody names it. */
const itsName = FieldSet.of([["f:metadata", "f:name"]]);

/**
 * What leaves the object when its owner no longer names it: only what nobody else owns, and no parent of something that stays. An object of
 * which nothing is named any more goes as a whole, with the defaults in it.
 */
function removable(schema: SchemaNode, named: FieldSet, wanted: FieldSet, others: readonly Manager[]): FieldSet {
  const kept = others.reduce((all, { fields }) => all.union(fields), wanted.union(itsName));
  return withDeclaredParents(schema, named).difference(withDeclaredParents(schema, kept)).withoutParents(kept);
}

/** An object that was written before ownership was kept: all its fields belong to a manager of that name. */
function adoptUnmanaged(live: JsonObject, base: JsonObject, operation: Operation): Manager[] {
  const managers = read(live);
  if (managers.length > 0) return managers;
  return [
    {
      entry: {
        manager: "before-first-apply",
        operation: "Update",
        apiVersion: operation.apiVersion,
        time: timeOf(operation),
      },
      fields: createdFields(base, operation),
    },
  ];
}

type Conflict = { readonly manager: Manager; readonly fields: FieldSet };

/** The one manager for whom client-side apply and server-side apply are kept together. */
const kubectl = "kubectl";
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

const lastAppliedOf = (object: JsonObject | undefined): string =>
  (metadataOf(object ?? {}).annotations as Record<string, string> | undefined)?.[lastApplied] ?? "";

/** `kubectl apply --server-side` after client-side apply: what that one set, and nobody has changed since, may be taken over. */
function takenOver(live: JsonObject | undefined, { manager, schema, apiVersion }: Operation): FieldSet {
  const text = manager === kubectl ? lastAppliedOf(live) : "";
  if (text === "") return FieldSet.empty;
  try {
    const applied = JSON.parse(text) as JsonObject;
    if (applied.apiVersion !== apiVersion) return FieldSet.empty;
    const { added, modified, removed } = compare(schema, applied, live);
    return fieldsOf(schema, applied).difference(modified).difference(added).difference(removed);
  } catch {
    return FieldSet.empty;
  }
}

/** Keeps the annotation of client-side apply, where there is one, in step with what was applied: clients may go back to it. */
function withLastApplied(object: JsonObject, sent: JsonObject): JsonObject {
  if (lastAppliedOf(object) === "") return object;
  const { [lastApplied]: _, ...annotations } = (metadataOf(sent).annotations ?? {}) as JsonObject;
  const { annotations: __, ...metadata } = metadataOf(sent);
  const named = Object.keys(annotations).length > 0 ? { ...metadata, annotations } : metadata;
  const text = `${canonical({ ...sent, metadata: named })}\n`;
  const live = metadataOf(object);
  return { ...object, metadata: { ...live, annotations: { ...(live.annotations as JsonObject), [lastApplied]: text } } };
}

function conflictError(conflicts: readonly Conflict[]): StatusError {
  const found = conflicts
    .map(({ manager: { entry }, fields }) => ({ who: ownerOf(entry), paths: [...fields.paths()].map(describePath) }))
    .toSorted((a, b) => compareText(a.who, b.who));
  const causes = found.flatMap(({ who, paths }) =>
    paths.map((field): StatusCause => ({ reason: "FieldManagerConflict", message: `conflict with ${who}`, field })),
  );
  const [only] = causes;
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${only?.message}: ${only?.field}`
      : `Apply failed with ${causes.length} conflicts: ${found.flatMap(({ who, paths }) => [`conflicts with ${who}:`, ...paths.map((path) => `- ${path}`)]).join("\n")}`;
  return new StatusError("Conflict", message, { details: { causes } });
}

const ownerOf = ({ manager = "", subresource, operation, apiVersion }: ManagedFieldsEntry): string =>
  `${JSON.stringify(manager)}${subresource ? ` with subresource ${JSON.stringify(subresource)}` : ""}${operation === "Update" ? ` using ${apiVersion}` : ""}`;
