/** Acting as somebody else: the `Impersonate-*` headers, each of them checked against the verb `impersonate`. */
import { badRequest } from "../errors/status-error.ts";
import { type Attributes, anonymous, type UserInfo } from "./auth.ts";

type Impersonated = Extract<Attributes, { type: "resource" }>;

const attributes = (group: string, resource: string, name: string, more: Partial<Impersonated> = {}): Impersonated => ({
  type: "resource",
  verb: "impersonate",
  group,
  version: group ? "v1" : "",
  resource,
  subresource: "",
  namespace: "",
  name,
  ...more,
});

/**
 * @param authorize rejects with Forbidden when the requesting user may not do that
 * @returns whom to act as: the user itself when no header asks for somebody else
 * @throws {StatusError} BadRequest, and what `authorize` throws
 */
export async function impersonate(
  user: UserInfo,
  headers: Headers,
  authorize: (attributes: Impersonated) => Promise<void>,
): Promise<UserInfo> {
  const username = headers.get("impersonate-user") ?? "";
  const uid = headers.get("impersonate-uid") ?? "";
  const groups = list(headers.get("impersonate-group"));
  const extra = extras(headers);
  if (username === "") {
    if (uid || groups.length > 0 || extra.length > 0)
      throw badRequest("requested impersonation of groups, extra values or a uid without impersonating a user");
    return user;
  }
  const serviceAccount = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username);
  await authorize(
    serviceAccount
      ? attributes("", "serviceaccounts", serviceAccount[2] ?? "", { namespace: serviceAccount[1] ?? "" })
      : attributes("", "users", username),
  );
  for (const group of groups) await authorize(attributes("", "groups", group));
  for (const { key, value } of extra) await authorize(attributes("authentication.k8s.io", "userextras", value, { subresource: key }));
  if (uid) await authorize(attributes("authentication.k8s.io", "uids", uid));

  const known = groups.length === 0 && serviceAccount ? ["system:serviceaccounts", `system:serviceaccounts:${serviceAccount[1]}`] : groups;
  return {
    username,
    groups: withAuthenticationGroup(username, known),
    ...(uid && { uid }),
    ...(extra.length > 0 && {
      extra: Object.fromEntries(
        [...Map.groupBy(extra, ({ key }) => key)].map(([key, entries]) => [key, entries.map(({ value }) => value)]),
      ),
    }),
  };
}

function withAuthenticationGroup(username: string, groups: readonly string[]): readonly string[] {
  if (username === anonymous.username) return groups.includes("system:unauthenticated") ? groups : [...groups, "system:unauthenticated"];
  const said = groups.includes("system:authenticated") || groups.includes("system:unauthenticated");
  return said ? groups : [...groups, "system:authenticated"];
}

/** Values of a repeated header; the Fetch API joins them with a comma and a space. */
const list = (value: string | null): string[] => (value === null ? [] : value.split(", ").filter((one) => one !== ""));

const extraPrefix = "impersonate-extra-";

const extras = (headers: Headers): { key: string; value: string }[] =>
  [...headers].flatMap(([name, value]) =>
    name.startsWith(extraPrefix) ? list(value).map((one) => ({ key: unescapeKey(name.slice(extraPrefix.length)), value: one })) : [],
  );

const unescapeKey = (key: string): string => {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
};
