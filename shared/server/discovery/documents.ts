/** Discovery: what a cluster serves, as documents for clients. Pure; made from the catalog alone. */

import { createHash } from "node:crypto";
import { compareVersions } from "../../api/api-versions.ts";
import { apiVersionOf, type Kind, type Subresource } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";

/** A group and its versions, the preferred one first. */
export interface ApiGroup {
  readonly name: string;
  readonly versions: readonly ApiVersion[];
}

export interface ApiVersion {
  readonly version: string;
  /** Ordered by plural. */
  readonly kinds: readonly Kind[];
}

/**
 * Kubernetes' groups in the order of their priority: clients take the first group that has a resource of a given name. Groups of
 * custom resources follow, by name.
 * @see k8s.io/kubernetes, pkg/controlplane/apiserver, apiVersionPriorities
 */
const groupOrder = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "resource.k8s.io",
  "flowcontrol.apiserver.k8s.io",
];

const rank = (name: string): number => (groupOrder.includes(name) ? groupOrder.indexOf(name) : groupOrder.length);

/** Groups by priority, the core group (empty name) first. */
export function apiGroups(kinds: readonly Kind[]): ApiGroup[] {
  const byGroup = Map.groupBy(kinds, ({ group }) => group);
  return [...byGroup]
    .map(([name, members]) => ({
      name,
      versions: [...Map.groupBy(members, ({ version }) => version)]
        .map(([version, inVersion]) => ({ version, kinds: inVersion.toSorted((a, b) => (a.plural < b.plural ? -1 : 1)) }))
        .sort((a, b) => compareVersions(b.version, a.version)),
    }))
    .sort((a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1));
}

/** A type of `meta.k8s.io/v1`, named by its kind. */
export type Document = JsonObject & { readonly kind: string };

/** `/api` */
export const coreVersions = (serverAddress: string): Document => ({
  kind: "APIVersions",
  versions: ["v1"],
  serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
});

/** `/apis` */
export const groupList = (groups: readonly ApiGroup[]): Document => ({
  kind: "APIGroupList",
  apiVersion: "v1",
  groups: groups.filter(({ name }) => name !== "").map(describeGroup),
});

/** `/apis/GROUP` */
export const groupDocument = (group: ApiGroup): Document => ({ kind: "APIGroup", apiVersion: "v1", ...describeGroup(group) });

function describeGroup({ name, versions }: ApiGroup): JsonObject {
  const described = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: described, preferredVersion: described[0] };
}

/** `/api/v1` and `/apis/GROUP/VERSION`. The core group's is older than the others and says no apiVersion. */
export function resourceList(group: string, { version, kinds }: ApiVersion): Document {
  return {
    kind: "APIResourceList",
    ...(group !== "" && { apiVersion: "v1" }),
    groupVersion: apiVersionOf({ group, version }),
    resources: kinds.flatMap((kind) => [mainResource(kind), ...inOrder(kind).map((one) => subresourceEntry(kind, one))]),
  };
}

/** By name; those of custom resources as upstream's server of these has them, the status first. */
const inOrder = ({ custom, subresources }: Kind): readonly Subresource[] =>
  custom ? subresources : subresources.toSorted((a, b) => (a.name < b.name ? -1 : 1));

type Named = JsonObject & { name: string };

const mainResource = (kind: Kind): Named => ({
  name: kind.plural,
  singularName: kind.singular,
  namespaced: kind.namespaced,
  kind: kind.kind,
  verbs: kind.verbs,
  ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
  ...(kind.categories.length > 0 && { categories: kind.categories }),
  ...(storageVersionHash(kind) && { storageVersionHash: storageVersionHash(kind) }),
});

/** Names the version that is stored; clients only compare it. */
function storageVersionHash(kind: Kind): string | undefined {
  if (!kind.custom || kind.storageVersionHash !== undefined) return kind.storageVersionHash;
  const stored = `${kind.storageVersion ?? apiVersionOf(kind)}/${kind.kind}`;
  return createHash("sha256").update(stored).digest().subarray(0, 8).toString("base64");
}

const subresourceEntry = (kind: Kind, subresource: Kind["subresources"][number]): Named => ({
  name: `${kind.plural}/${subresource.name}`,
  singularName: "",
  namespaced: kind.namespaced,
  ...((subresource.group !== kind.group || subresource.version !== kind.version) && {
    group: subresource.group,
    version: subresource.version,
  }),
  kind: subresource.kind,
  verbs: subresource.verbs,
});

/** All of a prefix' groups in one document: `/api` holds the core group, `/apis` the others. */
export function aggregated(groups: readonly ApiGroup[], apiVersion: "v2" | "v2beta1"): JsonObject {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${apiVersion}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: { ...(name !== "" && { name }) },
      versions: versions.map(({ version, kinds }) => ({
        version,
        resources: kinds.map(aggregatedResource),
        freshness: "Current",
      })),
    })),
  };
}

function aggregatedResource(kind: Kind): JsonObject {
  const own = { group: "", version: "", kind: kind.kind };
  return {
    resource: kind.plural,
    responseKind: kind.custom ? { group: kind.group, version: kind.version, kind: kind.kind } : own,
    scope: kind.namespaced ? "Namespaced" : "Cluster",
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
    ...(kind.subresources.length > 0 && {
      subresources: inOrder(kind).map(({ name, group, version, kind: subKind, verbs }) => ({
        subresource: name,
        responseKind:
          group === kind.group && version === kind.version && !kind.custom ? { ...own, kind: subKind } : { group, version, kind: subKind },
        verbs,
      })),
    }),
  };
}
