/** PriorityClasses. */
import type { PriorityClass } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { priorityClasses } from "../kinds.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { forbidden } from "../validation/problems.ts";
import { oneOf } from "../validation/values.ts";
import { behaviour } from "./behaviour.ts";
import { age, count, flag, text } from "./cells.ts";

const highestForUsers = 1_000_000_000;
const reserved = "system-";
const systemClasses: Readonly<Record<string, number>> = {
  "system-node-critical": 2_000_001_000,
  "system-cluster-critical": 2_000_000_000,
};

function systemProblem({ metadata: { name }, value, globalDefault }: PriorityClass): string | undefined {
  const wanted = systemClasses[name];
  if (wanted === undefined) return `${name} is not a known system priority class`;
  if (value !== wanted) return `value of ${name} PriorityClass must be ${wanted}`;
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined;
}

function validateNew(priorityClass: PriorityClass): Problem[] {
  const { metadata, value = 0, preemptionPolicy } = priorityClass;
  const problems: Problem[] = [];
  if (metadata.name?.startsWith(reserved)) {
    const wrong = systemProblem(priorityClass);
    const detail = `priority class names with '${reserved}' prefix are reserved for system use only. error: ${wrong}`;
    if (wrong !== undefined) problems.push(forbidden("metadata.name", detail));
  } else if (value > highestForUsers) {
    problems.push(forbidden("value", `maximum allowed value of a user defined priority is ${highestForUsers}`));
  }
  return [
    ...problems,
    ...(preemptionPolicy === undefined ? [] : oneOf(preemptionPolicy, ["PreemptLowerPriority", "Never"], "preemptionPolicy", true)),
  ];
}

export const priorityClassBehaviour = behaviour(priorityClasses, {
  defaults: (priorityClass) => {
    priorityClass.preemptionPolicy ??= "PreemptLowerPriority";
    priorityClass.value ??= 0;
  },
  validateCreate: validateNew,
  validateUpdate: (next, previous) => [
    ...(next.value === previous.value ? [] : [forbidden("value", "may not be changed in an update.")]),
    ...validateImmutable(next.preemptionPolicy, previous.preemptionPolicy, "preemptionPolicy"),
  ],
  undeletable: ({ metadata }) =>
    systemClasses[metadata.name] === undefined ? undefined : "this is a system priority class and cannot be deleted",
  // It has a generation, though nothing of it changes.
  generationFields: () => 1,
  ownAge: true,
  columns: [
    count("Value", ({ value }) => value),
    flag("Global-Default", ({ globalDefault }) => globalDefault),
    age,
    text("PreemptionPolicy", ({ preemptionPolicy }) => preemptionPolicy),
  ],
});
