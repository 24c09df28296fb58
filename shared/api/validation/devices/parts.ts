/** What claims, classes and slices of devices have in common: selectors, configuration, tolerations, taints, conditions for binding. */
import type {
  DeviceClaimConfiguration,
  DeviceSelector,
  DeviceTaint,
  DeviceToleration,
  OpaqueDeviceConfiguration,
} from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { labelValueProblems } from "../../names.ts";
import type { Given } from "../given.ts";
import { validateLabelName } from "../labels.ts";
import { validateDriverName } from "../pod/volumes.ts";
import { invalid, invalidEach, notSupported, required, tooLong } from "../problems.ts";
import { oneOf } from "../values.ts";
import { duplicates, limitedItems } from "./lists.ts";

const mostSelectors = 32;
const longestExpression = 10 * 1024;
const emptyExpression =
  "compilation failed: ERROR: <input>:1:0: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/** The expressions themselves are not evaluated by this server: of those that are there and not too long nothing is said. */
export const validateSelectors = (selectors: readonly DeviceSelector[] | undefined, path: string): Problem[] =>
  limitedItems(path, selectors, mostSelectors, ({ cel }, at) => {
    if (!cel) return [required(`${at}.cel`)];
    const { expression = "" } = cel as Given<typeof cel>;
    const field = `${at}.cel.expression`;
    if (Buffer.byteLength(expression) > longestExpression) return [tooLong(field, longestExpression)];
    return expression === "" ? [invalid(field, expression, emptyExpression)] : [];
  });

const mostParameterBytes = 10 * 1024;

export function validateConfiguration({ opaque }: Pick<DeviceClaimConfiguration, "opaque">, at: string, isStored = false): Problem[] {
  if (!opaque) return [required(`${at}.opaque`)];
  const { driver, parameters } = opaque as Given<OpaqueDeviceConfiguration>;
  return [
    ...validateDriverName(driver, `${at}.opaque.driver`),
    ...validateData(parameters, `${at}.opaque.parameters`, isStored ? Number.POSITIVE_INFINITY : mostParameterBytes),
  ];
}

/** An object that only a driver understands. @param most bytes of JSON */
export function validateData(data: unknown, field: string, most = mostParameterBytes): Problem[] {
  if (data === undefined || data === null) return [required(field)];
  if (Buffer.byteLength(JSON.stringify(data)) > most) return [tooLong(field, most)];
  const isObject = typeof data === "object" && !Array.isArray(data) && !JSON.isRawJSON(data);
  return isObject ? [] : [invalid(field, "<value omitted>", "must be a valid JSON object")];
}

const effects = ["NoExecute", "NoSchedule", "None"];

export const validateTaint = ({ key = "", value, effect }: Given<DeviceTaint>, at: string): Problem[] => [
  ...validateLabelName(key, `${at}.key`),
  ...(value ? invalidEach(`${at}.value`, value, labelValueProblems(value)) : []),
  ...oneOf(effect, effects, `${at}.effect`, true),
];

export function validateToleration({ key, operator, value = "", effect }: DeviceToleration, at: string): Problem[] {
  const problems = key ? validateLabelName(key, `${at}.key`) : [];
  if (operator === "Exists") {
    if (value !== "") problems.push(invalid(`${at}.value`, value, "must be empty for operator `Exists`"));
  } else if (operator === "Equal") problems.push(...invalidEach(`${at}.value`, value, labelValueProblems(value)));
  else if (!operator) problems.push(required(`${at}.operator`));
  else problems.push(notSupported(`${at}.operator`, operator, ["Equal", "Exists"]));
  return [...problems, ...oneOf(effect, effects, `${at}.effect`)];
}

const mostConditions = 4;

interface Binding {
  readonly bindingConditions?: readonly string[] | undefined;
  readonly bindingFailureConditions?: readonly string[] | undefined;
}

/** Conditions to wait for before a Pod is bound, and those that end the wait: both or neither. */
export function validateBinding({ bindingConditions: awaited, bindingFailureConditions: failing }: Binding, at: string): Problem[] {
  const [awaitedPath, failingPath] = [`${at}.bindingConditions`, `${at}.bindingFailureConditions`];
  const known = new Set(awaited);
  const [hasAwaited, hasFailing] = [known.size > 0, (failing ?? []).length > 0];
  const problems = [
    ...limitedItems(awaitedPath, awaited, mostConditions, validateLabelName),
    ...limitedItems(failingPath, failing, mostConditions, validateLabelName),
    ...duplicates(awaitedPath, awaited, (condition) => condition),
    ...duplicates(failingPath, failing, (condition) => condition),
  ];
  for (const [index, condition] of (failing ?? []).entries()) {
    if (!known.has(condition)) continue;
    problems.push(invalid(`${failingPath}[${index}]`, condition, "bindingFailureConditions must not overlap with bindingConditions"));
  }
  if (hasFailing && !hasAwaited) {
    problems.push(invalid(awaitedPath, awaited, "bindingConditions are required to use bindingFailureConditions"));
  }
  if (hasAwaited && !hasFailing) {
    problems.push(invalid(failingPath, failing, "bindingFailureConditions are required to use bindingConditions"));
  }
  return problems;
}
