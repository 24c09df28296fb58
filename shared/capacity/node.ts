/**
 * What a Node says about its container instance. Pure. Nodes have several writers: only what is named here is ours; labels, taints,
 * conditions, annotations and capacity of others stay.
 */

import type { Node, NodeCondition, Taint } from "../api/generated/types.ts";
import type { Draft } from "../api/objects.ts";
import { canonicalQuantity } from "../api/quantity.ts";
import type { ContainerInstance } from "../kubelet/task-engine.ts";
import { timeText } from "../scheduler/conditions.ts";
import {
  architectureAttribute,
  containerInstanceAnnotation,
  diskGibAttribute,
  imageIdAttribute,
  instanceTypeAttribute,
  internalIpAttribute,
  labelAttributePrefix,
  osAttribute,
  podSlotsAttribute,
  taintAttributePrefix,
  trunkAttribute,
  zoneAttribute,
} from "./attributes.ts";
import { podSlots } from "./pod-slots.ts";

/** How a machine is. */
export type Health =
  | { readonly type: "ready" }
  /** The agent has registered, tasks cannot be placed yet. */
  | { readonly type: "registering" }
  /** Amazon ECS cannot reach the agent. */
  | { readonly type: "unreachable" };

export interface NodeOptions {
  /** Version of the kubelet that the Node reports: `v1.36.2`. */
  readonly version: string;
}

/** Root volume of the ECS-optimised images, where the machine does not say how large its disk is. */
const defaultDiskGib = 30;
const unitsPerCore = 1024;

const attributesOf = (instance: ContainerInstance): ReadonlyMap<string, string> =>
  new Map(instance.attributes.map(({ name, value }) => [name, value ?? ""]));

const integer = (instance: ContainerInstance, name: string): number =>
  instance.registeredResources.find((resource) => resource.name === name)?.integerValue ?? 0;

/** `ip-10-0-0-11`, or the instance's id. */
export function nodeName(instance: ContainerInstance): string {
  const address = attributesOf(instance).get(internalIpAttribute);
  return address && /^[\d.]+$/.test(address) ? `ip-${address.replaceAll(".", "-")}` : instance.ec2InstanceId.toLowerCase();
}

const architectures: Readonly<Record<string, string>> = { x86_64: "amd64", arm64: "arm64" };

/** Facts of the machine, which do not change while it lives. */
function factsOf(instance: ContainerInstance, { version }: NodeOptions) {
  const attributes = attributesOf(instance);
  const zone = attributes.get(zoneAttribute);
  const type = attributes.get(instanceTypeAttribute);
  const architecture = architectures[attributes.get(architectureAttribute) ?? ""] ?? "amd64";
  const os = attributes.get(osAttribute) || "linux";
  const address = attributes.get(internalIpAttribute);
  const name = nodeName(instance);
  const withPrefix = (prefix: string) =>
    [...attributes].flatMap(([key, value]) => (key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : []));
  const region = zone?.replace(/[a-z]$/, "");
  const gpus = instance.registeredResources.find((resource) => resource.name === "GPU")?.stringSetValue?.length ?? 0;
  const slots = Number(attributes.get(podSlotsAttribute)) || podSlots(type, attributes.has(trunkAttribute));
  const capacity: Record<string, string> = {
    cpu: canonicalQuantity(`${Math.floor((integer(instance, "CPU") * 1_000) / unitsPerCore)}m`),
    memory: canonicalQuantity(`${integer(instance, "MEMORY") * 1_024}Ki`),
    "ephemeral-storage": canonicalQuantity(`${Number(attributes.get(diskGibAttribute)) || defaultDiskGib}Gi`),
    pods: String(slots),
    ...(gpus > 0 && { "nvidia.com/gpu": String(gpus) }),
  };
  return {
    name,
    labels: {
      "kubernetes.io/hostname": name,
      "kubernetes.io/arch": architecture,
      "kubernetes.io/os": os,
      ...(zone && { "topology.kubernetes.io/zone": zone }),
      ...(region && { "topology.kubernetes.io/region": region }),
      ...(type && { "node.kubernetes.io/instance-type": type }),
      ...Object.fromEntries(withPrefix(labelAttributePrefix)),
    },
    taints: withPrefix(taintAttributePrefix).map(([key, text]): Taint => {
      const [value = "", effect = "NoSchedule"] = text.split(":");
      return { key, ...(value && { value }), effect };
    }),
    providerID: `aws:///${zone ?? ""}/${instance.ec2InstanceId}`,
    capacity,
    addresses: [...(address ? [{ type: "InternalIP", address }] : []), { type: "Hostname", address: name }],
    nodeInfo: {
      architecture,
      bootID: instance.ec2InstanceId,
      containerRuntimeVersion: `docker://${instance.versionInfo?.dockerVersion?.replace(/^DockerVersion:\s*/, "") ?? "unknown"}`,
      kernelVersion: "unknown",
      kubeProxyVersion: "",
      kubeletVersion: version,
      machineID: instance.ec2InstanceId,
      operatingSystem: os,
      osImage: attributes.get(imageIdAttribute) ?? "Amazon ECS container instance",
      systemUUID: instance.ec2InstanceId,
    },
  };
}

