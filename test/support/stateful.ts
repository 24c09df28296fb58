/** Builders of what StatefulSets are made of: sets, their Pods, claims and revisions. */
import type { ControllerRevision, PersistentVolumeClaim, Pod, PodTemplateSpec, StatefulSet } from "../../shared/api/generated/types.ts";
import type { ObjectMeta } from "../../shared/api/objects.ts";
import { meta, ownedBy, webTemplate } from "./workloads.ts";

export interface StatefulSetGiven {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<StatefulSet["spec"]>;
  readonly status?: StatefulSet["status"];
}

/** As the server defaults it. */
export const aStatefulSet = (replicas = 1, given: StatefulSetGiven = {}): StatefulSet => ({
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: meta("web", { labels: { app: "web" }, ...given.metadata }),
  spec: {
    replicas,
    serviceName: "web",
    selector: { matchLabels: { app: "web" } },
    template: webTemplate(),
    podManagementPolicy: "OrderedReady",
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { partition: 0 } },
    persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    revisionHistoryLimit: 10,
    ...given.spec,
  },
  ...(given.status && { status: given.status }),
});

/** A claim template, as it stands in a StatefulSet. */
export const dataTemplate = (name = "data"): PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name } as ObjectMeta,
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
});

export const aRevision = (owner: StatefulSet, name: string, revision: number, template: PodTemplateSpec): ControllerRevision => ({
  apiVersion: "apps/v1",
  kind: "ControllerRevision",
  metadata: meta(name, { labels: { app: "web" }, ownerReferences: [ownedBy(owner)] }),
  data: { spec: { template: { ...template, $patch: "replace" } } },
  revision,
});

export interface MemberGiven {
  readonly revision?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly readySince?: string;
  readonly terminating?: boolean;
  readonly spec?: Partial<Pod["spec"]>;
  readonly labels?: Record<string, string>;
}

/** The Pod of an ordinal. Running and ready unless given otherwise. */
export function aMember(owner: StatefulSet, ordinal: number, given: MemberGiven = {}): Pod {
  const name = `${owner.metadata.name}-${ordinal}`;
  const { phase = "Running", ready = phase === "Running", readySince = "2026-01-01T00:00:00Z", revision = "web-one" } = given;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(name, {
      labels: {
        app: "web",
        "statefulset.kubernetes.io/pod-name": name,
        "apps.kubernetes.io/pod-index": String(ordinal),
        "controller-revision-hash": revision,
        ...given.labels,
      },
      ownerReferences: [ownedBy(owner)],
      ...(given.terminating && { deletionTimestamp: "2026-01-01T00:00:30Z", deletionGracePeriodSeconds: 30 }),
    }),
    spec: { containers: [{ name: "web", image: "web:1" }], hostname: name, subdomain: "web", ...given.spec },
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: readySince }] },
  };
}

export const aClaim = (name: string, given: Partial<ObjectMeta> = {}): PersistentVolumeClaim => ({
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: meta(name, given),
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
});
