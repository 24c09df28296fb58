/** What a CustomResourceDefinition must keep: unique names, one stored version, and structural schemas. */
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import type { Problem } from "../../api/kind.ts";
import { validateClient } from "../../api/kinds/webhook-configurations.ts";
import { dns1035LabelProblems, dnsSubdomainProblems } from "../../api/names.ts";
import type { Structural } from "../../api/structural.ts";
import { validateImmutable } from "../../api/validation/metadata.ts";
import { duplicate, forbidden, invalid, invalidEach, isPrintable, notSupported, required, tooMany } from "../../api/validation/problems.ts";
import { same } from "../values.ts";
import { defaultProblems } from "./default-problems.ts";
import { FieldPathError, parseFieldPath } from "./field-path.ts";
import { isEstablished } from "./kinds.ts";
import { schemaProblems } from "./schema-problems.ts";
import { structuralProblems, unsupportedPart } from "./structural.ts";

type Spec = CustomResourceDefinition["spec"];
type Version = Spec["versions"][number];

export function definitionProblems(next: CustomResourceDefinition, previous: CustomResourceDefinition | undefined): Problem[] {
  const { spec } = next;
  return [
    // An update keeps its name, and what it was made of.
    ...(previous ? [] : definitionNameProblems(next)),
    ...groupProblems(spec),
    ...notEmpty("spec.scope", spec.scope, ["Cluster", "Namespaced"]),
    ...versionsProblems(spec, previous),
    ...nameProblems(spec),
    ...conversionProblems(spec),
    ...storedVersionProblems(next),
    ...approvalProblems(next, previous),
    ...(previous ? updateProblems(spec, previous) : []),
  ];
}

function definitionNameProblems({ spec, metadata }: CustomResourceDefinition): Problem[] {
  const expected = `${spec.names.plural}.${spec.group}`;
  const problem = (field: string, name: string) => invalid(field, name, `must be spec.names.plural+"."+spec.group`);
  return [
    ...(metadata.generateName && metadata.generateName !== expected ? [problem("metadata.generateName", metadata.generateName)] : []),
    ...(metadata.name === expected ? [] : [problem("metadata.name", metadata.name)]),
  ];
}

function groupProblems({ group }: Spec): Problem[] {
  if (!group) return [required("spec.group")];
  const problems = joined("spec.group", group, dnsSubdomainProblems(group));
  if (problems.length > 0 || group.includes(".")) return problems;
  return [invalid("spec.group", group, "should be a domain with at least one dot")];
}

const notEmpty = (field: string, value: string | undefined, supported: readonly string[]): Problem[] => {
  if (!value) return [required(field)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
};

function versionsProblems(spec: Spec, previous: CustomResourceDefinition | undefined): Problem[] {
  const { versions } = spec;
  const problems: Problem[] = [];
  const shared = sharedParts(versions);
  for (const [index, { schema }] of versions.entries()) {
    if (schema?.openAPIV3Schema === undefined) problems.push(required(`spec.versions[${index}].schema.openAPIV3Schema`));
  }
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    problems.push(...joined(`${path}.name`, version.name, dns1035LabelProblems(version.name)));
    problems.push(...warningProblems(version, path));
    problems.push(...partsProblems(spec, version, path, shared, previous));
  }
  const [first] = versions;
  if (first !== undefined) {
    if (first.name) problems.push(...joined("spec.version", first.name, dns1035LabelProblems(first.name)));
    problems.push(...sharedProblems(spec, first, shared, previous));
  }
  if (new Set(versions.map(({ name }) => name)).size < versions.length) {
    problems.push(invalid("spec.versions", versions, "must contain unique version names"));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    problems.push(invalid("spec.versions", versions, "must have exactly one version marked as storage version"));
  }
  return problems;
}

/** What all versions have in common is looked at once, where older versions of the API had it: beside the versions. */
interface Shared {
  readonly schema: boolean;
  readonly subresources: boolean;
  readonly columns: boolean;
  readonly selectable: boolean;
}

