/** StorageClasses and VolumeAttributesClasses: how volumes are made and tuned. */
import type { StorageClass, TopologySelectorTerm } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { storageClasses, volumeAttributesClasses } from "../kinds.ts";
import { qualifiedNameProblems } from "../names.ts";
import { validateLabelName } from "../validation/labels.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, required, tooLong } from "../validation/problems.ts";
import { sameEntries, semanticallyEqual } from "../validation/semantic-equality.ts";
import { oneOf, oneOfGiven } from "../validation/values.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { age, flag, name, text } from "./cells.ts";
import { deprecatedNodeLabels } from "./pod-warnings.ts";

const mostParameters = 512;
const parametersBytes = 256 * 1024;

const validateDriver = (driver: string | undefined, field: string): Problem[] =>
  driver ? invalidEach(field, driver.toLowerCase(), qualifiedNameProblems(driver.toLowerCase())) : [required(field)];

function validateParameters(parameters: Readonly<Record<string, string>> | undefined): Problem[] {
  const entries = Object.entries(parameters ?? {});
  if (entries.length > mostParameters) return [tooLong("parameters", mostParameters)];
  const bytes = entries.reduce((sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value), 0);
  return [
    ...entries.filter(([key]) => key === "").map(([key]) => invalid("parameters", key, "field can not be empty.")),
    ...(bytes > parametersBytes ? [tooLong("parameters", parametersBytes)] : []),
  ];
}

/** A term's values by label, for comparison. */
const termFacts = ({ matchLabelExpressions = [] }: TopologySelectorTerm): object =>
  Object.fromEntries(matchLabelExpressions.map(({ key, values }) => [key, (values ?? []).toSorted()]));

function validateTerm(term: TopologySelectorTerm, path: string): Problem[] {
  const keys = new Set<string>();
  return eachItem(`${path}.matchLabelExpressions`, term.matchLabelExpressions, ({ key, values }, at) => {
    const twin = keys.has(key);
    keys.add(key);
    const seen = new Set<string>();
    return [
      ...((values ?? []).length === 0 ? [required(`${at}.values`)] : []),
      ...eachItem(`${at}.values`, values, (value, field) => {
        const again = seen.has(value);
        seen.add(value);
        return again ? [duplicate(field, value)] : [];
      }),
      ...validateLabelName(key, `${at}.key`),
      ...(twin ? [duplicate(`${at}.key`, key)] : []),
    ];
  });
}

function validateTopologies(terms: readonly TopologySelectorTerm[] | undefined): Problem[] {
  const seen: object[] = [];
  return eachItem("allowedTopologies", terms, (term, at) => {
    const facts = termFacts(term);
    // Upstream compares with as many empty terms as there are terms, so no term may be empty.
    const twin = Object.keys(facts).length === 0 || seen.some((other) => semanticallyEqual(other, facts));
    seen.push(facts);
    return [...validateTerm(term, at), ...(twin ? [duplicate(`${at}.matchLabelExpressions`, "")] : [])];
  });
}

const defaultMarks = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/** New claims that name no class get this one. */
const isDefault = ({ metadata }: StorageClass): boolean => defaultMarks.some((mark) => metadata.annotations?.[mark] === "true");

const settledFields = ["provisioner", "reclaimPolicy", "volumeBindingMode"] as const;

export const storageClassBehaviour = behaviour(storageClasses, {
  defaults: (storageClass) => {
    storageClass.reclaimPolicy ??= "Delete";
    storageClass.volumeBindingMode ??= "Immediate";
  },
  validate: (storageClass) => [
    ...validateDriver(storageClass.provisioner, "provisioner"),
    ...validateParameters(storageClass.parameters),
    ...oneOf(storageClass.reclaimPolicy, ["Delete", "Retain"], "reclaimPolicy"),
    ...oneOfGiven(storageClass.volumeBindingMode, ["Immediate", "WaitForFirstConsumer"], "volumeBindingMode"),
    ...validateTopologies(storageClass.allowedTopologies),
  ],
  validateUpdate: (next, previous) => [
    ...(sameEntries(next.parameters, previous.parameters) ? [] : [invalid("parameters", next.parameters ?? null, "field is immutable")]),
    ...settledFields.flatMap((field) => validateImmutable(next[field], previous[field], field)),
  ],
  warnings: ({ allowedTopologies }) =>
    (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, index) =>
      (matchLabelExpressions ?? []).flatMap(({ key }, position) =>
        deprecatedNodeLabels[key]
          ? [`allowedTopologies[${index}].matchLabelExpressions[${position}].key: ${deprecatedNodeLabels[key]}`]
          : [],
      ),
    ),
  generationFields: noGeneration,
  ownName: true,
  columns: [
    name((storageClass) => `${storageClass.metadata.name}${isDefault(storageClass) ? " (default)" : ""}`),
    text("Provisioner", ({ provisioner }) => provisioner),
    text("ReclaimPolicy", ({ reclaimPolicy }) => reclaimPolicy ?? "Delete"),
    text("VolumeBindingMode", ({ volumeBindingMode }) => volumeBindingMode ?? "Immediate"),
    { ...flag("AllowVolumeExpansion", ({ allowVolumeExpansion }) => allowVolumeExpansion), type: "string" },
  ],
});

const settled = (field: string): Problem => forbidden(field, `updates to ${field} are forbidden.`);

export const volumeAttributesClassBehaviour = behaviour(volumeAttributesClasses, {
  validate: ({ driverName, parameters }) => [
    ...validateDriver(driverName, "driverName"),
    ...validateParameters(parameters),
    ...(Object.keys(parameters ?? {}).length === 0 ? [required("parameters", "must contain at least one key/value pair")] : []),
  ],
  validateUpdate: (next, previous) => [
    ...(next.driverName === previous.driverName ? [] : [settled("driverName")]),
    ...(sameEntries(next.parameters, previous.parameters) ? [] : [settled("parameters")]),
  ],
  generationFields: noGeneration,
  ownAge: true,
  columns: [text("DriverName", ({ driverName }) => driverName), age],
});
