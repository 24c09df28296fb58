/** The server over a fake registry, spoken to like a server. */
import { createHash } from "node:crypto";
import type { Kind } from "../../shared/api/kind.ts";
import { adminAuthorizer } from "../../shared/auth/admin-authorizer.ts";
import type { Authenticator } from "../../shared/auth/auth.ts";
import { tokenAuthenticator } from "../../shared/auth/token-authenticator.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { createServer, type FetchOptions, type ServerOptions } from "../../shared/server/create-server.ts";
import { fakeClock } from "./fake-clock.ts";
import { fakeRegistry } from "./fake-registry.ts";
import { plainKinds } from "./plain-kinds.ts";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Knows an administrator by `admin`, and `alice`, who is nobody in particular. */
const administrators = tokenAuthenticator([sha256("admin")]);
const people: Authenticator = {
  async authenticate(request) {
    if (request.headers.get("authorization") !== "Bearer alice") return administrators.authenticate(request);
    return { username: "alice", groups: ["system:authenticated"] };
  },
};

export interface Asking extends FetchOptions {
  readonly method?: string;
  /** Sent as `Bearer`; `admin` unless told otherwise, empty for none. */
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON. */
  readonly body?: unknown;
}

export function testServer({ kinds = plainKinds(), ...options }: Partial<ServerOptions> & { readonly kinds?: readonly Kind[] } = {}) {
  const registry = fakeRegistry(kinds);
  const clock = fakeClock();
  const server = createServer({
    registry,
    clock,
    authenticator: people,
    authorizer: adminAuthorizer(),
    log: silentLog,
    version: "1.2.3",
    newId: () => "audit-1",
    ...options,
  });
  const ask = (path: string, { method = "GET", token = "admin", headers = {}, body, ...fetchOptions }: Asking = {}) => {
    const text = body === undefined || typeof body === "string" || body instanceof Uint8Array ? body : JSON.stringify(body);
    return server.fetch(
      new Request(`https://k8s.test${path}`, {
        method,
        headers: {
          ...(token && { authorization: `Bearer ${token}` }),
          ...(typeof body === "object" && !(body instanceof Uint8Array) && { "content-type": "application/json" }),
          ...headers,
        },
        ...(text !== undefined && { body: text as string }),
      }),
      fetchOptions,
    );
  };
  return {
    registry,
    clock,
    server,
    ask,
    /** The answer's body as JSON. */
    json: async (path: string, asking: Asking = {}): Promise<any> => (await ask(path, asking)).json(),
  };
}

export const aConfigMap = (name: string, more: object = {}) => ({ metadata: { name }, data: { key: "value" }, ...more });
