/**
 * What a cluster has from the start: its namespaces, the system's priority classes, a class of volumes, the range of its Services'
 * addresses, and the levels and schemas of flow control.
 */
import type { Client, KindRef } from "../api/client.ts";
import type { Namespace, PriorityClass, StorageClass } from "../api/generated/types.ts";
import { flowSchemas, namespaces, priorityClasses, priorityLevelConfigurations, storageClasses } from "../api/kinds.ts";
import type { Draft, KubeObject } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import { defaultFlowSchemas, defaultPriorityLevels } from "./flow-control.ts";
import { defaultServiceRange, serviceCidrs } from "./services/ranges.ts";

const namespaceNames = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** The highest priority that a user's class may have is a billion; the system's begin at two. */
const systemCritical = 2_000_000_000;

const systemClasses: readonly Draft<PriorityClass>[] = [
  {
    metadata: { name: "system-cluster-critical" },
    value: systemCritical,
    description: "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
  {
    metadata: { name: "system-node-critical" },
    value: systemCritical + 1_000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
];

/**
 * Volumes on the Nodes' own disks. Where one is made follows from where its Pod can stand: a volume that came first would tie the Pod to
 * a Node that may have no room.
 */
const localClass: Draft<StorageClass> = {
  metadata: { name: "local", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
  provisioner: "binnacle.dev/local",
  reclaimPolicy: "Delete",
  volumeBindingMode: "WaitForFirstConsumer",
};

/** Makes what is missing and leaves what is there. Idempotent, and safe to run in several processes at once. */
export async function bootstrap(client: Client): Promise<void> {
  const drafts = namespaceNames.map((name): Draft<Namespace> => ({ metadata: { name } }) as Draft<Namespace>);
  await Promise.all([
    ...drafts.map((draft) => ensure(client, namespaces, draft)),
    ...systemClasses.map((draft) => ensure(client, priorityClasses, draft)),
    ensure(client, storageClasses, localClass),
    ensureAll(client, priorityLevelConfigurations, defaultPriorityLevels),
    ensureAll(client, flowSchemas, defaultFlowSchemas),
    ensure(client, serviceCidrs, { metadata: { name: "kubernetes" }, spec: { cidrs: [defaultServiceRange] } }),
  ]);
}

async function ensure<T extends KubeObject>(client: Client, kind: KindRef<T>, draft: Draft<T>): Promise<void> {
  const key = { namespace: "", name: draft.metadata.name ?? "" };
  if ((await client.get(kind, key)) === undefined) await make(client, kind, draft);
}

/** The same for many of a kind, with one look. */
async function ensureAll<T extends KubeObject>(client: Client, kind: KindRef<T>, drafts: readonly Draft<T>[]): Promise<void> {
  const there = new Set((await client.list(kind)).items.map(({ metadata }) => metadata.name));
  await Promise.all(drafts.filter(({ metadata }) => !there.has(metadata.name ?? "")).map((draft) => make(client, kind, draft)));
}

async function make<T extends KubeObject>(client: Client, kind: KindRef<T>, draft: Draft<T>): Promise<void> {
  try {
    await client.create(kind, draft);
  } catch (error) {
    if (!(error instanceof StatusError) || error.reason !== "AlreadyExists") throw error;
  }
}
