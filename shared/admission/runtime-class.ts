/**
 * RuntimeClass: a Pod gets the overhead and the placement of the class that it names, and must not invent an overhead of its own.
 * @see k8s.io/kubernetes/plugin/pkg/admission/runtimeclass
 */
import type { RuntimeClass, Toleration } from "../api/generated/types.ts";
import { runtimeClasses } from "../api/kinds.ts";
import { compare, parseQuantity } from "../api/quantity.ts";
import { mergeTolerations } from "../api/tolerations.ts";
import { type AdmissionPlugin, type AdmissionReader, type AdmissionRequest, refusal } from "./plugin.ts";
import { podOf, podsOn } from "./pods.ts";

export const runtimeClass: AdmissionPlugin = {
  name: "RuntimeClass",
  handles: podsOn("CREATE"),

  admit: async (request, reader) => {
    const found = await classOf(request, reader);
    if (!found) return;
    const { spec } = podOf(request);
    const overhead = found.overhead?.podFixed;
    if (found.overhead) {
      if (Object.keys(spec.overhead ?? {}).length > 0 && !isSame(overhead, spec.overhead)) throw refusal(request, otherOverhead);
      if (overhead) spec.overhead = { ...overhead };
    }
    if (!found.scheduling) return;
    const { nodeSelector = {}, tolerations = [] } = found.scheduling;
    for (const [key, value] of Object.entries(nodeSelector)) {
      const own = spec.nodeSelector?.[key];
      if (own !== undefined && own !== value)
        throw refusal(request, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`);
    }
    if (Object.keys(nodeSelector).length > 0) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
    const merged: Toleration[] = mergeTolerations([...(spec.tolerations ?? []), ...tolerations]);
    if (merged.length > 0) spec.tolerations = merged;
  },

  validate: async (request, reader) => {
    const found = await classOf(request, reader);
    const { overhead } = podOf(request).spec;
    if (found?.overhead) {
      if (!isSame(found.overhead.podFixed, overhead)) throw refusal(request, otherOverhead);
    } else if (overhead !== undefined) {
      throw refusal(request, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
    }
  },
};

const otherOverhead = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";

/** @throws {StatusError} Forbidden when the class is not there */
async function classOf(request: AdmissionRequest, reader: AdmissionReader): Promise<RuntimeClass | undefined> {
  const name = podOf(request).spec.runtimeClassName;
  if (name === undefined) return undefined;
  const found = await reader.get(runtimeClasses, { namespace: "", name });
  if (!found) throw refusal(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
  return found;
}

function isSame(one: Readonly<Record<string, string>> = {}, other: Readonly<Record<string, string>> = {}): boolean {
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => other[name] !== undefined && compare(parseQuantity(one[name] ?? "0"), parseQuantity(other[name])) === 0)
  );
}
