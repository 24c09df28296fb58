/** Publishes the API's own address inside the cluster, as `default/kubernetes`. */
import type { EndpointSlice, Endpoints, Service } from "../../api/generated/types.ts";
import { endpointSlices, endpoints, services } from "../../api/kinds.ts";
import { keyOf, type ObjectKey } from "../../api/objects.ts";
import type { Controller, ControllerContext, Observed, Watched } from "../../runtime/controller.ts";
import { semanticEqual } from "../common/semantic-equal.ts";
import {
  type ApiAddress,
  apiAddress,
  kubernetesEndpoints,
  kubernetesService,
  kubernetesSlice,
  serviceName,
  serviceNamespace,
} from "./plan.ts";

const key: ObjectKey = { namespace: serviceNamespace, name: serviceName };

/** @param endpointUrl where the API listens: `https://HOST[:PORT][/PATH]` */
export function kubernetesServiceController(endpointUrl: string): Controller {
  const address = apiAddress(endpointUrl);
  return {
    name: "kubernetes-service-controller",
    watches: [
      { kind: services, keys: isOurs } satisfies Watched<Service>,
      { kind: endpointSlices, keys: isOurs } satisfies Watched<EndpointSlice>,
      { kind: endpoints, keys: isOurs } satisfies Watched<Endpoints>,
    ],

    // It has to be there even if nothing else is.
    prepare: async ({ everything }) => (everything ? [key] : []),

    async reconcile(_key, context) {
      if (!context.lister(services).get(key)) await context.client.create(services, kubernetesService(address));
      await keepSlice(address, context);
      await keepEndpoints(address, context);
    },
  };
}

function isOurs({ previous, next }: Observed): ObjectKey[] {
  const changed = next ?? previous;
  return changed?.metadata.namespace === key.namespace && changed.metadata.name === key.name ? [key] : [];
}

async function keepSlice(address: ApiAddress, { client, lister }: ControllerContext): Promise<void> {
  const wanted = kubernetesSlice(address);
  const slice = lister(endpointSlices).get(key);
  if (slice?.addressType === wanted.addressType) {
    const labels = { ...slice.metadata.labels, ...wanted.metadata.labels };
    const next = { ...slice, metadata: { ...slice.metadata, labels }, ports: wanted.ports, endpoints: wanted.endpoints };
    if (!semanticEqual(next, slice)) await client.update(endpointSlices, next);
    return;
  }
  if (slice) await client.delete(endpointSlices, keyOf(slice), { uid: slice.metadata.uid });
  await client.create(endpointSlices, wanted);
}

async function keepEndpoints(address: ApiAddress, { client, lister }: ControllerContext): Promise<void> {
  const wanted = kubernetesEndpoints(address);
  const current = lister(endpoints).get(key);
  if (!current) {
    await client.create(endpoints, wanted);
    return;
  }
  const labels = { ...current.metadata.labels, ...wanted.metadata.labels };
  const next = { ...current, metadata: { ...current.metadata, labels }, subsets: wanted.subsets };
  if (!semanticEqual(next, current)) await client.update(endpoints, next);
}
