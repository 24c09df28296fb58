/** Asking the authorizer, and what a refusal says. */
import type { Attributes, Authorizer, UserInfo } from "../auth/auth.ts";
import { forbidden, StatusError } from "../errors/status-error.ts";
import type { RequestInfo } from "./request-info.ts";

/** What a request wants, for the authorizer. */
export function attributesOf({ resource, verb, path }: RequestInfo): Attributes {
  if (!resource) return { type: "path", verb, path };
  const { group, version, plural, subresource, namespace, name } = resource;
  return { type: "resource", verb, group, version, resource: plural, subresource, namespace, name };
}

/** @throws {StatusError} Forbidden, in Kubernetes' words */
export async function requireAllowed(authorizer: Authorizer, user: UserInfo, attributes: Attributes, cluster: string): Promise<void> {
  const { allowed, reason } = await authorizer.authorize(user, attributes, cluster);
  if (!allowed) throw refusal(user, attributes, reason);
}

/** Names come from the request and may end up in a browser. */
const sanitise = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function refusal({ username }: UserInfo, attributes: Attributes, reason: string): StatusError {
  const who = `User ${JSON.stringify(username)} cannot ${attributes.verb}`;
  const because = reason ? `: ${reason}` : "";
  if (attributes.type === "path")
    return new StatusError("Forbidden", `forbidden: ${sanitise(`${who} path ${JSON.stringify(attributes.path)}`)}${because}`, {
      details: {},
    });
  const { group, resource, subresource, namespace, name } = attributes;
  const what = `${who} resource ${JSON.stringify(subresource ? `${resource}/${subresource}` : resource)} in API group ${JSON.stringify(group)}`;
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : "at the cluster scope";
  return forbidden({ group, plural: resource }, name, `${sanitise(`${what} ${where}`)}${because}`);
}
