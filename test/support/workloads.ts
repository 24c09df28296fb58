/** Builders of workloads: valid and complete as the server would hand them out, so that a test shows only what it is about. */
import type { Deployment, Pod, PodTemplateSpec, ReplicaSet } from "../../shared/api/generated/types.ts";
import type { ObjectMeta, OwnerReference } from "../../shared/api/objects.ts";

let made = 0;

/** Metadata of an object that exists. */
export const meta = (name: string, given: Partial<ObjectMeta> = {}): ObjectMeta => ({
  name,
  namespace: "default",
  uid: `uid-of-${name}`,
  resourceVersion: "1000",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
  ...given,
});

export const ownedBy = (owner: { apiVersion: string; kind: string; metadata: ObjectMeta }): OwnerReference => ({
  apiVersion: owner.apiVersion,
  kind: owner.kind,
  name: owner.metadata.name,
  uid: owner.metadata.uid,
  controller: true,
  blockOwnerDeletion: true,
});

export const webTemplate = (image = "web:1", labels: Record<string, string> = { app: "web" }): PodTemplateSpec => ({
  metadata: { labels } as unknown as ObjectMeta,
  spec: { containers: [{ name: "web", image }] },
});

export interface PodGiven {
  readonly metadata?: Partial<ObjectMeta>;
  readonly owner?: Parameters<typeof ownedBy>[0];
  readonly phase?: string;
  readonly ready?: boolean;
  readonly readySince?: string;
  readonly nodeName?: string;
  readonly podIP?: string;
  readonly restarts?: number;
}

export function aPod(given: PodGiven = {}): Pod {
  const name = given.metadata?.name ?? `pod-${++made}`;
  const { phase = "Running", ready = phase === "Running", readySince = "2026-01-01T00:00:00Z" } = given;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(name, { labels: { app: "web" }, ...(given.owner && { ownerReferences: [ownedBy(given.owner)] }), ...given.metadata }),
    spec: { containers: [{ name: "web", image: "web:1" }], ...(given.nodeName && { nodeName: given.nodeName }) },
    status: {
      phase,
      conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: readySince }],
      ...(given.podIP && { podIP: given.podIP, podIPs: [{ ip: given.podIP }] }),
      ...(given.restarts !== undefined && {
        containerStatuses: [{ name: "web", image: "web:1", imageID: "", ready, restartCount: given.restarts }],
      }),
    },
  };
}

export const aReplicaSet = (
  replicas = 1,
  given: Partial<Omit<ReplicaSet, "metadata">> & { metadata?: Partial<ObjectMeta> } = {},
): ReplicaSet => ({
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  ...given,
  metadata: meta(given.metadata?.name ?? "web", { labels: { app: "web" }, ...given.metadata }),
  spec: { replicas, selector: { matchLabels: { app: "web" } }, template: webTemplate(), ...given.spec },
});

export const aDeployment = (
  replicas = 1,
  given: Partial<Omit<Deployment, "metadata" | "spec">> & { metadata?: Partial<ObjectMeta>; spec?: Partial<Deployment["spec"]> } = {},
): Deployment => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  ...given,
  metadata: meta(given.metadata?.name ?? "web", { labels: { app: "web" }, ...given.metadata }),
  spec: {
    replicas,
    selector: { matchLabels: { app: "web" } },
    strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    template: webTemplate(),
    ...given.spec,
  },
});
