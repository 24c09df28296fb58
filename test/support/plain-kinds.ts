/** Built-in kinds with nothing but their names: for tests of what needs no behaviour. */
import { resources } from "../../shared/api/generated/resources.ts";
import type { Kind } from "../../shared/api/kind.ts";
import type { ResourceFacts } from "../../shared/api/schema-table.ts";

const plainKind = (facts: ResourceFacts): Kind => ({
  ...facts,
  shortNames: facts.shortNames ?? [],
  categories: facts.categories ?? [],
  storage: facts.group ? `${facts.plural}.${facts.group}` : facts.plural,
  listKind: `${facts.kind}List`,
  schema: { type: "any" },
  definition: facts.type,
  custom: false,
  behaviour: {},
});

/** @param behaviours by `plural` or `plural.group` */
export const plainKinds = (behaviours: Readonly<Record<string, Kind["behaviour"]>> = {}): Kind[] =>
  resources.map(plainKind).map((kind) => ({ ...kind, behaviour: behaviours[kind.storage] ?? {} }));
