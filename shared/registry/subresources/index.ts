/** What stands behind each subresource. */

import { admit } from "../../admission/chain.ts";
import type { AnyObject, Kind } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import type { TokenIssuer } from "../../auth/tokens/token-issuer.ts";
import { badRequest } from "../../errors/status-error.ts";
import { creationRequest } from "../create.ts";
import { unknownResource } from "../errors.ts";
import { patchObject } from "../patch.ts";
import type { Patch } from "../registry.ts";
import { type Endpoint, updateObject } from "../update.ts";
import type { Write, Written } from "../write.ts";
import { approvalEndpoint } from "./approval.ts";
import { bindPod } from "./binding.ts";
import { ephemeralContainersEndpoint } from "./ephemeral-containers.ts";
import { type Budgets, evictPod } from "./eviction.ts";
import { finalizeEndpoint } from "./finalize.ts";
import { resizeEndpoint } from "./resize.ts";
import { getScale, patchScale, putScale } from "./scale.ts";
import { mainEndpoint, statusEndpoint } from "./status.ts";
import { requestToken } from "./token.ts";

/** Subresources that are the object itself, of which they change a part. */
const parts: Readonly<Record<string, (kind: Kind) => Endpoint>> = {
  "": mainEndpoint,
  status: statusEndpoint,
  finalize: finalizeEndpoint,
  approval: approvalEndpoint,
  ephemeralcontainers: ephemeralContainersEndpoint,
  resize: resizeEndpoint,
};

/** @throws {StatusError} NotFound when the kind does not serve it */
function checkServed(kind: Kind, subresource: string): void {
  if (subresource !== "" && !kind.subresources.some(({ name }) => name === subresource)) throw unknownResource();
}

function partOf(kind: Kind, subresource: string): Endpoint {
  checkServed(kind, subresource);
  const endpoint = parts[subresource];
  if (endpoint === undefined) throw unknownResource();
  return endpoint(kind);
}

/** What GET shows of an object through a subresource. */
export function shownBy(kind: Kind, subresource: string, object: AnyObject): AnyObject {
  checkServed(kind, subresource);
  if (subresource === "scale") return getScale(kind, object);
  if (parts[subresource] === undefined) throw unknownResource();
  return object;
}

/** PUT. */
export async function put(write: Write, body: JsonObject): Promise<Written> {
  checkServed(write.kind, write.subresource);
  if (write.subresource === "scale") return putScale(write, body);
  return updateObject(write, body, partOf(write.kind, write.subresource));
}

/** PATCH. */
export async function patch(write: Write, change: Patch): Promise<Written> {
  checkServed(write.kind, write.subresource);
  if (write.subresource === "scale") return patchScale(write, change);
  return patchObject(write, change, partOf(write.kind, write.subresource));
}

/** What some of them need besides the object itself. */
export interface PostContext {
  readonly budgets: Budgets;
  /** Absent: the server has nothing to sign tokens with. */
  readonly tokens: TokenIssuer | undefined;
}

/** POST. @returns the answer: mostly a Status that says it is done */
export async function post(write: Write, body: JsonObject, { budgets, tokens }: PostContext): Promise<AnyObject> {
  checkServed(write.kind, write.subresource);
  switch (write.subresource) {
    case "binding":
      await bindPod(write, body);
      return done;
    case "eviction":
      await admitPost(write);
      await evictPod(write, body, budgets);
      return done;
    case "token":
      await admitPost(write);
      return requestToken(write, body, tokens);
    default:
      throw badRequest(`nothing can be created through ${write.subresource}`);
  }
}

/** What is posted to a part of an object is created, too: not in a namespace that is being deleted. @throws {StatusError} Forbidden */
async function admitPost(write: Write): Promise<void> {
  const { kind, key, subresource, admission, reader, context } = write;
  const object = { metadata: { name: key.name } } as AnyObject;
  const request = creationRequest(write, object, (text) => context.warnings.push(text));
  await admit(admission.concerned(kind, "CREATE", subresource), request, reader);
}

/** `Status` of a success. */
const done = Object.freeze({
  kind: "Status",
  apiVersion: "v1",
  metadata: Object.freeze({}),
  status: "Success",
  code: 201,
}) as unknown as AnyObject;