function sharedParts(versions: readonly Version[]): Shared {
  const isShared = (part: (version: Version) => unknown): boolean => {
    const [first, ...rest] = versions.map(part);
    return first !== undefined && rest.every((other) => same(other, first));
  };
  return {
    schema: isShared(({ schema }) => schema),
    subresources: isShared(({ subresources }) => subresources),
    columns: isShared(({ additionalPrinterColumns }) => additionalPrinterColumns),
    selectable: isShared(({ selectableFields }) => selectableFields),
  };
}

function partsProblems(
  spec: Spec,
  version: Version,
  path: string,
  shared: Shared,
  previous: CustomResourceDefinition | undefined,
): Problem[] {
  const schema = version.schema?.openAPIV3Schema as Structural | undefined;
  return [
    ...(shared.schema || schema === undefined ? [] : wholeSchemaProblems(schema, version, `${path}.schema.openAPIV3Schema`, previous)),
    ...(shared.subresources ? [] : scaleProblems(version, `${path}.subresources`)),
    ...(shared.columns ? [] : columnsProblems(version, `${path}.additionalPrinterColumns`)),
    ...(shared.selectable ? [] : selectableProblems(version, `${path}.selectableFields`, previous)),
    ...preservingProblems(spec),
  ];
}

function sharedProblems(spec: Spec, first: Version, shared: Shared, previous: CustomResourceDefinition | undefined): Problem[] {
  const schema = first.schema?.openAPIV3Schema as Structural | undefined;
  const hasStatus = spec.versions.some(({ subresources }) => subresources?.status !== undefined);
  return [
    ...(shared.schema && schema ? wholeSchemaProblems(schema, first, "spec.validation.openAPIV3Schema", previous, hasStatus) : []),
    ...(shared.subresources ? scaleProblems(first, "spec.subresources") : []),
    ...(shared.columns ? columnsProblems(first, "spec.additionalPrinterColumns") : []),
    ...(shared.selectable ? selectableProblems(first, "spec.selectableFields", previous) : []),
  ];
}

function preservingProblems({ preserveUnknownFields }: Spec): Problem[] {
  if (!preserveUnknownFields) return [];
  const why = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";
  return [invalid("spec.preserveUnknownFields", true, why)];
}

function wholeSchemaProblems(
  schema: Structural,
  version: Version,
  path: string,
  previous: CustomResourceDefinition | undefined,
  hasStatus = version.subresources?.status !== undefined,
): Problem[] {
  const problems = hasStatus ? rootProblems(schema, path) : [];
  if (schema.nullable) problems.push(forbidden(`${path}.nullable`, "nullable cannot be true at the root"));
  const strange = unsupportedPart(schema);
  const structural = strange === undefined ? structuralProblems(schema, path) : [];
  if (strange === undefined && structural.length === 0) structural.push(...defaultProblems(schema, path));
  const before = previous?.spec.versions.find(({ name }) => name === version.name)?.schema?.openAPIV3Schema;
  const options = {
    checksRules: strange === undefined && structural.length === 0,
    limitsRules: !(before !== undefined && same(before, schema)),
  };
  problems.push(...structural, ...schemaProblems(schema, path, options));
  // Most of these parts are refused by their names already.
  if (problems.length === 0 && strange !== undefined) problems.push(invalid(path, "", `OpenAPIV3Schema '${strange}' is not supported`));
  return problems;
}

/** With a status of its own, a schema is cut in two: what it says at its root has to survive that. */
const rootFields = [
  "Description",
  "Type",
  "Format",
  "Title",
  "Maximum",
  "ExclusiveMaximum",
  "Minimum",
  "ExclusiveMinimum",
  "MaxLength",
  "MinLength",
  "Pattern",
  "MaxItems",
  "MinItems",
  "UniqueItems",
  "MultipleOf",
  "Required",
  "Items",
  "Properties",
  "ExternalDocs",
  "Example",
  "XPreserveUnknownFields",
  "XValidations",
];
const rootNames: ReadonlySet<string> = new Set([
  ...rootFields.map((name) => name.charAt(0).toLowerCase() + name.slice(1)),
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-validations",
]);

