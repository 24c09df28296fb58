/** Keeps the Services and EndpointSlices of a cluster as they are now, by catching up with their logs whenever somebody asks. */
import type { KindRef } from "../../shared/api/client.ts";
import type { EndpointSlice, Service } from "../../shared/api/generated/types.ts";
import * as kinds from "../../shared/api/kinds.ts";
import type { KubeObject } from "../../shared/api/objects.ts";
import type { Feed } from "../../shared/runtime/feed.ts";
import type { Directory } from "./cluster-names.ts";

const serviceNameLabel = "kubernetes.io/service-name";
const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ""}/${name}`;

/** @returns the newest state that this process knows of. Calls may overlap */
export function openDirectory(feed: Feed): () => Promise<Directory> {
  const services = new Map<string, Service>();
  const namespaces = new Map<string, number>();
  const slices = new Map<string, Map<string, EndpointSlice>>();
  const byAddress = new Map<string, Set<EndpointSlice>>();
  const revisions = new Map<KindRef, number>();

  const count = (namespace: string, step: 1 | -1) => {
    const next = (namespaces.get(namespace) ?? 0) + step;
    if (next > 0) namespaces.set(namespace, next);
    else namespaces.delete(namespace);
  };
  const putService = (previous: Service | undefined, next: Service | undefined) => {
    const { namespace = "", name } = (next ?? previous)?.metadata ?? { name: "" };
    const key = keyOf(namespace, name);
    if (services.delete(key)) count(namespace, -1);
    if (!next) return;
    services.set(key, next);
    count(namespace, 1);
  };
  const serviceOf = ({ metadata }: EndpointSlice) => keyOf(metadata.namespace, metadata.labels?.[serviceNameLabel] ?? "");
  const known = new Map<string, EndpointSlice>();
  const putSlice = (previous: EndpointSlice | undefined, next: EndpointSlice | undefined) => {
    const { namespace, name } = (next ?? previous)?.metadata ?? { name: "" };
    const key = keyOf(namespace, name);
    const before = known.get(key);
    if (before) {
      known.delete(key);
      slices.get(serviceOf(before))?.delete(key);
      for (const address of addressesOf(before)) remove(byAddress, address, before);
    }
    if (!next) return;
    known.set(key, next);
    const service = serviceOf(next);
    slices.set(service, (slices.get(service) ?? new Map<string, EndpointSlice>()).set(key, next));
    for (const address of addressesOf(next)) byAddress.set(address, (byAddress.get(address) ?? new Set()).add(next));
  };

  const catchUp = async <T extends KubeObject>(
    kind: KindRef<T>,
    put: (previous: T | undefined, next: T | undefined) => void,
    all: () => Iterable<T>,
  ): Promise<void> => {
    const after = revisions.get(kind);
    // This process makes every change, so after the first look it knows them all.
    const fed = await feed.read(kind, after, { consistent: after === undefined });
    if ("all" in fed) {
      for (const object of all()) put(object, undefined);
      for (const object of fed.all) put(undefined, object);
    } else {
      for (const { previous, next } of fed.changes) put(previous, next);
    }
    revisions.set(kind, fed.revision);
  };

  const directory: Directory = {
    service: (namespace, name) => services.get(keyOf(namespace, name)),
    slices: (namespace, service) => [...(slices.get(keyOf(namespace, service))?.values() ?? [])],
    hasNamespace: (namespace) => namespaces.has(namespace),
    slicesWith: (address) => [...(byAddress.get(address) ?? [])],
  };
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    // One after the other: a change is applied once.
    const next = last.then(async () => {
      await catchUp(kinds.services, putService, () => services.values());
      await catchUp(kinds.endpointSlices, putSlice, () => known.values());
      return directory;
    });
    last = next.catch(() => undefined);
    return next;
  };
}

const addressesOf = ({ endpoints }: EndpointSlice): readonly string[] => (endpoints ?? []).flatMap(({ addresses }) => addresses);

function remove<T>(sets: Map<string, Set<T>>, key: string, value: T): void {
  const set = sets.get(key);
  set?.delete(value);
  if (set?.size === 0) sets.delete(key);
}
