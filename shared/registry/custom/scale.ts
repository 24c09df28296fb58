/** `/scale` of custom resources: where their replicas are, and what those may be. */
import type { CustomResourceDefinitionVersion } from "../../api/generated/types.ts";
import type { AnyObject, Problem, ScaleMapping } from "../../api/kind.ts";
import type { JsonObject } from "../../api/objects.ts";
import { invalid } from "../../api/validation/problems.ts";
import { clone, isObject, show } from "../values.ts";

type Paths = NonNullable<NonNullable<CustomResourceDefinitionVersion["subresources"]>["scale"]>;

const highest = 2 ** 31 - 1;

const namesIn = (path: string): string[] => path.replace(/^\./, "").split(".");

export const scaleMapping = ({ specReplicasPath, statusReplicasPath, labelSelectorPath }: Paths): ScaleMapping<AnyObject> => ({
  specReplicas: (object) => Number(find(object, specReplicasPath).value ?? 0),
  statusReplicas: (object) => Number(find(object, statusReplicasPath).value ?? 0),
  unreadable: (object) =>
    find(object, specReplicasPath).value === undefined
      ? `the spec replicas field ${JSON.stringify(specReplicasPath)} does not exist`
      : undefined,
  selector: (object) => (labelSelectorPath === undefined ? "" : show(find(object, labelSelectorPath).value)),
  withReplicas: (object, replicas) => {
    const next = clone(object);
    const names = namesIn(specReplicasPath);
    const last = names.pop() ?? "replicas";
    let part: JsonObject = next;
    for (const name of names) {
      if (!isObject(part[name])) part[name] = {};
      part = part[name] as JsonObject;
    }
    part[last] = replicas;
    return next;
  },
});

/** What a Scale could not show. The schema need not say anything of these fields. */
export const scaleProblems = (object: AnyObject, paths: Paths): Problem[] => [
  ...replicasProblems(object, paths.specReplicasPath),
  ...scaleStatusProblems(object, paths),
];

export const scaleStatusProblems = (object: AnyObject, { statusReplicasPath, labelSelectorPath }: Paths): Problem[] => [
  ...replicasProblems(object, statusReplicasPath),
  ...(labelSelectorPath === undefined ? [] : selectorProblems(object, labelSelectorPath)),
];

function replicasProblems(object: AnyObject, path: string): Problem[] {
  const { value = 0, problem } = find(object, path);
  if (problem !== undefined) return [invalid(path, 0, problem)];
  if (typeof value !== "number" || !Number.isInteger(value)) return [invalid(path, 0, wrongType(path, value, "int64"))];
  if (value < 0) return [invalid(path, value, "should be a non-negative integer")];
  return value > highest ? [invalid(path, value, `should be less than or equal to ${highest}`)] : [];
}

function selectorProblems(object: AnyObject, path: string): Problem[] {
  const { value = "", problem } = find(object, path);
  const wrong = problem ?? (typeof value === "string" ? undefined : wrongType(path, value, "string"));
  return wrong === undefined ? [] : [invalid(path, "", wrong)];
}

/** What stands at a path; a problem where it leads through something that is no object. */
function find(object: AnyObject, path: string): { readonly value?: unknown; readonly problem?: string } {
  const names = namesIn(path);
  let value: unknown = object;
  for (const [index, name] of names.entries()) {
    if (value === undefined || value === null) return {};
    if (!isObject(value)) return { problem: wrongType(names.slice(0, index + 1).join("."), value, "map[string]interface{}") };
    value = Object.hasOwn(value, name) ? value[name] : undefined;
  }
  return { value };
}

const wrongType = (path: string, value: unknown, expected: string): string =>
  `.${path.replace(/^\./, "")} accessor error: ${asGoPrints(value)} is of the type ${goType(value)}, expected ${expected}`;

function asGoPrints(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(asGoPrints).join(" ")}]`;
  if (value === null) return "<nil>";
  return show(value);
}

function goType(value: unknown): string {
  if (Array.isArray(value)) return "[]interface {}";
  if (value === null) return "<nil>";
  if (typeof value === "number") return Number.isInteger(value) ? "int64" : "float64";
  if (typeof value === "boolean") return "bool";
  return isObject(value) ? "map[string]interface {}" : "string";
}
