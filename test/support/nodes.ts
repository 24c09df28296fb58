/** Builders of Nodes and of Pods that ask for resources. */
import type { Node, Pod, Taint } from "../../shared/api/generated/types.ts";
import { containerInstanceAnnotation } from "../../shared/capacity/attributes.ts";
import { meta } from "./workloads.ts";

export interface NodeGiven {
  readonly name?: string;
  readonly labels?: Record<string, string>;
  readonly taints?: Taint[];
  readonly unschedulable?: boolean;
  /** 2 cores, 8 GiB and 10 Pods unless given. */
  readonly allocatable?: Record<string, string>;
  /** False: no container instance of ours stands behind it. */
  readonly ours?: boolean;
}

export function aNode({ name = "node-1", labels = {}, taints, unschedulable, allocatable, ours = true }: NodeGiven = {}): Node {
  const arn = `arn:aws:ecs:eu-west-1:111122223333:container-instance/binnacle-default/${name}`;
  const capacity = { cpu: "2", memory: "8Gi", pods: "10", ...allocatable };
  const metadata = meta(name, { labels: { "kubernetes.io/hostname": name, "topology.kubernetes.io/zone": "eu-west-1a", ...labels } });
  delete metadata.namespace;
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { ...metadata, ...(ours && { annotations: { [containerInstanceAnnotation]: arn } }) },
    spec: { ...(taints && { taints }), ...(unschedulable && { unschedulable }) },
    status: {
      capacity,
      allocatable: capacity,
      addresses: [{ type: "InternalIP", address: "10.0.0.11" }],
      conditions: [{ type: "Ready", status: "True" }],
    },
  };
}

export interface WorkGiven {
  readonly name?: string;
  readonly metadata?: Partial<Pod["metadata"]>;
  readonly spec?: Partial<Pod["spec"]>;
  /** Of its one container. */
  readonly requests?: Record<string, string>;
  readonly limits?: Record<string, string>;
  readonly nodeName?: string;
  readonly status?: Pod["status"];
}

/** A Pod as the server hands it out: one container `app` that asks for what is given. */
export function aWorkPod({ name = "pod-1", metadata, spec, requests, limits, nodeName, status }: WorkGiven = {}): Pod {
  const resources = { ...(requests && { requests }), ...(limits && { limits }) };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: meta(name, metadata),
    spec: {
      containers: [{ name: "app", image: "example/app:1", resources }],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      schedulerName: "default-scheduler",
      ...(nodeName && { nodeName }),
      ...spec,
    },
    status: status ?? { phase: "Pending" },
  };
}
