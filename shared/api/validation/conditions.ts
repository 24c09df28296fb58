/** Conditions in a status, in the form that newer kinds share. */
import type { Problem } from "../kind.ts";
import { patternMessage } from "../names.ts";
import { validateLabelName } from "./labels.ts";
import { duplicate, eachItem, invalid, notSupported, required, tooLong } from "./problems.ts";

interface Condition {
  readonly type?: string | undefined;
  readonly status?: string | undefined;
  readonly observedGeneration?: number | undefined;
  readonly lastTransitionTime?: string | undefined;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

const statuses = ["False", "True", "Unknown"];
const reasonPattern = "[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?";
const reasonMessage = patternMessage(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  reasonPattern,
  "my_name",
  "MY_NAME",
  "MyName",
  "ReasonA,ReasonB",
  "ReasonA:ReasonB",
);
const longestReason = 1024;
const longestMessage = 32 * 1024;

export function validateConditions(conditions: readonly Condition[] | undefined, path: string): Problem[] {
  const types = new Set<string>();
  return eachItem(path, conditions, (condition, at) => {
    const { type = "", status = "", observedGeneration = 0, lastTransitionTime, reason = "", message = "" } = condition;
    const twin = types.has(type);
    types.add(type);
    const problems: Problem[] = [];
    if (twin) problems.push(duplicate(`${at}.type`, type));
    problems.push(...validateLabelName(type, `${at}.type`));
    if (!statuses.includes(status)) problems.push(notSupported(`${at}.status`, status, statuses));
    if (observedGeneration < 0) {
      problems.push(invalid(`${at}.observedGeneration`, observedGeneration, "must be greater than or equal to zero"));
    }
    if (!lastTransitionTime) problems.push(required(`${at}.lastTransitionTime`));
    if (reason === "") problems.push(required(`${at}.reason`));
    else {
      if (!new RegExp(`^${reasonPattern}$`).test(reason)) problems.push(invalid(`${at}.reason`, reason, reasonMessage));
      if (reason.length > longestReason) problems.push(tooLong(`${at}.reason`, longestReason));
    }
    if (message.length > longestMessage) problems.push(tooLong(`${at}.message`, longestMessage));
    return problems;
  });
}
