/**
 * PodTopologyLabels: a Pod carries the zone and the region of the Node that it is bound to, for the downward API to show.
 * @see k8s.io/kubernetes/plugin/pkg/admission/podtopologylabels
 */
import type { Binding, Pod } from "../api/generated/types.ts";
import { nodes } from "../api/kinds.ts";
import type { AdmissionPlugin, AdmissionRequest } from "./plugin.ts";

const topologyLabels = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"];

export const podTopologyLabels: AdmissionPlugin = {
  name: "PodTopologyLabels",
  handles: (kind, operation, subresource) =>
    kind.storage === "pods" && operation === "CREATE" && (subresource === "" || subresource === "binding"),
  admit: async (request, reader) => {
    const { object } = request;
    const name = nodeName(request);
    if (!object || !name) return;
    const node = await reader.get(nodes, { namespace: "", name });
    for (const label of topologyLabels) {
      const value = node?.metadata.labels?.[label];
      if (value !== undefined) object.metadata.labels = { ...object.metadata.labels, [label]: value };
    }
  },
};

function nodeName({ subresource, object }: AdmissionRequest): string | undefined {
  if (subresource === "") return (object as unknown as Pod).spec.nodeName;
  const { target } = object as unknown as Binding;
  return target.kind === "Node" ? target.name : undefined;
}
