/** Reads golden discovery documents: which resources each stable group version serves. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ResourceFacts } from "../../shared/api/schema-table.ts";
import type { Definitions } from "./openapi.ts";

interface ApiResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: string[];
  shortNames?: string[];
  categories?: string[];
  storageVersionHash?: string;
}

export function readResources(folder: string, definitions: Definitions): ResourceFacts[] {
  const typeByGvk = new Map<string, string>();
  for (const [id, schema] of Object.entries(definitions)) {
    const gvks = schema["x-kubernetes-group-version-kind"] ?? [];
    if (gvks.length === 1 && gvks[0]) typeByGvk.set(`${gvks[0].group}/${gvks[0].version}/${gvks[0].kind}`, id);
  }
  const found: ResourceFacts[] = [];
  for (const file of readdirSync(folder).toSorted()) {
    const match = /^(?:api|apis__(.+))__(v\d+)\.json$/.exec(file);
    if (!match) continue;
    const group = match[1] ?? "";
    const version = match[2] ?? "";
    const list: { resources: ApiResource[] } = JSON.parse(readFileSync(join(folder, file), "utf8"));
    for (const resource of list.resources.filter(({ name }) => !name.includes("/"))) {
      const type = typeByGvk.get(`${group}/${version}/${resource.kind}`);
      if (!type) throw new Error(`no schema for ${group}/${version} ${resource.kind}`);
      found.push({
        group,
        version,
        kind: resource.kind,
        plural: resource.name,
        singular: resource.singularName,
        namespaced: resource.namespaced,
        verbs: resource.verbs,
        ...(resource.shortNames && { shortNames: resource.shortNames }),
        ...(resource.categories && { categories: resource.categories }),
        ...(resource.storageVersionHash && { storageVersionHash: resource.storageVersionHash }),
        subresources: list.resources
          .filter(({ name }) => name.startsWith(`${resource.name}/`))
          .map((sub) => ({
            name: sub.name.slice(resource.name.length + 1),
            group: sub.group ?? group,
            version: sub.version ?? version,
            kind: sub.kind,
            verbs: sub.verbs,
          })),
        type,
      });
    }
  }
  return found;
}
