/** Deleting an object: finalizers and grace periods mark it first, and only what nothing holds goes at once. */
import { admit, validate } from "../admission/chain.ts";
import { wholeNumber } from "../api/json.ts";
import type { AnyObject, Kind, Propagation } from "../api/kind.ts";
import { forbidden, invalid, notFound } from "../errors/status-error.ts";
import type { Stored, Verdict } from "../store/store.ts";
import { lifecycleOf } from "./lifecycle.ts";
import { checkDeletable, checkWritable } from "./preconditions.ts";
import { present } from "./present.ts";
import type { DeleteAnswer, DeleteParameters } from "./registry.ts";
import { clone, same, seconds } from "./values.ts";
import { toStorage } from "./versions.ts";
import { commit, type Write } from "./write.ts";

/** A write that deletes; its other parameters say nothing. */
export type Deletion = Omit<Write, "parameters"> & {
  readonly parameters: DeleteParameters & Pick<Write["parameters"], "guard" | "consumer">;
};

const orphanFinalizer = "orphan";
const foregroundFinalizer = "foregroundDeletion";

export async function deleteObject(deletion: Deletion): Promise<DeleteAnswer> {
  checkOptions(deletion.parameters);
  let warnings: string[] = [];
  const written = await commit(deletion, (current, { now }) => {
    warnings = [];
    if (current === undefined) throw notFound(deletion.kind, deletion.key.name);
    const previous = present(deletion.kind, current);
    const needed = deletion.kind.behaviour.undeletable?.(previous);
    if (needed !== undefined) throw forbidden(deletion.kind, deletion.key.name, needed);
    // Namespaces have their own words for it.
    const check = deletion.kind.storage === "namespaces" ? checkWritable : checkDeletable;
    check(deletion.kind, previous.metadata, deletion.parameters.preconditions ?? {});
    const { mutating, validating } = deletion.admission.concerned(deletion.kind, "DELETE", deletion.subresource);
    if (mutating.length === 0 && validating.length === 0) return judge(deletion, current, previous, now);
    return admitted(deletion, current, previous, now, (text) => warnings.push(text));
  });
  deletion.context.warnings.push(...warnings, ...propagationWarnings(deletion));
  return { type: written.type === "deleted" ? "deleted" : "marked", object: written.object };
}

async function admitted(
  deletion: Deletion,
  current: Stored,
  previous: AnyObject,
  now: Date,
  warn: (text: string) => void,
): Promise<Verdict> {
  const { kind, key, subresource, context, parameters, reader } = deletion;
  const concerned = deletion.admission.concerned(kind, "DELETE", subresource);
  const request = {
    operation: "DELETE",
    kind,
    key,
    subresource,
    object: undefined,
    previous,
    cluster: context.cluster,
    user: context.user,
    dryRun: parameters.dryRun,
    now,
    warn,
    // No plugin does anything elsewhere for a deletion.
    onFailure: () => {},
  } as const;
  await admit(concerned, request, reader);
  await validate(concerned, request, reader);
  return judge(deletion, current, previous, now);
}

function judge({ kind, parameters }: Deletion, current: Stored, previous: AnyObject, now: Date): Verdict {
  const next = clone(previous);
  const end = mark(kind, next, previous, parameters, now);
  if (end === "pending") return { type: "unchanged" };
  const value = toStorage(kind, next);
  if (end === "gone") return { type: "delete", value };
  return same(value, current.value) ? { type: "unchanged" } : { type: "put", value };
}

/** What a deletion makes of an object, in place: it goes, it stays marked, or an earlier deletion is still under way. */
function mark(kind: Kind, next: AnyObject, previous: AnyObject, parameters: DeleteParameters, now: Date): "gone" | "marked" | "pending" {
  const { metadata } = next;
  const lifecycle = lifecycleOf(kind);
  if (lifecycle.markDeleted && previous.metadata.deletionTimestamp === undefined) {
    metadata.deletionTimestamp = seconds(now);
    setFinalizers(next, finalizersFor(kind, next, parameters));
    lifecycle.markDeleted(next, now);
    return "marked";
  }
  if (lifecycle.isHeld?.(previous)) return "pending";

  const grace = beginGrace(kind, next, parameters, now);
  if (grace === "pending") return "pending";
  setFinalizers(next, finalizersFor(kind, next, parameters));
  const held = (metadata.finalizers ?? []).length > 0;
  if (grace !== undefined) return held || grace > 0 ? "marked" : "gone";
  if (!held) return "gone";
  if (metadata.deletionTimestamp === undefined) {
    if (metadata.generation) metadata.generation += 1;
    metadata.deletionTimestamp = seconds(now);
  } else if (Date.parse(metadata.deletionTimestamp) > now.getTime()) {
    metadata.deletionTimestamp = seconds(now);
  }
  metadata.deletionGracePeriodSeconds = 0;
  return "marked";
}

