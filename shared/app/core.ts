/** The heart of every function: store and registry over one table, and the in-process API client. */
import type { Client, KindRef } from "../api/client.ts";
import { adminAuthorizer } from "../auth/admin-authorizer.ts";
import type { Authorizer } from "../auth/auth.ts";
import type { SigningKeys } from "../auth/tokens/signing-keys.ts";
import { tableSigningKeys } from "../auth/tokens/table-signing-keys.ts";
import { type Issuers, type TokenIssuer, tokenIssuer } from "../auth/tokens/token-issuer.ts";
import { type Reservations, tableReservations } from "../quota/reservations.ts";
import { bootstrap } from "../registry/bootstrap.ts";
import { inProcessClient } from "../registry/client.ts";
import { createRegistry } from "../registry/create-registry.ts";
import { changeFeed } from "../registry/feed.ts";
import type { Registry } from "../registry/registry.ts";
import type { Consumer } from "../runtime/consumer.ts";
import type { Feed } from "../runtime/feed.ts";
import { openStore } from "../store/open-store.ts";
import type { Store } from "../store/store.ts";
import { type CountedTable, countedTable } from "./counted-table.ts";
import type { CorePlatform } from "./platform.ts";

/** The cluster that every deployment has, served at `/`. */
export const firstCluster = "default";

export interface Core {
  readonly platform: CorePlatform & { readonly table: CountedTable };
  readonly store: Store;
  readonly registry: Registry;
  /** Who may do what: asked by the server, and by admission where the path alone does not tell. */
  readonly authorizer: Authorizer;
  /** What ServiceAccount tokens are made and checked with. */
  readonly tokens: { readonly keys: SigningKeys; readonly issuers: Issuers; readonly issuer: TokenIssuer };
  /** What writes under way are about to use of quotas. */
  readonly reservations: Reservations;
  /** Resolves once the first cluster exists with what every cluster has from the start. Cheap after the first time. */
  ready(): Promise<void>;
  client(cluster: string, part: string, consumer?: Consumer): Client;
  feed(cluster: string): Promise<Feed>;
  /** Kinds that a cluster serves and that can be listed and deleted, custom resources included. */
  resources(cluster: string): Promise<readonly KindRef[]>;
  clusters(): Promise<readonly string[]>;
}

export function createCore(given: CorePlatform): Core {
  const { clock, log } = given;
  const table = countedTable(given.table);
  const platform: Core["platform"] = { ...given, table };
  const store = openStore({ table, clock, log });
  const keys = tableSigningKeys({ table, clock });
  const issuers: Issuers = (cluster) => `${platform.config.tokenIssuer}${cluster === firstCluster ? "" : `/clusters/${cluster}`}`;
  const issuer = tokenIssuer({ keys, issuers, clock });
  const reservations = tableReservations({ table, clock });
  const authorizer = adminAuthorizer();
  const registry = createRegistry({
    store,
    clock,
    log,
    admission: ({ defaultAdmission, quotaLedger }) => defaultAdmission({ quotas: quotaLedger({ store, reservations, clock }), authorizer }),
    tokens: issuer,
  });
  const client: Core["client"] = (cluster, part, consumer) => inProcessClient(registry, { cluster, part, ...(consumer && { consumer }) });
  let starting: Promise<void> | undefined;

  return {
    platform,
    store,
    registry,
    authorizer,
    reservations,
    tokens: { keys, issuers, issuer },
    client,
    ready() {
      starting ??= (async () => {
        const isNew = !(await store.clusters()).includes(firstCluster);
        if (isNew) await platform.checkTable();
        await store.createCluster(firstCluster);
        await bootstrap(client(firstCluster, "bootstrap"));
      })().catch((error: unknown) => {
        starting = undefined;
        throw error;
      });
      return starting;
    },
    feed: async (cluster) => changeFeed(await store.cluster(cluster), registry),
    async resources(cluster) {
      const catalog = await registry.catalog(cluster, { fresh: true });
      return catalog.all().filter(({ verbs }) => verbs.includes("list") && verbs.includes("delete"));
    },
    clusters: () => store.clusters(),
  };
}
