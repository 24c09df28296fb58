import { describe, expect, it } from "vitest";
import { builtinKinds } from "../../../shared/api/builtin-kinds.ts";
import { apiVersionOf } from "../../../shared/api/kind.ts";
import { kubernetesData } from "../../support/shared-data.ts";
import { readTarGz } from "../../support/tar.ts";

const archive = kubernetesData("discovery-v1.36.tar.gz");
const documents = archive === undefined ? new Map<string, string>() : readTarGz(archive);

interface Resource {
  readonly name: string;
  readonly singularName?: string;
  readonly namespaced: boolean;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
}

const sorted = (values: readonly string[] | undefined): readonly string[] => (values ?? []).toSorted();
const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

const groupVersions = [...new Set(builtinKinds().map(apiVersionOf))];

/** `apps/v1` in `discovery/apis__apps__v1.json`. */
function resourcesOf(apiVersion: string): readonly Resource[] {
  const file = apiVersion.includes("/") ? `apis__${apiVersion.replace("/", "__")}` : `api__${apiVersion}`;
  return JSON.parse(documents.get(`discovery/${file}.json`) ?? "{}").resources;
}

describe.skipIf(archive === undefined)("discovery, as Kubernetes 1.36 publishes it", () => {
  it.each(groupVersions)("%s: names, short names, categories and verbs agree", (apiVersion) => {
    const ours = builtinKinds()
      .filter((kind) => apiVersionOf(kind) === apiVersion)
      .map(({ plural, singular, namespaced, kind, verbs, shortNames, categories }) => ({
        name: plural,
        singular,
        namespaced,
        kind,
        verbs: sorted(verbs),
        shortNames: sorted(shortNames),
        categories: sorted(categories),
      }));
    const theirs = resourcesOf(apiVersion)
      .filter(({ name }) => !name.includes("/"))
      .map(({ name, singularName, namespaced, kind, verbs, shortNames, categories }) => ({
        name,
        singular: singularName,
        namespaced,
        kind,
        verbs: sorted(verbs),
        shortNames: sorted(shortNames),
        categories: sorted(categories),
      }));
    expect(ours.toSorted(byName)).toEqual(theirs.toSorted(byName));
  });

  it.each(groupVersions)("%s: subresources agree", (apiVersion) => {
    const ours = builtinKinds()
      .filter((kind) => apiVersionOf(kind) === apiVersion)
      .flatMap(({ plural, subresources }) =>
        subresources.map(({ name, kind, verbs }) => ({ name: `${plural}/${name}`, kind, verbs: sorted(verbs) })),
      );
    const theirs = resourcesOf(apiVersion)
      .filter(({ name }) => name.includes("/"))
      .map(({ name, kind, verbs }) => ({ name, kind, verbs: sorted(verbs) }));
    expect(ours.toSorted(byName)).toEqual(theirs.toSorted(byName));
  });
});
