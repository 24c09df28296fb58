/** The kinds that a cluster serves: the built-in ones and those that its CustomResourceDefinitions make. */
import { createHash } from "node:crypto";
import { builtinKinds } from "../api/builtin-kinds.ts";
import type { Kind } from "../api/kind.ts";
import { type ClusterStore, CompactedError, type Stored } from "../store/store.ts";
import type { Catalog } from "./registry.ts";

/** Log of the definitions. */
export const definitionsStorage = "customresourcedefinitions.apiextensions.k8s.io";

/** One cluster's catalog, kept in step with its definitions. */
export interface Catalogs {
  /** @param options.fresh the definitions are read after this call began; else what this process knows is enough */
  current(options: { readonly fresh: boolean }): Promise<Catalog>;
}

export function catalogs(store: ClusterStore): Catalogs {
  const definitions = store.resource(definitionsStorage);
  let known: { readonly revision: number; readonly catalog: Catalog } | undefined;

  const load = async (at: "newest" | "cached"): Promise<Catalog> => {
    const { items, revision } = await definitions.list({ prefix: "", at });
    const catalog = await catalogOf(items, revision);
    // A slower answer from before must not replace what came after it.
    if (known !== undefined && known.revision >= revision) return known.catalog;
    known = { revision, catalog };
    return catalog;
  };

  return {
    current: async ({ fresh }) => {
      if (known === undefined) return load(fresh ? "newest" : "cached");
      try {
        const { changes, revision } = await definitions.changes(known.revision, { consistent: fresh });
        if (changes.length === 0) {
          if (revision > known.revision) known = { ...known, revision };
          return known.catalog;
        }
      } catch (error) {
        if (!(error instanceof CompactedError)) throw error;
      }
      return load(fresh ? "newest" : "cached");
    },
  };
}

async function catalogOf(definitions: readonly Stored[], revision: number): Promise<Catalog> {
  // Most clusters have none, and what makes kinds of them is large.
  const custom = definitions.length === 0 ? [] : definitions.flatMap((await import("./custom/kinds.ts")).customKinds);
  return listCatalog([...builtinKinds(), ...custom], String(revision));
}

/** @param version names the definitions that the kinds were made from */
export function listCatalog(kinds: readonly Kind[], version: string): Catalog {
  const byResource = new Map<string, Kind>();
  const byKind = new Map<string, Kind>();
  for (const kind of kinds) {
    const resource = `${kind.group}/${kind.version}/${kind.plural}`;
    // A definition can neither replace a built-in kind nor another definition's.
    if (byResource.has(resource)) continue;
    byResource.set(resource, kind);
    byKind.set(`${kind.group}/${kind.version}/${kind.kind}`, kind);
  }
  const all = [...byResource.values()];
  return {
    version: createHash("sha256").update(version).digest("hex").slice(0, 16),
    byResource: (group, version_, plural) => byResource.get(`${group}/${version_}/${plural}`),
    byKind: (group, version_, kind) => byKind.get(`${group}/${version_}/${kind}`),
    all: () => all,
  };
}
