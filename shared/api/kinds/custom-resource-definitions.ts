/** CustomResourceDefinitions as objects; what they define, and whether they may, is the registry's business. */
import { customResourceDefinitions } from "../kinds.ts";
import { behaviour, keepStatus, specGeneration } from "./behaviour.ts";
import { createdAt } from "./cells.ts";

export const customResourceDefinitionBehaviour = behaviour(customResourceDefinitions, {
  defaults: ({ spec }) => {
    const { names } = spec;
    if (names) {
      names.singular ||= (names.kind ?? "").toLowerCase();
      if (names.kind) names.listKind ||= `${names.kind}List`;
    }
    spec.conversion ??= { strategy: "None" };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service) service.port ??= 443;
  },
  prepareForCreate: (definition) => {
    const stored = definition.spec.versions?.find(({ storage }) => storage)?.name;
    const acceptedNames = { plural: "", kind: "" };
    definition.status = { acceptedNames, ...(stored !== undefined && { storedVersions: [stored] }) };
  },
  prepareForUpdate: (next, previous) => {
    keepStatus(next, previous);
    const stored = next.spec.versions?.find(({ storage }) => storage)?.name;
    const known = next.status?.storedVersions ?? [];
    if (stored !== undefined && !known.includes(stored)) next.status = { ...next.status, storedVersions: [...known, stored] };
  },
  generationFields: specGeneration,
  allowUnconditionalUpdate: false,
  ownAge: true,
  columns: [createdAt],
});
