/** The kinds that every cluster serves: facts from Kubernetes' discovery, structure from its schemas, behaviour from `kinds/`. */
import { builtinSchema } from "./builtin-schemas.ts";
import { resources } from "./generated/resources.ts";
import type { Kind, KindBehaviour } from "./kind.ts";
import type { ResourceFacts } from "./schema-table.ts";

const nameOf = ({ group, version, plural }: { group: string; version: string; plural: string }): string => `${plural}.${version}.${group}`;

/** Events of both APIs are one resource; so is everything that has several versions. */
function storageOf({ group, plural }: ResourceFacts): string {
  if (plural === "events") return "events";
  return group === "" ? plural : `${plural}.${group}`;
}

function toKind(facts: ResourceFacts): Kind {
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
    loadBehaviour: loadBehaviours,
    get behaviour() {
      if (!behaviours) throw new Error(`${facts.kind} is used before its behaviour was loaded`);
      return behaviours.get(nameOf(facts)) ?? none;
    },
    ...(facts.storageVersionHash !== undefined && { storageVersionHash: facts.storageVersionHash }),
    // Schemas are large and few of them are needed by any one function.
    get schema() {
      return builtinSchema(facts.type);
    },
  };
}

let behaviours: ReadonlyMap<string, KindBehaviour<any>> | undefined;
const none: KindBehaviour<any> = {};

/** Behaviours of all built-in kinds: they are large, and functions that only read start without them. */
export async function loadBehaviours(): Promise<void> {
  if (behaviours) return;
  const declared = (await import("./kinds/index.ts")).behaviours;
  behaviours = new Map(declared.map(({ kind, behaviour }) => [nameOf(kind), behaviour]));
}

let kinds: readonly Kind[] | undefined;

/** In the order of discovery. The same objects every time. */
export function builtinKinds(): readonly Kind[] {
  kinds ??= resources.map(toKind);
  return kinds;
}
