/**
 * The life of a CustomResourceDefinition: its names are accepted and it is established in the write itself, so that whoever sees it
 * can use it; deleted, it stays until its objects are gone.
 */
import type { AdmissionReader } from "../../admission/plugin.ts";
import { builtinKinds } from "../../api/builtin-kinds.ts";
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import type { AnyObject } from "../../api/kind.ts";
import { customResourceDefinitions } from "../../api/kinds.ts";
import { isRecognizedFormat } from "../../api/string-formats.ts";
import { partsOf, type Structural } from "../../api/structural.ts";
import { quote } from "../../api/validation/problems.ts";
import type { Lifecycle } from "../lifecycle.ts";
import { withCondition } from "../subresources/conditions.ts";
import { clone, seconds } from "../values.ts";
import { definitionProblems } from "./definition.ts";
import { loadEngine } from "./engine.ts";

export const cleanupFinalizer = "customresourcecleanup.apiextensions.k8s.io";

type Definition = CustomResourceDefinition;
type Names = Definition["spec"]["names"];
type Status = NonNullable<Definition["status"]>;
type Condition = NonNullable<Status["conditions"]>[number];

const asDefinition = (object: AnyObject): Definition => object as unknown as Definition;

export const definitionLifecycle: Lifecycle = {
  beforeCreate: async (object, now, reader) => {
    await loadEngine();
    await accept(asDefinition(object), {}, now, reader);
  },
  beforeUpdate: async (next, previous, now, reader) => {
    await loadEngine();
    await accept(asDefinition(next), asDefinition(next).status ?? asDefinition(previous).status ?? {}, now, reader);
  },
  problems: (next, previous) => definitionProblems(asDefinition(next), previous && asDefinition(previous)),
  warnings: (next, previous) => formatWarnings(asDefinition(next), previous && asDefinition(previous)),
  markDeleted: (object, now) => {
    const { metadata } = object;
    const definition = asDefinition(object);
    const finalizers = metadata.finalizers ?? [];
    if (!finalizers.includes(cleanupFinalizer)) metadata.finalizers = [...finalizers, cleanupFinalizer];
    definition.status ??= {};
    setCondition(definition.status, now, {
      type: "Terminating",
      status: "True",
      reason: "InstanceDeletionPending",
      message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
    });
  },
};

/** Formats that nobody knows, and that were not there before. */
function formatWarnings(next: Definition, previous: Definition | undefined): string[] {
  const known = new Set(previous && formatsOf(previous));
  return formatsOf(next)
    .filter((format) => !known.has(format))
    .map((format) => `unrecognized format ${JSON.stringify(format)}`);
}

const formatsOf = ({ spec }: Definition): string[] =>
  spec.versions.flatMap(({ schema }) => (schema?.openAPIV3Schema ? unknownFormats(schema.openAPIV3Schema as Structural) : []));

function unknownFormats(schema: Structural): string[] {
  const { format, type } = schema;
  return [...(format && !isRecognizedFormat(format, type) ? [format] : []), ...partsOf(schema).flatMap(unknownFormats)];
}

/** Fills in the status, in place. */
async function accept(definition: Definition, known: Status, now: Date, reader: AdmissionReader): Promise<void> {
  const status: Status = clone(known);
  definition.status = status;
  // Validation comes later: what is missing is refused there.
  const names = { ...definition.spec.names, kind: definition.spec.names?.kind ?? "" };
  if (names.kind) {
    names.singular ??= names.kind.toLowerCase();
    names.listKind ??= `${names.kind}List`;
  }
  definition.spec.names = names;

  definition.spec.versions ??= [];
  const stored = definition.spec.versions.find(({ storage }) => storage)?.name;
  if (stored !== undefined && !status.storedVersions?.includes(stored)) status.storedVersions = [...(status.storedVersions ?? []), stored];

  const { accepted, conflict } = acceptNames(names, await namesInUse(definition, reader), status.acceptedNames);
  status.acceptedNames = accepted;
  if (conflict === undefined) {
    setCondition(status, now, { type: "NamesAccepted", status: "True", reason: "NoConflicts", message: "no conflicts found" });
    if (!isTrue(status, "Established")) {
      setCondition(status, now, {
        type: "Established",
        status: "True",
        reason: "InitialNamesAccepted",
        message: "the initial names have been accepted",
      });
    }
    return;
  }
  setCondition(status, now, { type: "NamesAccepted", status: "False", ...conflict });
  if (!isTrue(status, "Established")) {
    setCondition(status, now, { type: "Established", status: "False", reason: "NotAccepted", message: "not all names are accepted" });
  }
}

