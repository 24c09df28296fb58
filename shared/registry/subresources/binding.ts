/** `pods/binding`: the scheduler's decision. A Pod is bound once. */
import { admit, validate } from "../../admission/chain.ts";
import type { Binding, Pod } from "../../api/generated/types.ts";
import type { AnyObject } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { notSupported, required } from "../../api/validation/problems.ts";
import { badRequest, conflict, invalid, notFound } from "../../errors/status-error.ts";
import { creationRequest } from "../create.ts";
import { checkWritable } from "../preconditions.ts";
import { present } from "../present.ts";
import { clone, seconds } from "../values.ts";
import { toStorage } from "../versions.ts";
import { commit, type Write } from "../write.ts";
import { withCondition } from "./conditions.ts";
import { decodePosted } from "./posted.ts";

const bindingType = { definition: "io.k8s.api.core.v1.Binding", kind: "Binding", apiVersions: ["v1"] };

export async function bindPod(write: Write, body: JsonObject): Promise<void> {
  const binding = await admitted(write, readBinding(write, body));
  const { kind, key } = write;
  await commit(write, (current, { now }) => {
    if (current === undefined) throw notFound(kind, key.name);
    const pod = present(kind, current);
    checkWritable(kind, pod.metadata, binding.metadata);
    const reason = unbindable(pod as unknown as Pod);
    if (reason !== undefined) throw conflict({ group: "", plural: "pods/binding" }, key.name, reason);
    return { type: "put", value: toStorage(kind, bound(pod, binding, now)) };
  });
}

/** A Binding is created, and passes admission like whatever is. */
async function admitted(write: Write, given: Binding): Promise<Binding> {
  const concerned = write.admission.concerned(write.kind, "CREATE", write.subresource);
  const binding = clone(given as unknown as AnyObject);
  const request = creationRequest(write, binding, (text) => write.context.warnings.push(text));
  await admit(concerned, request, write.reader);
  await validate(concerned, request, write.reader);
  return binding as unknown as Binding;
}

/** @throws {StatusError} BadRequest, Invalid */
function readBinding(write: Write, body: JsonObject): Binding {
  const { key } = write;
  const binding = decodePosted(write, body, bindingType) as unknown as Binding;
  if (binding.metadata.name !== key.name) throw badRequest("name in URL does not match name in Binding object");
  const { kind = "", name = "" } = (binding.target ?? {}) as Partial<Binding["target"]>;
  const problems = [
    ...(kind && kind !== "Node" ? [notSupported("target.kind", kind, ["Node", "<empty>"])] : []),
    ...(name ? [] : [required("target.name")]),
  ];
  if (problems.length > 0) throw invalid({ group: "", kind: "Binding" }, key.name, problems);
  return binding;
}

/** Why a Pod cannot be bound; undefined when it can. */
function unbindable({ metadata, spec }: Pod): string | undefined {
  if (metadata.deletionTimestamp !== undefined) return `pod ${metadata.name} is being deleted, cannot be assigned to a host`;
  if (spec.nodeName) return `pod ${metadata.name} is already assigned to node ${JSON.stringify(spec.nodeName)}`;
  if ((spec.schedulingGates ?? []).length > 0) return `pod ${metadata.name} has non-empty .spec.schedulingGates`;
  return undefined;
}

/** The generation stays: a node name from a binding is no change that anybody has to observe. */
function bound(pod: AnyObject, { metadata, target }: Binding, now: Date): AnyObject {
  const next = clone(pod) as unknown as Pod;
  next.spec.nodeName = target.name ?? "";
  if (metadata.annotations) next.metadata.annotations = { ...next.metadata.annotations, ...metadata.annotations };
  if (metadata.labels) next.metadata.labels = { ...next.metadata.labels, ...metadata.labels };
  const { nominatedNodeName: _, ...status } = next.status ?? {};
  next.status = {
    ...status,
    conditions: withCondition(status.conditions ?? [], {
      type: "PodScheduled",
      status: "True",
      lastTransitionTime: seconds(now),
    }),
  };
  return next as unknown as AnyObject;
}