/** The Node to create for a machine that has none. */
export function newNode(instance: ContainerInstance, health: Health, options: NodeOptions, now: Date): Draft<Node> {
  const { name, labels, taints, providerID } = factsOf(instance, options);
  return {
    metadata: { name, labels, annotations: { [containerInstanceAnnotation]: instance.containerInstanceArn } },
    spec: { providerID, taints: mergeTaints(taints, instance, health, now) },
  };
}

/** A Node with our labels, annotation and taints as they should be; the same object when they are. */
export function withSpec(node: Node, instance: ContainerInstance, health: Health, options: NodeOptions, now: Date): Node {
  const { labels, providerID } = factsOf(instance, options);
  const taints = mergeTaints(node.spec?.taints ?? [], instance, health, now);
  return {
    ...node,
    metadata: {
      ...node.metadata,
      labels: { ...node.metadata.labels, ...labels },
      annotations: { ...node.metadata.annotations, [containerInstanceAnnotation]: instance.containerInstanceArn },
    },
    spec: { ...node.spec, providerID: node.spec?.providerID || providerID, ...((taints.length > 0 || node.spec?.taints) && { taints }) },
  };
}

/** A Node with our part of the status as it should be. */
export function withStatus(node: Node, instance: ContainerInstance, health: Health, options: NodeOptions, now: Date): Node {
  const { capacity, addresses, nodeInfo } = factsOf(instance, options);
  const current = node.status ?? {};
  const ours = addresses.map(({ type }) => type);
  return {
    ...node,
    status: {
      ...current,
      capacity: { ...current.capacity, ...capacity },
      allocatable: { ...current.allocatable, ...capacity },
      addresses: [...addresses, ...(current.addresses ?? []).filter(({ type }) => !ours.includes(type))],
      nodeInfo,
      conditions: mergeConditions(current.conditions ?? [], conditionsOf(health), now),
    },
  };
}

/** A Node whose machine is gone, or cannot be told from one that is. */
export function withoutMachine(node: Node, now: Date): { readonly spec: Node; readonly status: Node } {
  const health: Health = { type: "unreachable" };
  return {
    spec: { ...node, spec: { ...node.spec, taints: ownedTaints(node.spec?.taints ?? [], taintsOf(health), now) } },
    status: { ...node, status: { ...node.status, conditions: mergeConditions(node.status?.conditions ?? [], conditionsOf(health), now) } },
  };
}

function conditionsOf({ type }: Health): Omit<NodeCondition, "lastHeartbeatTime" | "lastTransitionTime">[] {
  if (type === "unreachable") {
    const lost = { status: "Unknown", reason: "NodeStatusUnknown", message: "Amazon ECS has lost its connection to the machine's agent" };
    return ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"].map((condition) => ({ type: condition, ...lost }));
  }
  return [
    { type: "MemoryPressure", status: "False", reason: "KubeletHasSufficientMemory", message: "kubelet has sufficient memory available" },
    { type: "DiskPressure", status: "False", reason: "KubeletHasNoDiskPressure", message: "kubelet has no disk pressure" },
    { type: "PIDPressure", status: "False", reason: "KubeletHasSufficientPID", message: "kubelet has sufficient PID available" },
    type === "ready"
      ? { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status" }
      : { type: "Ready", status: "False", reason: "KubeletNotReady", message: "the machine is registering with Amazon ECS" },
  ];
}

function mergeConditions(
  existing: readonly NodeCondition[],
  ours: readonly Omit<NodeCondition, "lastHeartbeatTime" | "lastTransitionTime">[],
  now: Date,
): NodeCondition[] {
  const merged = [...existing];
  for (const next of ours) {
    const index = merged.findIndex(({ type }) => type === next.type);
    const before = merged[index];
    if (before && before.status === next.status && before.reason === next.reason && before.message === next.message) continue;
    const since = before?.status === next.status ? before.lastTransitionTime : undefined;
    const complete = { ...next, lastHeartbeatTime: timeText(now), lastTransitionTime: since ?? timeText(now) };
    if (index < 0) merged.push(complete);
    else merged[index] = complete;
  }
  return merged;
}

const unreachableTaint = "node.kubernetes.io/unreachable";
const notReadyTaint = "node.kubernetes.io/not-ready";
/** Amazon ECS drains the machine: it starts nothing there. */
const drainingTaint = "binnacle.dev/draining";
const ownTaints = [unreachableTaint, notReadyTaint, drainingTaint];

const both = (key: string): Taint[] => [
  { key, effect: "NoSchedule" },
  { key, effect: "NoExecute" },
];

function taintsOf({ type }: Health, draining = false): Taint[] {
  return [
    ...(type === "unreachable" ? both(unreachableTaint) : []),
    ...(type === "registering" ? both(notReadyTaint) : []),
    ...(draining ? [{ key: drainingTaint, effect: "NoSchedule" }] : []),
  ];
}

const mergeTaints = (existing: readonly Taint[], instance: ContainerInstance, health: Health, now: Date): Taint[] =>
  ownedTaints(existing, taintsOf(health, instance.status === "DRAINING"), now);

const same = (one: Taint, other: Taint) => one.key === other.key && one.effect === other.effect;

/** Ours come and go; a taint that stays keeps the time at which it was added. */
function ownedTaints(existing: readonly Taint[], wanted: readonly Taint[], now: Date): Taint[] {
  const kept = existing.filter((taint) => !ownTaints.includes(taint.key) || wanted.some((other) => same(taint, other)));
  const added = wanted.filter((taint) => !existing.some((other) => same(taint, other)));
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: timeText(now) }))];
}
