/** Priority: a Pod's priority is the value of its PriorityClass, looked up once, and there is one default class at most. */
import type { Pod, PriorityClass } from "../api/generated/types.ts";
import { priorityClasses } from "../api/kinds.ts";
import { forbidden } from "../errors/status-error.ts";
import { type AdmissionPlugin, type AdmissionReader, type AdmissionRequest, refusal } from "./plugin.ts";
import { podOf, podsOn } from "./pods.ts";

const onPods = podsOn("CREATE", "UPDATE");
const classStorage = "priorityclasses.scheduling.k8s.io";

export const priority: AdmissionPlugin = {
  name: "Priority",
  handles: (kind, operation, subresource) =>
    onPods(kind, operation, subresource) || (kind.storage === classStorage && subresource === "" && operation !== "DELETE"),
  admit: async (request, reader) => {
    if (request.kind.storage !== "pods") return;
    if (request.operation === "CREATE") await setPriority(request, reader);
    else keepPriority(podOf(request), request.previous as unknown as Pod);
  },
  validate: async ({ kind, object }, reader) => {
    if (kind.storage !== classStorage) return;
    const { metadata, globalDefault } = object as unknown as PriorityClass;
    if (!globalDefault) return;
    const other = await defaultClass(reader);
    if (other && other.metadata.name !== metadata.name) {
      throw forbidden(kind, metadata.name, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`);
    }
  },
};

async function setPriority(request: AdmissionRequest, reader: AdmissionReader): Promise<void> {
  const { spec } = podOf(request);
  const name = spec.priorityClassName;
  const found = name ? await reader.get(priorityClasses, { namespace: "", name }) : await defaultClass(reader);
  if (name && found === undefined) throw refusal(request, `no PriorityClass with name ${name} was found`);
  const value = found?.value ?? 0;
  if (spec.priority !== undefined && spec.priority !== value) {
    throw refusal(
      request,
      `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
    );
  }
  const policy = found ? found.preemptionPolicy : "PreemptLowerPriority";
  if (policy !== undefined && spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    throw refusal(
      request,
      `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
    );
  }
  if (found) spec.priorityClassName = found.metadata.name;
  spec.priority = value;
  if (policy !== undefined) spec.preemptionPolicy = policy;
}

/** Who replaces a Pod from an old manifest does not mean to take its priority away. */
function keepPriority({ spec }: Pod, { spec: before }: Pod): void {
  if (before.priority !== undefined) spec.priority ??= before.priority;
  if (before.preemptionPolicy !== undefined) spec.preemptionPolicy ??= before.preemptionPolicy;
}

/** Two may be made at once: the lower one counts. */
async function defaultClass(reader: AdmissionReader): Promise<PriorityClass | undefined> {
  const classes = await reader.list(priorityClasses);
  return classes.filter(({ globalDefault }) => globalDefault).toSorted((a, b) => (a.value ?? 0) - (b.value ?? 0))[0];
}
