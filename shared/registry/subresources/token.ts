/**
 * `serviceaccounts/token`: a signed token of a ServiceAccount, for a Pod or for a person.
 * @see k8s.io/kubernetes/pkg/registry/core/serviceaccount/storage, token.go
 */
import type { KindRef } from "../../api/client.ts";
import type { Node, Pod, ServiceAccount, TokenRequestSpec } from "../../api/generated/types.ts";
import { wholeNumber } from "../../api/json.ts";
import type { AnyObject } from "../../api/kind.ts";
import { nodes, pods, secrets, serviceAccounts } from "../../api/kinds.ts";
import type { JsonObject, KubeObject, ObjectMeta } from "../../api/objects.ts";
import { type ObjectRef, refTo } from "../../auth/tokens/claims.ts";
import type { TokenIssuer } from "../../auth/tokens/token-issuer.ts";
import { badRequest, conflict, invalid, notFound, type StatusCause, StatusError } from "../../errors/status-error.ts";
import { seconds } from "../values.ts";
import type { Write } from "../write.ts";
import { decodePosted } from "./posted.ts";

const apiVersion = "authentication.k8s.io/v1";
const tokenRequestType = { definition: "io.k8s.api.authentication.v1.TokenRequest", kind: "TokenRequest", apiVersions: [apiVersion] };
const tokenRequests = { group: "authentication.k8s.io", kind: "TokenRequest", plural: "TokenRequest" };

const defaultSeconds = 60 * 60;
const leastSeconds = 10 * 60;
const mostSecondsAccepted = 2 ** 32;
/** What is asked beyond this is shortened, with a warning. */
const mostSecondsGiven = 365 * 24 * 60 * 60;
/** What the ServiceAccount plugin puts into every Pod; such tokens count longer than they say, for programs that never read them anew. */
const automaticSeconds = 60 * 60 + 7;
const extendedSeconds = 365 * 24 * 60 * 60;

/** @param tokens absent: this server has nothing to sign with */
export async function requestToken(write: Write, body: JsonObject, tokens: TokenIssuer | undefined): Promise<AnyObject> {
  if (!tokens) throw new StatusError("ServiceUnavailable", "this server does not issue service account tokens: it has no signing key");
  const { kind, key, context, reader, clock } = write;
  const { metadata, spec } = readRequest(write, body);
  const account: ServiceAccount | undefined = await reader.fresh(serviceAccounts, key);
  if (!account) throw notFound(kind, key.name);
  if (metadata.uid && metadata.uid !== account.metadata.uid) {
    throw conflict(
      tokenRequests,
      key.name,
      `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${account.metadata.uid})`,
    );
  }
  const own = tokens.audiences(context.cluster);
  const audiences = spec.audiences.length > 0 ? spec.audiences : own;
  const bound = await boundObject(write, spec.boundObjectRef);
  let { expirationSeconds } = spec;
  if (expirationSeconds > mostSecondsGiven) {
    context.warnings.push(`requested expiration of ${expirationSeconds} seconds shortened to ${mostSecondsGiven} seconds`);
    expirationSeconds = mostSecondsGiven;
  }
  const isExtended = bound.pod !== undefined && expirationSeconds === automaticSeconds && audiences.every((one) => own.includes(one));
  const now = clock.now();
  const token = await tokens.issue({
    cluster: context.cluster,
    account,
    audiences,
    expirationSeconds: isExtended ? extendedSeconds : expirationSeconds,
    ...(isExtended && { warnAfterSeconds: expirationSeconds }),
    ...bound,
  });
  return {
    kind: "TokenRequest",
    apiVersion,
    metadata: {
      ...metadata,
      name: account.metadata.name,
      namespace: account.metadata.namespace,
      uid: account.metadata.uid,
      creationTimestamp: seconds(now),
    },
    spec: { audiences, expirationSeconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token, expirationTimestamp: seconds(new Date(now.getTime() + expirationSeconds * 1000)) },
  } as unknown as AnyObject;
}

interface PostedRequest {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: TokenRequestSpec;
}

interface Request {
  readonly metadata: Partial<ObjectMeta>;
  readonly spec: {
    readonly audiences: readonly string[];
    readonly expirationSeconds: number;
    readonly boundObjectRef: TokenRequestSpec["boundObjectRef"];
  };
}

/** @throws {StatusError} BadRequest, Invalid */
function readRequest(write: Write, body: JsonObject): Request {
  const { key } = write;
  const { metadata = {}, spec = {} } = decodePosted(write, body, tokenRequestType) as PostedRequest;
  const refuse = (name: string, field: string, value: unknown, why: string) =>
    invalid(tokenRequests, name, [cause(field, `Invalid value: ${JSON.stringify(value)}: ${why}`)]);
  if (metadata.name && metadata.name !== key.name)
    throw refuse(key.name, "metadata.name", metadata.name, "must match the service account name if specified");
  const { audiences = [], boundObjectRef } = spec;
  const expirationSeconds = wholeNumber(spec.expirationSeconds ?? defaultSeconds);
  if (expirationSeconds < leastSeconds)
    throw refuse("", "spec.expirationSeconds", expirationSeconds, "may not specify a duration less than 10 minutes");
  if (expirationSeconds > mostSecondsAccepted)
    throw refuse("", "spec.expirationSeconds", expirationSeconds, "may not specify a duration larger than 2^32 seconds");
  return { metadata, spec: { audiences, expirationSeconds, boundObjectRef } };
}

const cause = (field: string, message: string): StatusCause => ({ reason: "FieldValueInvalid", field, message });

type Bound = { readonly pod?: ObjectRef; readonly secret?: ObjectRef; readonly node?: ObjectRef };

/** @throws {StatusError} NotFound, Conflict, BadRequest */
async function boundObject({ key, reader }: Write, reference: TokenRequestSpec["boundObjectRef"]): Promise<Bound> {
  if (!reference) return {};
  const { kind = "", name = "", uid, apiVersion: version = "" } = reference;
  const existing = async <T extends KubeObject>(ref: KindRef<T>): Promise<T> => {
    if (!name) throw badRequest("Name parameter required.");
    const found = await reader.fresh(ref, { namespace: ref.namespaced ? key.namespace : "", name });
    if (!found) throw notFound(ref, name);
    return found;
  };
  const checked = (object: KubeObject): ObjectRef => {
    if (!uid || uid === object.metadata.uid) return refTo(object);
    throw conflict(
      { group: version.includes("/") ? (version.split("/")[0] ?? "") : "", plural: kind },
      name,
      `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`,
    );
  };
  const isCore = !version.includes("/");
  if (isCore && kind === "Pod") {
    const pod: Pod = await existing(pods);
    if (pod.spec.serviceAccountName !== key.name)
      throw badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(key.name)} to pod running with different serviceaccount name.`,
      );
    const { nodeName } = pod.spec;
    const node: Node | undefined = nodeName ? await reader.get(nodes, { namespace: "", name: nodeName }) : undefined;
    return { pod: checked(pod), ...(nodeName && { node: node ? refTo(node) : { name: nodeName, uid: "" } }) };
  }
  if (isCore && kind === "Node") return { node: checked(await existing(nodes)) };
  if (isCore && kind === "Secret") return { secret: checked(await existing(secrets)) };
  const [group, short] = isCore ? ["", version] : version.split("/");
  throw badRequest(`cannot bind token to object of type ${group}/${short}, Kind=${kind}`);
}
