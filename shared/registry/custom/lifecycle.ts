/**
 * The life of a CustomResourceDefinition: its names are accepted and it is established in the write itself, so that whoever sees it
 * can use it; deleted, it stays until its objects are gone.
 */
import type { AdmissionReader } from "../../admission/plugin.ts";
import { builtinKinds } from "../../api/builtin-kinds.ts";
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import type { AnyObject } from "../../api/kind.ts";
import { customResourceDefinitions } from "../../api/kinds.ts";
import { isKnownFormat } from "../../api/string-formats.ts";
import type { Structural } from "../../api/structural.ts";
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
  const { format, type, items, properties = {}, additionalProperties, allOf = [], anyOf = [], oneOf = [], not } = schema;
  const parts = [...(items ? [items] : []), ...Object.values(properties), ...allOf, ...anyOf, ...oneOf, ...(not ? [not] : [])];
  if (typeof additionalProperties === "object") parts.push(additionalProperties);
  return [...(format && !isRecognized(format, type) ? [format] : []), ...parts.flatMap(unknownFormats)];
}

function isRecognized(format: string, type: string | undefined): boolean {
  if (type === "integer") return format === "int32" || format === "int64";
  if (type === "number") return format === "float" || format === "double";
  return (type === undefined || type === "" || type === "string") && isKnownFormat(format);
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

  const conflict = takenName(names, await namesInUse(definition, reader), status.acceptedNames);
  if (conflict === undefined) {
    status.acceptedNames = clone(names);
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
  // What it could not have it does not get; what was accepted once stays.
  status.acceptedNames ??= { plural: "", kind: "" };
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

/** The last name that somebody else has, with upstream's reason; undefined when all are free or its own already. */
function takenName(
  names: Names,
  { resources, kinds }: InUse,
  accepted: Names | undefined,
): Pick<Condition, "reason" | "message"> | undefined {
  const claims: readonly (readonly [reason: string, wanted: string | undefined, own: string | undefined, used: ReadonlySet<string>])[] = [
    ["PluralConflict", names.plural, accepted?.plural, resources],
    ["SingularConflict", names.singular, accepted?.singular, resources],
    ...(names.shortNames ?? []).map(
      (name) => ["ShortNamesConflict", name, accepted?.shortNames?.find((own) => own === name), resources] as const,
    ),
    ["KindConflict", names.kind, accepted?.kind, kinds],
    ["ListKindConflict", names.listKind, accepted?.listKind, kinds],
  ];
  const taken = claims.findLast(([, wanted, own, used]) => wanted !== undefined && wanted !== own && used.has(wanted));
  return taken && { reason: taken[0], message: `${JSON.stringify(taken[1])} is already in use` };
}
