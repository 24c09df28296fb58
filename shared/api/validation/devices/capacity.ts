/** How much of a device's capacity may be asked for. */
import type { CapacityRequestPolicy, CapacityRequestPolicyRange } from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { add, canonicalQuantity, compare, formatQuantity, parseQuantity, toNumber } from "../../quantity.ts";
import type { Given } from "../given.ts";
import { forbidden, invalid, required } from "../problems.ts";
import { distinctItems } from "./lists.ts";

const mostValues = 10;

const isMore = (amount: string, than: string): boolean => compare(parseQuantity(amount), parseQuantity(than)) > 0;

const wrong = (field: string, amount: string, detail: string): Problem => invalid(field, canonicalQuantity(amount), detail);

/** @param capacity all that there is */
export function validateRequestPolicy(capacity: string | undefined, policy: CapacityRequestPolicy, path: string): Problem[] {
  const { validValues = [], validRange } = policy;
  if (validValues.length > 0 && validRange) {
    return [forbidden(path, 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time')];
  }
  const kind = validValues.length > 0 ? "validValues" : "validRange";
  if (kind === "validRange" && !validRange) return [];
  if (policy.default === undefined) return [required(`${path}.default`, `required when ${kind} is defined`)];
  const field = `${path}.${kind}`;
  return validRange
    ? validateRange(policy.default, capacity ?? "0", validRange, field)
    : validateValues(policy.default, capacity ?? "0", validValues, field);
}

function validateValues(byDefault: string, capacity: string, values: readonly string[], path: string): Problem[] {
  const isAllowed = values.length <= mostValues && values.some((value) => compare(parseQuantity(value), parseQuantity(byDefault)) === 0);
  return [
    ...values.flatMap((value, index) =>
      index > 0 && isMore(values[index - 1] ?? value, value)
        ? [wrong(`${path}[${index}]`, value, "values must be sorted in ascending order")]
        : [],
    ),
    ...distinctItems(
      path,
      values,
      mostValues,
      (value) => String(toNumber(value)),
      (value, at) =>
        isMore(value, capacity) ? [wrong(at, value, `option is larger than capacity value: ${canonicalQuantity(capacity)}`)] : [],
    ),
    ...(isAllowed ? [] : [wrong(path, byDefault, "default value is not valid according to the requestPolicy")]),
  ];
}

function validateRange(
  byDefault: string,
  capacity: string,
  { min, max, step }: Given<CapacityRequestPolicyRange>,
  path: string,
): Problem[] {
  if (min === undefined) return [required(`${path}.min`, "required when validRange is defined")];
  const all = canonicalQuantity(capacity);
  const problems: Problem[] = [];
  if (isMore(min, capacity)) problems.push(wrong(`${path}.min`, min, `min is larger than capacity value: ${all}`));
  if (isMore(min, byDefault)) problems.push(wrong(`${path}.min`, byDefault, `default is less than min: ${canonicalQuantity(min)}`));
  if (max !== undefined) {
    if (isMore(min, max)) problems.push(wrong(`${path}.max`, min, `min is larger than max: ${canonicalQuantity(max)}`));
    if (isMore(max, capacity)) problems.push(wrong(`${path}.max`, max, `max is larger than capacity value: ${all}`));
    if (isMore(byDefault, max)) problems.push(wrong(`${path}.max`, byDefault, `default is more than max: ${canonicalQuantity(max)}`));
  }
  if (step === undefined) return problems;
  const first = formatQuantity(add(parseQuantity(min), parseQuantity(step)));
  if (isMore(first, capacity)) {
    problems.push(wrong(`${path}.step`, step, `one step ${first} is larger than capacity value: ${all}`));
  }
  return [
    ...problems,
    ...[byDefault, max].flatMap((value) => (value === undefined ? [] : validateSteps(value, min, step, `${path}.step`))),
  ];
}

/** The amount is so many whole steps away from the smallest. */
function validateSteps(value: string, min: string, step: string, field: string): Problem[] {
  if ((toNumber(value) - toNumber(min)) % toNumber(step) === 0) return [];
  return [wrong(field, value, `value is not a multiple of a given step (${canonicalQuantity(step)}) from (${canonicalQuantity(min)})`)];
}
