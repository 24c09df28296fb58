/** PodDisruptionBudgets. */
import type { PodDisruptionBudget } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { podDisruptionBudgets } from "../kinds.ts";
import { validateConditions } from "../validation/conditions.ts";
import { validateLabelSelector } from "../validation/labels.ts";
import { invalid, notSupported } from "../validation/problems.ts";
import { nonNegative, notMoreThanAll, validateIntOrPercent } from "../validation/values.ts";
import { behaviour, specGeneration, statusBehaviour } from "./behaviour.ts";
import { age, count, text } from "./cells.ts";

const bounds = ["minAvailable", "maxUnavailable"] as const;
const counters = ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] as const;
const noPods = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };

function validate({ spec }: PodDisruptionBudget): Problem[] {
  const problems: Problem[] = [];
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    problems.push(invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set"));
  }
  for (const bound of bounds) {
    const value = spec[bound];
    if (value !== undefined) problems.push(...validateIntOrPercent(value, `spec.${bound}`), ...notMoreThanAll(value, `spec.${bound}`));
  }
  problems.push(...validateLabelSelector(spec.selector, "spec.selector"));
  const policy = spec.unhealthyPodEvictionPolicy;
  const policies = ["AlwaysAllow", "IfHealthyBudget"];
  if (policy !== undefined && !policies.includes(policy)) {
    problems.push(notSupported("spec.unhealthyPodEvictionPolicy", policy, policies));
  }
  return problems;
}

export const podDisruptionBudgetBehaviour = behaviour(podDisruptionBudgets, {
  ...statusBehaviour,
  nameRule: "pathSegment",
  defaults: (budget) => {
    budget.spec ??= {};
    budget.status = { ...noPods, ...budget.status };
  },
  prepareForCreate: (budget) => {
    budget.status = { ...noPods };
  },
  validate,
  validateStatusUpdate: ({ status }) => [
    ...validateConditions(status?.conditions, "status.conditions"),
    ...counters.flatMap((field) => nonNegative(status?.[field], `status.${field}`)),
  ],
  generationFields: specGeneration,
  allowUnconditionalUpdate: false,
  ownAge: true,
  columns: [
    text("Min Available", ({ spec }) => String(spec?.minAvailable ?? "N/A")),
    text("Max Unavailable", ({ spec }) => String(spec?.maxUnavailable ?? "N/A")),
    count("Allowed Disruptions", ({ status }) => status?.disruptionsAllowed),
    age,
  ],
});
