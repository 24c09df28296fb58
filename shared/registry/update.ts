/** Changing an object: the wanted state against the newest one, judged at the moment of the commit. */
import { randomUUID } from "node:crypto";
import { admit, type Concerned, validate } from "../admission/chain.ts";
import type { AdmissionRequest } from "../admission/plugin.ts";
import type { AnyObject, Problem } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { invalid, notFound } from "../errors/status-error.ts";
import type { Judging, Stored, Verdict } from "../store/store.ts";
import { checkSubresourceUpdate, checkUpdate, warningsOf } from "./checks.ts";
import { admitCreation, admitOwned, completeCreation } from "./create.ts";
import { decodeBody } from "./decode.ts";
import { lifecycleOf } from "./lifecycle.ts";
import {
  advanceGeneration,
  checkName,
  dedupeOwners,
  keepGeneration,
  keepSystemFields,
  placeInNamespace,
  wipeSystemFields,
} from "./metadata.ts";
import { own } from "./ownership.ts";
import { modified, uidMismatch } from "./preconditions.ts";
import { present } from "./present.ts";
import { type Undo, undoList } from "./undo.ts";
import { same, sharing, without } from "./values.ts";
import { storageVersion, toStorage } from "./versions.ts";
import { allocate, commit, type Write, type Written } from "./write.ts";

/** What an object should become. */
export interface Wanted {
  /** Decoded and defaulted; nobody else's. */
  readonly object: AnyObject;
  /** Ownership of fields has been booked already (server-side apply). */
  readonly owned: boolean;
}

/** How an endpoint changes objects: the object itself, its status, or another part. */
export interface Endpoint {
  /** Takes from `previous` what the endpoint may not change, in place. */
  prepare(next: AnyObject, previous: AnyObject, now: Date): void;
  /** Problems beyond metadata; undefined: the kind's full validation. */
  readonly problems?: (next: AnyObject, previous: AnyObject) => Problem[];
}

export interface Update {
  /** Called again with a newer state after a lost race. @throws {StatusError} */
  readonly wanted: (current: AnyObject | undefined, now: Date) => Wanted;
  readonly endpoint: Endpoint;
  /** Makes the object where it does not exist, instead of 404. */
  readonly creates: boolean;
  /** Refused when the object has another uid. */
  readonly uid?: string | undefined;
}

/** PUT of the object or its status. */
export async function updateObject(write: Write, body: JsonObject, endpoint: Endpoint): Promise<Written> {
  const { kind, key, context, parameters } = write;
  const decoded = (warn: (text: string) => void): AnyObject => {
    const object = decodeBody(kind, body, parameters, warn);
    placeInNamespace(kind, object, key.namespace);
    checkName(object, key.name);
    dedupeOwners(object, warn);
    return object;
  };
  const first = decoded((text) => context.warnings.push(text));
  const uid = first.metadata.uid || undefined;
  let unused: AnyObject | undefined = first;
  return change(write, {
    // A judge may be asked more than once, and changes on its way what it was given.
    wanted: () => {
      const object = unused ?? decoded(() => {});
      unused = undefined;
      return { object, owned: false };
    },
    endpoint,
    creates: write.subresource === "" && (kind.behaviour.allowCreateOnUpdate ?? false),
    uid,
  });
}

/** Carries an update through: judged on the newest state, as often as the race for the slot asks for. */
export async function change(write: Write, update: Update): Promise<Written> {
  const uid = randomUUID();
  const undo = undoList();
  let warnings: string[] = [];
  try {
    const written = await commit(write, (current, judging) => {
      warnings = [];
      return current === undefined
        ? creation(write, update, uid, judging, warnings, undo)
        : transition(write, update, current, judging, warnings, undo);
    });
    write.context.warnings.push(...warnings);
    return written;
  } catch (error) {
    await undo.after(error);
    throw error;
  }
}

async function creation(write: Write, update: Update, uid: string, judging: Judging, warnings: string[], undo: Undo): Promise<Verdict> {
  // What an earlier attempt did, whose slot was lost.
  await undo.all();
  const { now } = judging;
  const { kind, key } = write;
  if (!update.creates) throw notFound(kind, key.name);
  if (update.uid !== undefined) throw uidMismatch(kind, key.name, update.uid, "");
  const warn = (text: string) => warnings.push(text);
  const { object, owned } = update.wanted(undefined, now);
  wipeSystemFields(object);
  placeInNamespace(kind, object, key.namespace);
  checkName(object, key.name);
  const admitted = owned ? await admitOwned(write, object, warn) : await admitCreation(write, object, warn);
  await completeCreation(write, admitted, uid, now, warn, undo);
  await allocate(write, admitted, undefined, judging);
  return { type: "put", value: toStorage(kind, admitted) };
}

