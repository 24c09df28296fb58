/** The API function as it is deployed (server, registry, admission, store), over a table in memory and spoken to in process. */
import { createApi } from "../../shared/app/api.ts";
import { type Config, readConfig } from "../../shared/app/config.ts";
import { type Core, createCore } from "../../shared/app/core.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import { type Log, silentLog } from "../../shared/runtime/log.ts";
import type { Server } from "../../shared/server/create-server.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import type { Table } from "../../shared/store/table.ts";
import { fakeClock } from "./fake-clock.ts";
import { type Asking, sha256 } from "./test-server.ts";

export interface ApiServer {
  readonly core: Core;
  readonly server: Server;
  readonly table: Table;
  ask(path: string, asking?: Asking): Promise<Response>;
  /** The answer's body as JSON. */
  json(path: string, asking?: Asking): Promise<any>;
}

export interface ApiServerSetup {
  readonly clock?: Clock;
  readonly table?: Table;
  readonly log?: Log;
  readonly config?: Partial<Config>;
}

/** The administrator's token is `admin`. */
export async function apiServer({ clock = fakeClock(), table = memoryTable({ clock }), log = silentLog, config }: ApiServerSetup = {}) {
  const defaults = readConfig({
    BINNACLE_TABLE: "table",
    AWS_REGION: "eu-central-1",
    BINNACLE_ADMIN_TOKENS_SHA256: JSON.stringify([sha256("admin")]),
    BINNACLE_PUBLIC_URL: "https://k8s.test",
  });
  const core = createCore({ config: { ...defaults, ...config }, table, checkTable: async () => {}, clock, log });
  await core.ready();
  const server = createApi({ core, logs: { getLogEvents: async () => undefined } });

  const ask = (path: string, { method = "GET", token = "admin", headers = {}, body, ...fetchOptions }: Asking = {}) => {
    const isText = body === undefined || typeof body === "string" || body instanceof Uint8Array;
    return server.fetch(
      new Request(`https://k8s.test${path}`, {
        method,
        headers: {
          ...(token && { authorization: `Bearer ${token}` }),
          ...(!isText && { "content-type": "application/json" }),
          ...headers,
        },
        ...(body !== undefined && { body: (isText ? body : JSON.stringify(body)) as string }),
      }),
      fetchOptions,
    );
  };
  const result: ApiServer = { core, server, table, ask, json: async (path, asking = {}) => (await ask(path, asking)).json() };
  return result;
}