function rootProblems(schema: Structural, path: string): Problem[] {
  if (schema.type !== undefined && schema.type !== "object") {
    return [
      invalid(
        `${path}.type`,
        schema.type,
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled',
      ),
    ];
  }
  if (Object.keys(schema).every((name) => rootNames.has(name))) return [];
  const why = `only [${rootFields.join(" ")}] fields are allowed at the root of the schema if the status subresource is enabled`;
  return [invalid(path, schema, why)];
}

function warningProblems({ deprecated, deprecationWarning: warning }: Version, path: string): Problem[] {
  if (warning === undefined) return [];
  const problem = (why: string) => invalid(`${path}.deprecationWarning`, warning, why);
  if (!deprecated) return [problem("can only be set for deprecated versions")];
  const problems: Problem[] = [];
  if (Buffer.byteLength(warning) > 256) problems.push(problem("must be <= 256 characters long"));
  if (warning === "") problems.push(problem("must not be an empty string"));
  const odd = Array.from(warning).find((character) => !isPrintable(character));
  if (odd !== undefined) {
    const at = Buffer.byteLength(warning.slice(0, warning.indexOf(odd)));
    problems.push(problem(`must only contain printable UTF-8 characters; non-printable character found at index ${at}`));
  }
  return problems;
}

const columnTypes = ["boolean", "date", "integer", "number", "string"];
const columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

function columnsProblems({ additionalPrinterColumns = [] }: Version, path: string): Problem[] {
  return additionalPrinterColumns.flatMap(({ name, type, format, jsonPath }, index) => {
    const at = `${path}[${index}]`;
    const oneOf = (values: readonly string[]) => `must be one of ${values.join(",")}`;
    const problems: Problem[] = [];
    if (!name) problems.push(required(`${at}.name`));
    if (!type) problems.push(required(`${at}.type`, oneOf(columnTypes)));
    else if (!columnTypes.includes(type)) problems.push(invalid(`${at}.type`, type, oneOf(columnTypes)));
    if (format && !columnFormats.includes(format)) problems.push(invalid(`${at}.format`, format, oneOf(columnFormats)));
    if (!jsonPath) problems.push(required(`${at}.JSONPath`));
    else problems.push(...simplePathProblems(jsonPath, `${at}.JSONPath`));
    return problems;
  });
}

const simplePathProblems = (text: string, path: string): Problem[] =>
  text.startsWith(".") ? [] : [invalid(path, text, "must be a simple json path starting with .")];

function scaleProblems({ subresources }: Version, path: string): Problem[] {
  const scale = subresources?.scale;
  if (scale === undefined) return [];
  const problems: Problem[] = [];
  for (const [name, under] of [
    ["specReplicasPath", ".spec."],
    ["statusReplicasPath", ".status."],
  ] as const) {
    const at = `${path}.scale.${name}`;
    const value = scale[name];
    if (!value) problems.push(required(at));
    else if (!value.startsWith(".")) problems.push(...simplePathProblems(value, at));
    else if (!value.startsWith(under)) problems.push(invalid(at, value, `should be a json path under ${under.slice(0, -1)}`));
  }
  const { labelSelectorPath: selector } = scale;
  if (selector) {
    const at = `${path}.scale.labelSelectorPath`;
    if (!selector.startsWith(".")) problems.push(...simplePathProblems(selector, at));
    else if (!/^\.(?:spec|status)\./.test(selector))
      problems.push(invalid(at, selector, "should be a json path under either .spec or .status"));
  }
  return problems;
}