function transition(
  write: Write,
  update: Update,
  current: Stored,
  judging: Judging,
  warnings: string[],
  undo: Undo,
): Verdict | Promise<Verdict> {
  const { now } = judging;
  const { kind, key, subresource, parameters } = write;
  const previous = present(kind, current);
  if (update.uid !== undefined && update.uid !== previous.metadata.uid)
    throw uidMismatch(kind, key.name, update.uid, previous.metadata.uid);
  const { object: wanted, owned } = update.wanted(previous, now);
  placeInNamespace(kind, wanted, key.namespace);
  checkName(wanted, key.name);
  checkRevision(write, wanted, previous);
  const writer = { manager: parameters.fieldManager, subresource, now };
  const next = owned ? wanted : own(kind, previous, wanted, writer);

  const warn = (text: string) => warnings.push(text);
  const concerned = write.admission.concerned(kind, "UPDATE", subresource);
  const lifecycle = lifecycleOf(kind);
  const isPlain =
    concerned.mutating.length === 0 &&
    concerned.validating.length === 0 &&
    !lifecycle.beforeUpdate &&
    !lifecycle.allocate &&
    !lifecycle.foreignProblems;
  // Most updates concern no plugin: they are judged without giving up the turn.
  if (isPlain) {
    complete(write, update, next, previous, now);
    return verdictOf(write, update, next, previous, current, warn);
  }
  return admitted(write, update, next, previous, current, concerned, judging, warn, undo);
}

async function admitted(
  write: Write,
  update: Update,
  next: AnyObject,
  previous: AnyObject,
  current: Stored,
  concerned: Concerned,
  judging: Judging,
  warn: (text: string) => void,
  undo: Undo,
): Promise<Verdict> {
  await undo.all();
  const { kind, key, subresource, context, parameters, reader } = write;
  const { now } = judging;
  const request: AdmissionRequest = {
    operation: "UPDATE",
    kind,
    key,
    subresource,
    object: next,
    previous,
    cluster: context.cluster,
    user: context.user,
    dryRun: parameters.dryRun,
    now,
    warn,
    onFailure: (takeBack) => undo.add(takeBack),
  };
  await admit(concerned, request, reader);
  complete(write, update, next, previous, now);
  const lifecycle = lifecycleOf(kind);
  await lifecycle.beforeUpdate?.(next, previous, now, reader);
  const foreign = await lifecycle.foreignProblems?.(next, previous, reader, subresource);
  if (subresource === "") await allocate(write, next, previous, judging);
  const verdict = verdictOf(write, update, next, previous, current, warn, foreign);
  if (verdict.type !== "unchanged") await validate(concerned, request, reader);
  return verdict;
}

function complete({ kind, subresource }: Write, { endpoint }: Update, next: AnyObject, previous: AnyObject, now: Date): void {
  endpoint.prepare(next, previous, now);
  keepSystemFields(next, previous);
  if (subresource === "status") keepGeneration(next, previous);
  else advanceGeneration(kind, next, previous);
  next.metadata.resourceVersion = previous.metadata.resourceVersion;
}

function verdictOf(
  { kind }: Write,
  { endpoint }: Update,
  next: AnyObject,
  previous: AnyObject,
  current: Stored,
  warn: (text: string) => void,
  foreign: readonly Problem[] = [],
): Verdict {
  dedupeOwners(next, warn, true);
  if (endpoint.problems === undefined) checkUpdate(kind, next, previous, foreign);
  else checkSubresourceUpdate(kind, next, previous, [...foreign, ...endpoint.problems(next, previous)]);
  if (endpoint.problems === undefined) for (const text of warningsOf(kind, next, previous)) warn(text);
  const value = sharing(toStorage(kind, next), current.value);
  if (mayGo(next, previous) && !lifecycleOf(kind).isHeld?.(next)) return { type: "delete", value };
  if (isNoChange(value, current.value) && current.value.apiVersion === storageVersion(kind)) return { type: "unchanged" };
  return { type: "put", value };
}

/** The last finalizer of an object that is being deleted has gone, and no grace period is left. */
const mayGo = (next: AnyObject, previous: AnyObject): boolean =>
  (next.metadata.finalizers ?? []).length === 0 &&
  previous.metadata.deletionTimestamp !== undefined &&
  (previous.metadata.deletionGracePeriodSeconds ?? 0) === 0;

/** Times of field ownership alone are no change: who repeats himself writes nothing. */
function isNoChange(next: JsonObject, current: JsonObject): boolean {
  return same(withoutTimes(next), withoutTimes(current));
}

function withoutTimes(value: JsonObject): JsonObject {
  const metadata = value.metadata as JsonObject & { managedFields?: readonly JsonObject[] };
  if (metadata.managedFields === undefined) return value;
  return { ...value, metadata: { ...metadata, managedFields: metadata.managedFields.map((entry) => without(entry, "time")) } };
}

/** @throws {StatusError} Conflict when the body was made from another state; Invalid when it names none and has to */
function checkRevision({ kind, key }: Write, wanted: AnyObject, previous: AnyObject): void {
  const revision = wanted.metadata.resourceVersion;
  if (!revision || revision === "0") {
    if (kind.behaviour.allowUnconditionalUpdate !== false) return;
    throw invalid({ group: kind.group, kind: kind.plural }, key.name, [
      { reason: "FieldValueInvalid", field: "metadata.resourceVersion", message: "Invalid value: 0: must be specified for an update" },
    ]);
  }
  if (revision !== previous.metadata.resourceVersion) throw modified(kind, key.name);
}
