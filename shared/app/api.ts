/** Wires the function that serves the Kubernetes API. */
import type { Pod } from "../api/generated/types.ts";
import { tokenAuthenticator } from "../auth/token-authenticator.ts";
import { serviceAccountAuthenticator } from "../auth/tokens/service-account-authenticator.ts";
import { unionAuthenticator } from "../auth/union-authenticator.ts";
import type { LogReader } from "../kubelet/log-reader.ts";
import { podLogs } from "../kubelet/logs.ts";
import { createServer, type Server } from "../server/create-server.ts";
import type { PodLogs } from "../server/pod-logs.ts";
import { tableWatchBudget } from "../server/watch-budget.ts";
import type { Core } from "./core.ts";
import { version } from "./version.ts";

export function createApi({ core, logs }: { readonly core: Core; readonly logs: LogReader }): Server {
  const { config, table, clock, log } = core.platform;
  const server = createServer({
    registry: core.registry,
    authenticator: unionAuthenticator([
      serviceAccountAuthenticator({ ...core.tokens, lookups: (cluster) => core.registry.reader(cluster), clock }),
      tokenAuthenticator(config.adminTokenSha256),
    ]),
    openId: core.tokens,
    moreMetrics: () => table.metrics(),
    authorizer: core.authorizer,
    clock,
    log,
    version,
    publicUrl: config.publicUrl,
    podLogs: logsOfPods(podLogs({ logs, config, clock })),
    checks: [{ name: "store", check: () => core.ready() }],
    watchBudget: tableWatchBudget({ table, clock, log, maxOpenWatches: config.maxOpenWatches }),
  });
  return {
    async fetch(request, options) {
      // Health answers say what is wrong with the store; everything else would fail without it anyway.
      await core.ready().catch((error: unknown) => log.error("store not ready", { error }));
      return server.fetch(request, options);
    },
  };
}

/** The server knows objects of any kind; the kubelet's logs are those of Pods. */
const logsOfPods = (logs: ReturnType<typeof podLogs>): PodLogs => ({
  open: (pod, options, signal, newest) =>
    logs.open(pod as unknown as Pod, options, signal, async () => (await newest()) as unknown as Pod | undefined),
});
