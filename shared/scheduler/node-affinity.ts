/** Which Nodes a Pod wants to stand on: node selectors and node affinity. */
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod } from "../api/generated/types.ts";

const integer = /^[+-]?\d+$/;

function meets(requirement: NodeSelectorRequirement, value: string | undefined): boolean {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    case "Gt":
    case "Lt": {
      const bound = values[0];
      if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return false;
      return requirement.operator === "Gt" ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound);
    }
    default:
      return false;
  }
}

/** All requirements of a term hold. A term without any matches nothing. */
function matchesTerm(term: NodeSelectorTerm, node: Pick<Node, "metadata">): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length + fields.length === 0) return false;
  return (
    expressions.every((requirement) => meets(requirement, node.metadata.labels?.[requirement.key])) &&
    fields.every((requirement) => meets(requirement, requirement.key === "metadata.name" ? node.metadata.name : undefined))
  );
}

/** One of the terms holds. */
export const matchesSelector = ({ nodeSelectorTerms }: NodeSelector, node: Pick<Node, "metadata">): boolean =>
  nodeSelectorTerms.some((term) => matchesTerm(term, node));

/** `nodeSelector` and the required part of node affinity. */
export function matchesNode(pod: Pod, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(pod.spec.nodeSelector ?? {})) if (labels[key] !== value) return false;
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return required === undefined || matchesSelector(required, node);
}

/** Sum of the weights of preferences that the Node meets. An empty preference matches every Node. */
export function preference(pod: Pod, node: Node): number {
  let total = 0;
  for (const { weight, preference } of pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
    const empty = (preference.matchExpressions ?? []).length + (preference.matchFields ?? []).length === 0;
    if (empty || matchesTerm(preference, node)) total += weight;
  }
  return total;
}
