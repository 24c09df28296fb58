/** Builders of DaemonSets and their Pods. */
import type { DaemonSet, Pod } from "../../shared/api/generated/types.ts";
import type { ObjectMeta } from "../../shared/api/objects.ts";
import { tiedTo } from "../../shared/controllers/daemonset/placement.ts";
import { meta, ownedBy, webTemplate } from "./workloads.ts";

export interface DaemonSetGiven {
  readonly metadata?: Partial<ObjectMeta>;
  readonly spec?: Partial<DaemonSet["spec"]>;
  readonly status?: DaemonSet["status"];
}

/** As the server defaults it. */
export const aDaemonSet = (given: DaemonSetGiven = {}): DaemonSet => ({
  apiVersion: "apps/v1",
  kind: "DaemonSet",
  metadata: meta("agent", { labels: { app: "web" }, ...given.metadata }),
  spec: {
    selector: { matchLabels: { app: "web" } },
    template: webTemplate(),
    updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    revisionHistoryLimit: 10,
    ...given.spec,
  },
  ...(given.status && { status: given.status }),
});

export interface DaemonGiven {
  readonly name?: string;
  /** `one` unless given. */
  readonly hash?: string;
  readonly phase?: string;
  readonly ready?: boolean;
  readonly terminating?: boolean;
  readonly createdAt?: string;
  /** False: it waits to be bound. */
  readonly bound?: boolean;
}

/** The Pod of a Node, running and ready unless given otherwise. */
export function aDaemon(owner: DaemonSet, node: string, given: DaemonGiven = {}): Pod {
  const { name = `agent-${node}`, hash = "one", phase = "Running", ready = phase === "Running", bound = true } = given;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(name, {
      labels: { app: "web", "controller-revision-hash": hash },
      ownerReferences: [ownedBy(owner)],
      ...(given.createdAt && { creationTimestamp: given.createdAt }),
      ...(given.terminating && { deletionTimestamp: "2026-01-01T00:00:30Z", deletionGracePeriodSeconds: 30 }),
    }),
    spec: { containers: [{ name: "web", image: "web:1" }], affinity: tiedTo(node, undefined), ...(bound && { nodeName: node }) },
    status: { phase, conditions: [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime: "2026-01-01T00:00:00Z" }] },
  };
}