const isTrue = ({ conditions = [] }: Status, wanted: string): boolean =>
  conditions.some(({ type, status }) => type === wanted && status === "True");

function setCondition(status: Status, now: Date, condition: Condition): void {
  const known = status.conditions?.find(({ type }) => type === condition.type);
  const lastTransitionTime = known?.status === condition.status ? (known.lastTransitionTime ?? seconds(now)) : seconds(now);
  status.conditions = withCondition(status.conditions ?? [], { ...condition, lastTransitionTime });
}

interface InUse {
  readonly resources: ReadonlySet<string>;
  readonly kinds: ReadonlySet<string>;
}

/** What other definitions of the group, and built-in kinds in it, are called. */
async function namesInUse({ spec, metadata }: Definition, reader: AdmissionReader): Promise<InUse> {
  const others = (await reader.list(customResourceDefinitions)).filter(
    (other) => other.spec.group === spec.group && other.metadata.name !== metadata.name,
  );
  const resources = new Set<string>();
  const kinds = new Set<string>();
  const add = ({ plural, singular, shortNames = [], kind, listKind }: Names) => {
    for (const name of [plural, singular, ...shortNames]) if (name) resources.add(name);
    for (const name of [kind, listKind]) if (name) kinds.add(name);
  };
  for (const { status } of others) if (status?.acceptedNames) add(status.acceptedNames);
  for (const kind of builtinKinds()) {
    if (kind.group !== spec.group) continue;
    const { plural, singular, listKind } = kind;
    add({ plural, singular, listKind, kind: kind.kind, shortNames: [...kind.shortNames] });
  }
  return { resources, kinds };
}

/**
 * The names that are free, or the definition's already. Where somebody else has a name, the definition keeps the one that it had.
 * @returns the last conflict, too, with upstream's reason; undefined when all names were accepted
 */
function acceptNames(
  wanted: Names,
  { resources, kinds }: InUse,
  { shortNames: ownShortNames = [], ...own }: Names = { plural: "", kind: "" },
): { readonly accepted: Names; readonly conflict: Pick<Condition, "reason" | "message"> | undefined } {
  let conflict: Pick<Condition, "reason" | "message"> | undefined;
  const accepted: Names = { ...clone(own), ...(wanted.categories && { categories: [...wanted.categories] }) };
  const isFree = (reason: string, names: readonly string[], used: ReadonlySet<string>): boolean => {
    const taken = names.filter((name) => used.has(name)).map((name) => `${quote(name)} is already in use`);
    if (taken.length > 0) conflict = { reason, message: taken.length === 1 ? String(taken[0]) : `[${taken.join(", ")}]` };
    return taken.length === 0;
  };
  const accept = (field: "plural" | "singular" | "kind" | "listKind", reason: string, used: ReadonlySet<string>): void => {
    const name = wanted[field];
    if (name !== undefined && (name === own[field] || isFree(reason, [name], used))) accepted[field] = name;
  };
  accept("plural", "PluralConflict", resources);
  accept("singular", "SingularConflict", resources);
  const { shortNames = [] } = wanted;
  const newShortNames = shortNames.filter((name) => !ownShortNames.includes(name));
  const kept = isFree("ShortNamesConflict", newShortNames, resources) ? shortNames : ownShortNames;
  if (kept.length > 0) accepted.shortNames = [...kept];
  accept("kind", "KindConflict", kinds);
  accept("listKind", "ListKindConflict", kinds);
  return { accepted, conflict };
}
