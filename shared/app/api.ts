/** Wires the function that serves the Kubernetes API. */
import { adminAuthorizer } from "../auth/admin-authorizer.ts";
import { tokenAuthenticator } from "../auth/token-authenticator.ts";
import { createServer, type Server } from "../server/create-server.ts";
import type { Core } from "./core.ts";
import { version } from "./version.ts";

export function createApi({ core }: { readonly core: Core; readonly logs?: unknown }): Server {
  const { config, clock, log } = core.platform;
  const server = createServer({
    registry: core.registry,
    authenticator: tokenAuthenticator(config.adminTokenSha256),
    authorizer: adminAuthorizer(),
    clock,
    log,
    version,
    publicUrl: config.publicUrl,
    checks: [{ name: "store", check: () => core.ready() }],
  });
  return {
    async fetch(request, options) {
      // Health answers say what is wrong with the store; everything else would fail without it anyway.
      await core.ready().catch((error: unknown) => log.error("store not ready", { error }));
      return server.fetch(request, options);
    },
  };
}