const maxSelectable = 8;
const selectableTypes = ["string", "boolean", "integer"];

function selectableProblems(version: Version, path: string, previous: CustomResourceDefinition | undefined): Problem[] {
  const { selectableFields = [] } = version;
  if (selectableFields.length === 0) return [];
  const schema = version.schema?.openAPIV3Schema as Structural | undefined;
  if (schema === undefined) return [invalid(path, "", "may only be set when `version.schema.openAPIV3Schema` is not included")];
  const seen = new Set<string>();
  const problems = selectableFields.flatMap(({ jsonPath }, index) =>
    selectablePathProblems(jsonPath, schema, `${path}[${index}].jsonPath`, seen),
  );
  const before = previous?.spec.versions.find(({ name }) => name === version.name)?.selectableFields;
  // What was let in once may stay.
  const isOld = before !== undefined && before.length > maxSelectable && same(before, selectableFields);
  return seen.size > maxSelectable && !isOld ? [...problems, tooMany(path, seen.size, maxSelectable)] : problems;
}

function selectablePathProblems(path: string, schema: Structural, at: string, seen: Set<string>): Problem[] {
  if (!path) return [required(at)];
  const problems: Problem[] = [];
  try {
    const { text, root, schema: found } = parseFieldPath(path, schema, { brackets: false });
    if (root === "metadata") problems.push(invalid(at, path, "must not point to fields in metadata"));
    if (!selectableTypes.includes(found?.type ?? "")) {
      const why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
      problems.push(invalid(at, path, why));
    }
    if (seen.has(text)) problems.push(duplicate(at, path));
    seen.add(text);
  } catch (error) {
    if (!(error instanceof FieldPathError)) throw error;
    problems.push(invalid(at, path, `is an invalid path: ${error.message}`));
  }
  return problems;
}

function nameProblems({ names }: Spec): Problem[] {
  const missing = (["plural", "singular", "kind", "listKind"] as const).filter((name) => !names[name]);
  return [...missing.map((name) => required(`spec.names.${name}`)), ...givenNameProblems(names, "spec.names")];
}

function givenNameProblems(names: Spec["names"], path: string): Problem[] {
  const { plural, singular, kind, listKind, shortNames = [], categories = [] } = names;
  const label = (field: string, value: string | undefined) => (value ? joined(`${path}.${field}`, value, dns1035LabelProblems(value)) : []);
  return [
    ...label("plural", plural),
    ...label("singular", singular),
    ...kindProblems(`${path}.kind`, kind),
    ...kindProblems(`${path}.listKind`, listKind),
    ...shortNames.flatMap((name, index) => joined(`${path}.shortNames[${index}]`, name, dns1035LabelProblems(name))),
    ...(kind && kind === listKind ? [invalid(`${path}.listKind`, listKind, "kind and listKind may not be the same")] : []),
    ...categories.flatMap((name, index) => joined(`${path}.categories[${index}]`, name, dns1035LabelProblems(name))),
  ];
}

/** Kinds are labels but for their capital letters. */
function kindProblems(field: string, kind: string | undefined): Problem[] {
  const problems = kind ? dns1035LabelProblems(kind.toLowerCase()) : [];
  return problems.length === 0 ? [] : [invalid(field, kind, `may have mixed case, but should otherwise match: ${problems.join(",")}`)];
}

/** All that is wrong with a value in one problem. */
const joined = (field: string, value: unknown, messages: readonly string[]): Problem[] =>
  messages.length === 0 ? [] : [invalid(field, value, messages.join(","))];

