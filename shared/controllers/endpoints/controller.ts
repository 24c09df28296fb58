/** Keeps the Endpoints of Services that select Pods. */
import type { Endpoints, Service } from "../../api/generated/types.ts";
import { endpoints, pods, services } from "../../api/kinds.ts";
import { type KubeObject, keyOf } from "../../api/objects.ts";
import type { Controller, Watched } from "../../runtime/controller.ts";
import { hasEndpoints, watchedPods } from "../common/service-pods.ts";
import { isNamespaceTerminating, isNotFound } from "../common/settle.ts";
import { managedByLabel, manager, planEndpoints } from "./plan.ts";

export function endpointsController(): Controller {
  return {
    name: "endpoint-controller",
    watches: [
      { kind: services, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] } satisfies Watched<Service>,
      { kind: endpoints, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] } satisfies Watched<Endpoints>,
      watchedPods(pods),
    ],

    async reconcile(key, { client, lister }) {
      const service = lister(services).get(key);
      const current = lister(endpoints).get(key);
      if (!service) {
        // Only our own: people make Endpoints without a Service, too.
        if (current?.metadata.labels?.[managedByLabel] !== manager) return;
        await client.delete(endpoints, key, { uid: current.metadata.uid }).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
        return;
      }
      if (!hasEndpoints(service) || service.metadata.deletionTimestamp) return;
      const action = planEndpoints(service, lister(pods).inNamespace(key.namespace), current);
      switch (action?.type) {
        case "create":
          await client.create(endpoints, action.draft).catch((error: unknown) => {
            if (!isNamespaceTerminating(error)) throw error;
          });
          break;
        case "update":
          await client.update(endpoints, action.next);
          break;
        case undefined:
          break;
      }
    },
  };
}
