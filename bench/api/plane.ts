/** The whole API in this process, over a store in memory, and requests to it as the function gets them. */
import { createHash } from "node:crypto";
import { createApi } from "../../shared/app/api.ts";
import type { Config } from "../../shared/app/config.ts";
import { createCore } from "../../shared/app/core.ts";
import type { LogReader } from "../../shared/kubelet/log-reader.ts";
import { systemClock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";

const token = "bench";

const config: Config = {
  tableName: "binnacle-bench",
  deployment: "binnacle",
  podLogGroup: "/binnacle/pods",
  region: "eu-central-1",
  podSubnetsByZone: {},
  podSecurityGroups: [],
  executionRoleArn: undefined,
  podRoleArn: undefined,
  functionArnPrefix: "",
  scheduleGroup: "",
  schedulerRoleArn: "",
  podFeatures: "bare",
  adminTokenSha256: [createHash("sha256").update(token).digest("hex")],
  publicUrl: undefined,
  tokenIssuer: "https://bench.invalid",
  podApiAddress: undefined,
  apiCa: undefined,
  endpointUrl: undefined,
  adviceWithoutNodes: undefined,
  provisionAny: false,
  volumeFolder: "",
  maxOpenWatches: 1_000,
  logLevel: "error",
};

/** Nothing runs here, so nothing has written a line. */
const noLogs: LogReader = { getLogEvents: async () => undefined };

export interface Asking {
  readonly method?: string;
  readonly accept?: string;
  readonly contentType?: string;
  readonly body?: string;
  readonly signal?: AbortSignal;
}

export interface BenchPlane {
  /** @throws {Error} when the answer's status is 400 or more: a benchmark of refusals measures nothing */
  ask(path: string, asking?: Asking): Promise<Response>;
}

export async function startPlane(): Promise<BenchPlane> {
  const core = createCore({ config, table: memoryTable(), checkTable: async () => {}, clock: systemClock, log: silentLog });
  const api = createApi({ core, logs: noLogs });
  const ask: BenchPlane["ask"] = async (
    path,
    { method = "GET", accept = "application/json", contentType = "application/json", body, signal } = {},
  ) => {
    const response = await api.fetch(
      new Request(`https://bench.invalid${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, accept, ...(body !== undefined && { "content-type": contentType }) },
        ...(body !== undefined && { body }),
      }),
      signal ? { signal } : {},
    );
    if (response.status >= 400) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  await ask("/api/v1/namespaces/default");
  // Made by a controller otherwise; Pods are not admitted without.
  await ask("/api/v1/namespaces/default/serviceaccounts", { method: "POST", body: JSON.stringify({ metadata: { name: "default" } }) });
  return { ask };
}
