/** Creating an object: its name, its system fields, admission, validation, and the slot. */
import { randomUUID } from "node:crypto";
import { admit, validate } from "../admission/chain.ts";
import type { AdmissionRequest } from "../admission/plugin.ts";
import type { AnyObject } from "../api/kind.ts";
import { generateName } from "../api/names.ts";
import type { JsonObject } from "../api/objects.ts";
import { alreadyExists, badRequest, forbidden, groupResource, StatusError } from "../errors/status-error.ts";
import type { Judging, Verdict } from "../store/store.ts";
import { checkCreation, warningsOf } from "./checks.ts";
import { decodeBody } from "./decode.ts";
import { lifecycleOf } from "./lifecycle.ts";
import { dedupeOwners, placeInNamespace, setFirstGeneration, wipeSystemFields } from "./metadata.ts";
import { own } from "./ownership.ts";
import { present } from "./present.ts";
import { type Undo, undoList } from "./undo.ts";
import { clone, seconds } from "./values.ts";
import { toStorage } from "./versions.ts";
import { allocate, commit, type Judge, type Write } from "./write.ts";

/** Names tried for one `generateName` before giving up, as upstream. */
const nameTries = 8;

export async function createObject(write: Write, body: JsonObject): Promise<AnyObject> {
  const { kind, context, parameters } = write;
  const warn = (text: string) => context.warnings.push(text);
  const draft = decodeBody(kind, body, parameters, warn);
  wipeSystemFields(draft);
  placeInNamespace(kind, draft, write.key.namespace);
  if (write.key.name !== "" && draft.metadata.name && draft.metadata.name !== write.key.name) {
    throw badRequest(`the name of the object (${draft.metadata.name}) does not match the name on the URL (${write.key.name})`);
  }
  if (draft.metadata.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
  const candidate = await admitCreation(write, draft, warn);
  const { generateName: base, name } = candidate.metadata;
  if (name || !base) return insert(write, candidate);
  for (let attempt = 1; ; attempt += 1) {
    const named = clone(candidate);
    named.metadata.name = generateName(base, write.random);
    kind.behaviour.defaults?.(named);
    try {
      return await insert(write, named);
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== "AlreadyExists") throw error;
      if (attempt === nameTries) throw noFreeName(write, named.metadata.name);
    }
  }
}

/**
 * A draft on its way to being stored: owned by its manager, completed by admission.
 * @returns the draft, which the caller owns
 */
export async function admitCreation(write: Write, draft: AnyObject, warn: (text: string) => void): Promise<AnyObject> {
  dedupeOwners(draft, warn);
  const writer = { manager: write.parameters.fieldManager, subresource: write.subresource, now: write.clock.now() };
  return admitOwned(write, own(write.kind, undefined, draft, writer), warn);
}

/** The same for a draft whose ownership is booked already (server-side apply). */
export async function admitOwned(write: Write, owned: AnyObject, warn: (text: string) => void): Promise<AnyObject> {
  if (write.kind.isGoing) {
    throw forbidden(write.kind, owned.metadata.name ?? "", "create not allowed while custom resource definition is terminating");
  }
  await admit(write.admission.concerned(write.kind, "CREATE", write.subresource), creationRequest(write, owned, warn), write.reader);
  dedupeOwners(owned, warn, true);
  return owned;
}

export const creationRequest = (write: Write, object: AnyObject, warn: (text: string) => void, undo?: Undo): AdmissionRequest => ({
  operation: "CREATE",
  kind: write.kind,
  key: { namespace: write.key.namespace, name: object.metadata.name ?? "" },
  subresource: write.subresource,
  object,
  previous: undefined,
  cluster: write.context.cluster,
  user: write.context.user,
  dryRun: write.parameters.dryRun,
  now: write.clock.now(),
  warn,
  onFailure: (takeBack) => undo?.add(takeBack),
});

/** Completes and checks an admitted object. @throws {StatusError} Invalid, Forbidden */
export async function completeCreation(
  write: Write,
  object: AnyObject,
  uid: string,
  now: Date,
  warn: (text: string) => void,
  undo: Undo,
): Promise<void> {
  const { kind } = write;
  delete (object.metadata as Partial<AnyObject["metadata"]>).resourceVersion;
  object.metadata.uid = uid;
  object.metadata.creationTimestamp = seconds(now);
  kind.behaviour.prepareForCreate?.(object);
  const lifecycle = lifecycleOf(kind);
  await lifecycle.beforeCreate?.(object, now, write.reader, write.context.user);
  setFirstGeneration(kind, object);
  checkCreation(kind, object, await lifecycle.foreignProblems?.(object, undefined, write.reader, ""));
  for (const text of warningsOf(kind, object, undefined)) warn(text);
  await validate(write.admission.concerned(kind, "CREATE", write.subresource), creationRequest(write, object, warn, undo), write.reader);
}

async function insert(write: Write, object: AnyObject): Promise<AnyObject> {
  const undo = undoList();
  try {
    return await insertOnce(write, object, undo);
  } catch (error) {
    await undo.after(error);
    throw error;
  }
}

async function insertOnce(write: Write, object: AnyObject, undo: Undo): Promise<AnyObject> {
  const { kind, context } = write;
  const key = { namespace: write.key.namespace, name: object.metadata.name };
  await completeCreation(write, object, randomUUID(), write.clock.now(), (text) => context.warnings.push(text), undo);
  const value = toStorage(kind, object);
  const named = { ...write, key };
  const allocates = lifecycleOf(kind).allocate !== undefined;
  const judge: Judge = (current, judging) => {
    if (current !== undefined) return { type: "refused", error: taken(write, key.name, present(kind, current)) };
    if (allocates) return allocated(named, object, judging);
    const metadata = { ...(value.metadata as JsonObject), creationTimestamp: seconds(judging.now) };
    return { type: "put", value: { ...value, metadata } };
  };
  return (await commit(named, judge)).object;
}

async function allocated(write: Write, object: AnyObject, judging: Judging): Promise<Verdict> {
  const next = clone(object);
  next.metadata.creationTimestamp = seconds(judging.now);
  await allocate(write, next, undefined, judging);
  return { type: "put", value: toStorage(write.kind, next) };
}

function taken({ kind }: Write, name: string, current: AnyObject): StatusError {
  const error = alreadyExists(kind, name);
  if (current.metadata.deletionTimestamp === undefined) return error;
  return new StatusError("AlreadyExists", `object is being deleted: ${error.message}`, error.details && { details: error.details });
}

function noFreeName({ kind }: Write, name: string): StatusError {
  const { details } = alreadyExists(kind, name);
  return new StatusError(
    "AlreadyExists",
    `${groupResource(kind)} ${JSON.stringify(name)} already exists, the server was not able to generate a unique name for the object`,
    { details: { ...details, retryAfterSeconds: 1 } },
  );
}
