/** Wires the function that runs controllers and scheduler. */
import { podReadinessController } from "../capacity/pod-readiness.ts";
import { taintEvictionController } from "../capacity/taint-eviction.ts";
import { controllers } from "../controllers/index.ts";
import type { ConsumerRunner } from "../runtime/run-consumer.ts";
import { schedulerController } from "../scheduler/controller.ts";
import { type ConsumerParts, createConsumer } from "./consumer.ts";
import { createUpkeep } from "./upkeep.ts";

export function createReconciler(parts: ConsumerParts): ConsumerRunner {
  const { config } = parts.core.platform;
  const { issuer } = parts.core.tokens;
  const upkeep = createUpkeep(parts, "reconciler");
  const runner = createConsumer("reconciler", parts, ({ resources, cluster }) => [
    ...controllers({
      resources,
      clusterCa: config.apiCa,
      endpointUrl: config.endpointUrl,
      quotas: { cluster, reservations: parts.core.reservations },
      issueToken: (account, secretName) => issuer.issueForSecret(cluster, account, secretName),
      provisioner: { any: config.provisionAny, folder: config.volumeFolder },
    }),
    schedulerController(config.adviceWithoutNodes === undefined ? {} : { adviceWithoutNodes: config.adviceWithoutNodes }),
    taintEvictionController(),
    podReadinessController(),
  ]);
  return {
    async run(event, invocation) {
      const ran = await runner.run(event, invocation);
      await upkeep(event.cluster, ran, invocation.remainingMs());
      return ran;
    },
  };
}
