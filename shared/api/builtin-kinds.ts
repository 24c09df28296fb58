/** The kinds that every cluster serves: facts from Kubernetes' discovery, structure from its schemas, behaviour from `kinds/`. */
import { builtinSchema } from "./builtin-schemas.ts";
import { resources } from "./generated/resources.ts";
import type { Kind, KindBehaviour } from "./kind.ts";
import { behaviours } from "./kinds/index.ts";
import type { ResourceFacts } from "./schema-table.ts";

const nameOf = ({ group, version, plural }: { group: string; version: string; plural: string }): string => `${plural}.${version}.${group}`;

/** Events of both APIs are one resource; so is everything that has several versions. */
function storageOf({ group, plural }: ResourceFacts): string {
  if (plural === "events") return "events";
  return group === "" ? plural : `${plural}.${group}`;
}

function toKind(facts: ResourceFacts, behaviour: KindBehaviour<any>): Kind {
  return {
    group: facts.group,
    version: facts.version,
    kind: facts.kind,
    plural: facts.plural,
    singular: facts.singular,
    namespaced: facts.namespaced,
    verbs: facts.verbs,
    shortNames: facts.shortNames ?? [],
    categories: facts.categories ?? [],
    subresources: facts.subresources,
    storage: storageOf(facts),
    listKind: `${facts.kind}List`,
    definition: facts.type,
    custom: false,
    behaviour,
    ...(facts.storageVersionHash !== undefined && { storageVersionHash: facts.storageVersionHash }),
    // Schemas are large and few of them are needed by any one function.
    get schema() {
      return builtinSchema(facts.type);
    },
  };
}

let kinds: readonly Kind[] | undefined;

/** In the order of discovery. The same objects every time. */
export function builtinKinds(): readonly Kind[] {
  if (kinds === undefined) {
    const byName = new Map(behaviours.map(({ kind, behaviour }) => [nameOf(kind), behaviour]));
    kinds = resources.map((facts) => toKind(facts, byName.get(nameOf(facts)) ?? {}));
  }
  return kinds;
}
