/** What a CustomResourceDefinition must keep: unique names, one stored version, and structural schemas. */
import type { CustomResourceDefinition } from "../../api/generated/types.ts";
import type { Problem } from "../../api/kind.ts";
import { dns1035LabelProblems, dnsSubdomainProblems } from "../../api/names.ts";
import { validateImmutable } from "../../api/validation/metadata.ts";
import { duplicate, forbidden, invalid, invalidEach, notSupported, required } from "../../api/validation/problems.ts";
import { isEstablished } from "./kinds.ts";
import type { Structural } from "./schema.ts";
import { structuralProblems } from "./structural.ts";

type Spec = CustomResourceDefinition["spec"];
type Version = Spec["versions"][number];

export function definitionProblems(next: CustomResourceDefinition, previous: CustomResourceDefinition | undefined): Problem[] {
  const { spec, metadata } = next;
  const expected = `${spec.names.plural}.${spec.group}`;
  return [
    ...(metadata.name === expected ? [] : [invalid("metadata.name", metadata.name, `must be spec.names.plural+"."+spec.group`)]),
    ...groupProblems(spec),
    ...notEmpty("spec.scope", spec.scope, ["Cluster", "Namespaced"]),
    ...versionsProblems(spec),
    ...nameProblems(spec),
    ...conversionProblems(spec),
    ...storedVersionProblems(next),
    ...(previous ? updateProblems(spec, previous) : []),
  ];
}

function groupProblems({ group }: Spec): Problem[] {
  if (!group) return [required("spec.group")];
  const problems = invalidEach("spec.group", group, dnsSubdomainProblems(group));
  return group.includes(".") ? problems : [...problems, invalid("spec.group", group, "should be a domain with at least one dot")];
}

const notEmpty = (field: string, value: string | undefined, supported: readonly string[]): Problem[] => {
  if (!value) return [required(field)];
  return supported.includes(value) ? [] : [notSupported(field, value, supported)];
};

function versionsProblems(spec: Spec): Problem[] {
  const { versions } = spec;
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [index, version] of versions.entries()) {
    const path = `spec.versions[${index}]`;
    problems.push(...invalidEach(`${path}.name`, version.name, dns1035LabelProblems(version.name)));
    if (seen.has(version.name)) problems.push(duplicate(`${path}.name`, version.name));
    seen.add(version.name);
    problems.push(...versionProblems(spec, version, path));
  }
  if (!versions.some(({ served }) => served) && versions.length === 0) problems.push(required("spec.versions"));
  if (versions.filter(({ storage }) => storage).length !== 1) {
    problems.push(
      invalid(
        "spec.versions",
        versions.map(({ name }) => name),
        "must have exactly one version marked as storage version",
      ),
    );
  }
  return problems;
}

function versionProblems(spec: Spec, version: Version, path: string): Problem[] {
  const schema = version.schema?.openAPIV3Schema as Structural | undefined;
  if (schema === undefined) return [required(`${path}.schema.openAPIV3Schema`, "schemas are required")];
  const problems = structuralProblems(schema, `${path}.schema.openAPIV3Schema`);
  if (spec.preserveUnknownFields) {
    problems.push(
      invalid(
        "spec.preserveUnknownFields",
        true,
        "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      ),
    );
  }
  if (version.deprecationWarning && !version.deprecated) {
    problems.push(invalid(`${path}.deprecationWarning`, version.deprecationWarning, "can only be set for deprecated versions"));
  }
  for (const [index, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const at = `${path}.additionalPrinterColumns[${index}]`;
    if (!column.name) problems.push(required(`${at}.name`));
    problems.push(...notEmpty(`${at}.type`, column.type, ["boolean", "date", "integer", "number", "string"]));
    if (!column.jsonPath) problems.push(required(`${at}.jsonPath`));
  }
  const scale = version.subresources?.scale;
  for (const [name, under] of [
    ["specReplicasPath", ".spec."],
    ["statusReplicasPath", ".status."],
  ] as const) {
    const value = scale?.[name];
    if (scale && !value) problems.push(required(`${path}.subresources.scale.${name}`));
    else if (value && !value.startsWith(under)) {
      problems.push(invalid(`${path}.subresources.scale.${name}`, value, `should be a json path under ${under.slice(0, -1)}`));
    }
  }
  return problems;
}

function nameProblems({ names }: Spec): Problem[] {
  const problems: Problem[] = [];
  if (!names.plural) problems.push(required("spec.names.plural"));
  else problems.push(...invalidEach("spec.names.plural", names.plural, dns1035LabelProblems(names.plural)));
  if (!names.kind) problems.push(required("spec.names.kind"));
  else problems.push(...labelled("spec.names.kind", names.kind));
  if (names.singular) problems.push(...invalidEach("spec.names.singular", names.singular, dns1035LabelProblems(names.singular)));
  for (const [index, name] of (names.shortNames ?? []).entries()) {
    problems.push(...invalidEach(`spec.names.shortNames[${index}]`, name, dns1035LabelProblems(name)));
  }
  if (names.listKind && names.listKind === names.kind) {
    problems.push(invalid("spec.names.listKind", names.listKind, "kind and listKind may not be the same"));
  }
  return problems;
}

/** Kinds are labels but for their capital letters. */
const labelled = (field: string, kind: string): Problem[] =>
  dns1035LabelProblems(kind.toLowerCase()).map((message) =>
    invalid(field, kind, `may have mixed case, but should otherwise match: ${message}`),
  );

function conversionProblems({ conversion }: Spec): Problem[] {
  if (conversion === undefined) return [];
  const problems = notEmpty("spec.conversion.strategy", conversion.strategy, ["None", "Webhook"]);
  if (conversion.strategy === "Webhook" && !conversion.webhook?.clientConfig) {
    problems.push(required("spec.conversion.webhook.clientConfig", "required when strategy is set to Webhook"));
  }
  if (conversion.strategy === "None" && conversion.webhook) {
    problems.push(forbidden("spec.conversion.webhook", "should not be set when strategy is not set to Webhook"));
  }
  return problems;
}

/** Objects may still be stored in these: a version cannot go before they have been written again. */
function storedVersionProblems({ spec, status }: CustomResourceDefinition): Problem[] {
  const known = new Set(spec.versions.map(({ name }) => name));
  const missing = [...(status?.storedVersions ?? []).entries()].filter(([, name]) => !known.has(name));
  return missing.map(([index, name]) =>
    invalid(
      `status.storedVersions[${index}]`,
      name,
      `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
    ),
  );
}

function updateProblems(spec: Spec, previous: CustomResourceDefinition): Problem[] {
  const problems = [
    ...validateImmutable(spec.group, previous.spec.group, "spec.group"),
    ...validateImmutable(spec.names.plural, previous.spec.names.plural, "spec.names.plural"),
  ];
  if (!isEstablished(previous)) return problems;
  return [
    ...problems,
    ...validateImmutable(spec.scope, previous.spec.scope, "spec.scope"),
    ...validateImmutable(spec.names.kind, previous.spec.names.kind, "spec.names.kind"),
  ];
}
