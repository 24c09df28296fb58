/**
 * Decides which taints a Node's conditions call for. Pure.
 * @see k8s.io/kubernetes/pkg/controller/nodelifecycle, doNoScheduleTaintingPass and processTaintBaseEviction
 */
import type { Node, Taint } from "../../api/generated/types.ts";
import { containerInstanceAnnotation } from "../../capacity/attributes.ts";

const prefix = "node.kubernetes.io/";
const notReady = `${prefix}not-ready`;
const unreachable = `${prefix}unreachable`;
const pressures: Readonly<Record<string, string>> = {
  MemoryPressure: `${prefix}memory-pressure`,
  DiskPressure: `${prefix}disk-pressure`,
  PIDPressure: `${prefix}pid-pressure`,
  NetworkUnavailable: `${prefix}network-unavailable`,
};

/** Taints that follow from the Node's state, and nobody else's. */
interface Wanted {
  readonly keys: readonly string[];
  readonly taints: readonly Pick<Taint, "key" | "effect">[];
}

function wantedTaints({ metadata, spec, status }: Node): Wanted {
  const conditions = new Map((status?.conditions ?? []).map(({ type, status: value }) => [type, value]));
  const pressed = Object.entries(pressures).filter(([type]) => conditions.get(type) === "True");
  const taints = [
    ...pressed.map(([, key]) => ({ key, effect: "NoSchedule" })),
    ...(spec?.unschedulable ? [{ key: `${prefix}unschedulable`, effect: "NoSchedule" }] : []),
  ];
  const keys = [...Object.values(pressures), `${prefix}unschedulable`];
  // Whether a machine of ours is ready is for its own controller to say: it knows before the condition does.
  if (metadata.annotations?.[containerInstanceAnnotation] !== undefined) return { keys, taints };
  const ready = conditions.get("Ready");
  const health = ready === "False" ? notReady : ready === "Unknown" ? unreachable : undefined;
  return {
    keys: [...keys, notReady, unreachable],
    taints: [...taints, ...(health === undefined ? [] : ["NoSchedule", "NoExecute"].map((effect) => ({ key: health, effect })))],
  };
}

/** The Node with the taints that its state calls for; the same object when it has them. @param time for new `NoExecute` taints */
export function withTaints(node: Node, time: string): Node {
  const { keys, taints: wanted } = wantedTaints(node);
  const existing = node.spec?.taints ?? [];
  const isWanted = ({ key, effect }: Taint) => wanted.some((taint) => taint.key === key && taint.effect === effect);
  const kept = existing.filter((taint) => !keys.includes(taint.key) || isWanted(taint));
  const added = wanted
    .filter(({ key, effect }) => !existing.some((taint) => taint.key === key && taint.effect === effect))
    .map((taint) => (taint.effect === "NoExecute" || taint.key.endsWith("unschedulable") ? { ...taint, timeAdded: time } : taint));
  if (added.length === 0 && kept.length === existing.length) return node;
  const taints = [...kept, ...added];
  const { taints: _taints, ...spec } = node.spec ?? {};
  return { ...node, spec: { ...spec, ...(taints.length > 0 && { taints }) } };
}