/** The last second that a timestamp of Kubernetes can name. */
const latest = Date.parse("9999-12-31T23:59:59Z");

/**
 * Starts or shortens a graceful deletion, in place.
 * @returns the grace period in seconds; undefined when the object is not deleted gracefully (or has no grace left); "pending" when a
 *   graceful deletion is under way and this one asks for nothing sooner
 */
function beginGrace(kind: Kind, object: AnyObject, parameters: DeleteParameters, now: Date): number | "pending" | undefined {
  const { metadata } = object;
  if (!kind.behaviour.gracePeriodSeconds) return undefined;
  const asked = parameters.gracePeriodSeconds;
  const requested = asked === undefined ? undefined : asked < 0 ? 1 : wholeNumber(asked);
  if (metadata.deletionTimestamp !== undefined) {
    const running = metadata.deletionGracePeriodSeconds ?? 0;
    if (running === 0) return undefined;
    if (requested === undefined || requested >= running) return "pending";
    // Only ever shorter: the deadline moves back, but not into the past.
    const begun = Date.parse(metadata.deletionTimestamp) - running * 1_000;
    const deadline = begun + requested * 1_000;
    const isOver = deadline < now.getTime();
    metadata.deletionTimestamp = seconds(isOver ? now : new Date(deadline));
    metadata.deletionGracePeriodSeconds = isOver && requested !== 0 ? 1 : requested;
    return metadata.deletionGracePeriodSeconds;
  }
  const grace = kind.behaviour.gracePeriodSeconds(object, requested);
  if (grace === undefined) return undefined;
  metadata.deletionTimestamp = seconds(new Date(Math.min(now.getTime() + grace * 1_000, latest)));
  metadata.deletionGracePeriodSeconds = grace;
  if (metadata.generation) metadata.generation += 1;
  return grace;
}

function setFinalizers({ metadata }: AnyObject, finalizers: readonly string[]): void {
  const before = new Set(metadata.finalizers);
  if (before.size === finalizers.length && finalizers.every((finalizer) => before.has(finalizer))) return;
  if (finalizers.length === 0) delete metadata.finalizers;
  else metadata.finalizers = [...finalizers];
}

/** The object's finalizers with those that tell the garbage collector what becomes of its dependents. */
function finalizersFor(kind: Kind, { metadata }: AnyObject, parameters: DeleteParameters): string[] {
  const present = metadata.finalizers ?? [];
  const rest = present.filter((finalizer) => finalizer !== orphanFinalizer && finalizer !== foregroundFinalizer);
  const policy = propagation(kind, present, parameters);
  const told = { Orphan: [orphanFinalizer], Foreground: [foregroundFinalizer], Background: [] }[policy];
  return [...rest, ...told];
}

/** What was asked for; else what the object's finalizers already say; else the kind's own way. */
function propagation(kind: Kind, finalizers: readonly string[], { orphanDependents, propagationPolicy }: DeleteParameters): Propagation {
  if (orphanDependents !== undefined) return orphanDependents ? "Orphan" : "Background";
  if (propagationPolicy !== undefined) return propagationPolicy;
  const known = finalizers.find((finalizer) => finalizer === orphanFinalizer || finalizer === foregroundFinalizer);
  if (known !== undefined) return known === orphanFinalizer ? "Orphan" : "Foreground";
  return kind.behaviour.defaultPropagation ?? "Background";
}

/** What somebody should hear who did not say what becomes of the dependents. */
function propagationWarnings({ kind, parameters, context }: Deletion): string[] {
  const { unsaidPropagationWarning: warning } = kind.behaviour;
  const isSaid = parameters.propagationPolicy !== undefined || parameters.orphanDependents !== undefined;
  // A collection is many deletions, and one warning.
  return warning === undefined || isSaid || context.warnings.includes(warning) ? [] : [warning];
}

const policies: ReadonlySet<string> = new Set(["Background", "Foreground", "Orphan"]);

/** @throws {StatusError} Invalid */
export function checkOptions({ orphanDependents, propagationPolicy }: DeleteParameters): void {
  if (propagationPolicy === undefined) return;
  const value = JSON.stringify(propagationPolicy);
  if (orphanDependents !== undefined) {
    throw badPolicy("FieldValueInvalid", `Invalid value: ${value}: orphanDependents and deletionPropagation cannot be both set`);
  }
  if (!policies.has(propagationPolicy)) {
    throw badPolicy("FieldValueNotSupported", `Unsupported value: ${value}: supported values: "Foreground", "Background", "Orphan", "nil"`);
  }
}

const badPolicy = (reason: "FieldValueInvalid" | "FieldValueNotSupported", message: string) =>
  invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", [{ reason, field: "propagationPolicy", message }]);
