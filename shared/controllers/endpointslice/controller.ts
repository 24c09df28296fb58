/** Keeps the EndpointSlices of Services that select Pods. */
import type { EndpointSlice, Service } from "../../api/generated/types.ts";
import { endpointSlices, nodes, pods, services } from "../../api/kinds.ts";
import { type KubeObject, keyOf } from "../../api/objects.ts";
import type { Controller, Watched } from "../../runtime/controller.ts";
import { guardFor, ownerKeys } from "../common/owners.ts";
import { hasEndpoints, watchedPods } from "../common/service-pods.ts";
import { all, isNamespaceTerminating, isNotFound } from "../common/settle.ts";
import { planEndpointSlices } from "./plan.ts";

const zoneLabel = "topology.kubernetes.io/zone";

export function endpointSliceController(): Controller {
  return {
    name: "endpoint-slice-controller",
    watches: [
      { kind: services, keys: ({ previous, next }) => [keyOf((next ?? previous) as KubeObject)] } satisfies Watched<Service>,
      { kind: endpointSlices, keys: (change) => ownerKeys(services, change) } satisfies Watched<EndpointSlice>,
      watchedPods(pods),
    ],
    reads: [nodes],

    async reconcile(key, { client, lister }) {
      const service = lister(services).get(key);
      if (!service || !hasEndpoints(service)) return;
      const list = lister(endpointSlices);
      const plan = planEndpointSlices({
        service,
        pods: lister(pods).inNamespace(key.namespace),
        slices: list.ownedBy(service.metadata.uid),
        zoneOf: (name) => lister(nodes).get({ namespace: "", name })?.metadata.labels?.[zoneLabel],
        revision: list.revision,
        taken: (name) => list.get({ namespace: key.namespace, name }) !== undefined,
      });
      const guard = guardFor(service, list.revision);
      await all<unknown>([
        ...plan.create.map((draft) =>
          client.create(endpointSlices, draft, { guard }).catch((error: unknown) => {
            if (!isNamespaceTerminating(error)) throw error;
          }),
        ),
        ...plan.update.map((slice) => client.update(endpointSlices, slice, { guard })),
        ...plan.delete.map(({ metadata }) =>
          client.delete(endpointSlices, keyOf({ metadata }), { uid: metadata.uid, guard }).catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          }),
        ),
      ]);
    },
  };
}
