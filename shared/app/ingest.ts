/** Wires the function that puts events into the inbox. */
import { createInbox } from "../kubelet/inbox.ts";
import { type IngestEvent, ingest } from "../kubelet/ingest.ts";
import type { ConsumerInvoker } from "../runtime/consumer.ts";
import type { CorePlatform } from "./platform.ts";

export interface Ingest {
  /** @throws when the event could not be kept: it will be delivered again */
  take(event: IngestEvent): Promise<void>;
}

export function createIngest({
  config,
  table,
  log,
  invoker,
}: Pick<CorePlatform, "config" | "table" | "log"> & { readonly invoker: ConsumerInvoker }): Ingest {
  const inbox = createInbox(table);
  return {
    async take(event) {
      const { cluster, type } = await ingest(event, { deployment: config.deployment, inbox });
      // Container instances are few and few of their events matter: there is nothing to keep, capacity looks for itself.
      if (cluster !== undefined && type === "instance") await invoker.start(cluster, "capacity");
      log.debug("event taken", { cluster, type });
    },
  };
}