function conversionProblems({ conversion }: Spec): Problem[] {
  if (conversion === undefined) return [];
  const problems = notEmpty("spec.conversion.strategy", conversion.strategy, ["None", "Webhook"]);
  const { webhook } = conversion;
  if (conversion.strategy !== "Webhook") {
    const why = "should not be set when strategy is not set to Webhook";
    if (webhook?.clientConfig) problems.push(forbidden("spec.conversion.webhookClientConfig", why));
    if ((webhook?.conversionReviewVersions ?? []).length > 0) problems.push(forbidden("spec.conversion.conversionReviewVersions", why));
    return problems;
  }
  const config = webhook?.clientConfig;
  if (config === undefined) problems.push(required("spec.conversion.webhookClientConfig", "required when strategy is set to Webhook"));
  else problems.push(...validateClient(config, "spec.conversion.webhookClientConfig"));
  return [...problems, ...reviewVersionProblems(webhook?.conversionReviewVersions ?? [])];
}

function reviewVersionProblems(versions: readonly string[]): Problem[] {
  const path = "spec.conversion.conversionReviewVersions";
  if (versions.length === 0) return [required(path)];
  const problems = versions.flatMap((version, index) =>
    versions.indexOf(version) < index
      ? [invalid(`${path}[${index}]`, version, "duplicate version")]
      : invalidEach(`${path}[${index}]`, version, dns1035LabelProblems(version)),
  );
  const isUnderstood = versions.some((version) => version === "v1" || version === "v1beta1");
  return isUnderstood ? problems : [...problems, invalid(path, versions, "must include at least one of v1, v1beta1")];
}

/** Objects may still be stored in these: a version cannot go before they have been written again. */
function storedVersionProblems({ spec, status }: CustomResourceDefinition): Problem[] {
  const stored = status?.storedVersions ?? [];
  const path = "status.storedVersions";
  if (stored.length === 0) return [invalid(path, null, "must have at least one stored version")];
  const absent = spec.versions.filter(({ name, storage }) => storage && !stored.includes(name));
  const known = new Set(spec.versions.map(({ name }) => name));
  const missing = [...stored.entries()].filter(([, name]) => !known.has(name));
  return [
    ...absent.map(({ name }) => invalid(path, stored, `must have the storage version ${name}`)),
    ...missing.map(([index, name]) =>
      invalid(
        `${path}[${index}]`,
        name,
        `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
      ),
    ),
  ];
}

const approval = "api-approved.kubernetes.io";

/** Groups of the Kubernetes community are not for everybody: who defines a kind in one says who approved it. */
function approvalProblems({ spec, metadata }: CustomResourceDefinition, previous: CustomResourceDefinition | undefined): Problem[] {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(spec.group)) return [];
  const value = metadata.annotations?.[approval];
  if (previous !== undefined && approvalState(previous.metadata.annotations?.[approval]) === approvalState(value)) return [];
  const path = `metadata.annotations[${approval}]`;
  switch (approvalState(value)) {
    case "missing":
      return [
        required(
          path,
          `protected groups must have approval annotation "${approval}", see https://github.com/kubernetes/enhancements/pull/1111`,
        ),
      ];
    case "invalid":
      return [
        invalid(
          path,
          value,
          `protected groups must have approval annotation "${approval}" with either a URL or a reason starting with "unapproved", see https://github.com/kubernetes/enhancements/pull/1111`,
        ),
      ];
    default:
      return [];
  }
}

function approvalState(value: string | undefined): "missing" | "invalid" | "approved" | "bypassed" {
  if (!value) return "missing";
  if (value.startsWith("unapproved")) return "bypassed";
  return URL.canParse(value) && new URL(value).host !== "" ? "approved" : "invalid";
}

function updateProblems(spec: Spec, previous: CustomResourceDefinition): Problem[] {
  const whereStored = isEstablished(previous)
    ? [
        ...validateImmutable(spec.scope, previous.spec.scope, "spec.scope"),
        ...validateImmutable(spec.names.kind, previous.spec.names.kind, "spec.names.kind"),
      ]
    : [];
  return [
    ...whereStored,
    ...validateImmutable(spec.group, previous.spec.group, "spec.group"),
    ...validateImmutable(spec.names.plural, previous.spec.names.plural, "spec.names.plural"),
  ];
}
