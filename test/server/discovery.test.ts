import { describe, expect, it } from "vitest";
import { compareVersions } from "../../shared/api/api-versions.ts";
import { decodeProtobuf } from "../../shared/api/protobuf.ts";
import { aggregated, apiGroups, groupDocument, groupList, resourceList } from "../../shared/server/discovery/documents.ts";
import { aCustomKind } from "../support/custom-kind.ts";
import { plainKinds } from "../support/plain-kinds.ts";
import { kubernetesData } from "../support/shared-data.ts";
import { readTarGz } from "../support/tar.ts";
import { testServer } from "../support/test-server.ts";

const v2 = { headers: { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json" } };

describe("discovery, one document at a time", () => {
  const { json, ask } = testServer({ kinds: [...plainKinds(), aCustomKind(), aCustomKind({ version: "v1beta1" })] });

  it("/api says where it is", async () => {
    expect(await json("/api")).toEqual({
      kind: "APIVersions",
      versions: ["v1"],
      serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "k8s.test:443" }],
    });
    const { json: elsewhere } = testServer({ publicUrl: "https://api.example.com:6443/k" });
    expect((await elsewhere("/api")).serverAddressByClientCIDRs[0].serverAddress).toBe("api.example.com:6443");
  });

  it("groups, versions and resources", async () => {
    expect((await json("/apis")).groups.at(-1)).toEqual({
      name: "stable.example.com",
      versions: [
        { groupVersion: "stable.example.com/v1", version: "v1" },
        { groupVersion: "stable.example.com/v1beta1", version: "v1beta1" },
      ],
      preferredVersion: { groupVersion: "stable.example.com/v1", version: "v1" },
    });
    expect(await json("/apis/apps/")).toMatchObject({ kind: "APIGroup", apiVersion: "v1", name: "apps" });
    expect((await json("/apis/stable.example.com/v1")).resources).toEqual([
      {
        name: "crontabs",
        singularName: "crontab",
        namespaced: true,
        kind: "CronTab",
        verbs: aCustomKind().verbs,
        shortNames: ["ct"],
        categories: ["all"],
        storageVersionHash: "EdX2FP+L0js=",
      },
      { name: "crontabs/status", singularName: "", namespaced: true, kind: "CronTab", verbs: ["get", "patch", "update"] },
      {
        name: "crontabs/scale",
        singularName: "",
        namespaced: true,
        group: "autoscaling",
        version: "v1",
        kind: "Scale",
        verbs: ["get", "patch", "update"],
      },
    ]);
  });

  it.each(["/api", "/apis", "/apis/apps", "/apis/apps/v1", "/apis/stable.example.com/v1"])("as protobuf: %s", async (path) => {
    const response = await ask(path, { headers: { accept: "application/vnd.kubernetes.protobuf" } });
    expect(response.headers.get("content-type")).toBe("application/vnd.kubernetes.protobuf");
    const document = await json(path);
    const { object, kind, apiVersion } = decodeProtobuf(new Uint8Array(await response.arrayBuffer()));
    expect({ kind, apiVersion }).toEqual({ kind: document.kind, apiVersion: "v1" });
    expect(object).toMatchObject(document);
  });

  it("as YAML, and refused as a Status", async () => {
    expect(await (await ask("/apis/apps", { headers: { accept: "application/yaml" } })).text()).toContain("kind: APIGroup\n");
    expect((await json("/apis/apps", { headers: { accept: "text/html" } })).code).toBe(406);
  });
});

describe("trap 9: two documents on one URL", () => {
  it("tells them apart", async () => {
    const { ask } = testServer();
    const plain = await ask("/apis");
    expect(plain.headers.get("content-type")).toBe("application/json");
    expect(plain.headers.get("vary")).toBe("Accept");
    const all = await ask("/apis", v2);
    expect(all.headers.get("content-type")).toBe("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList");
    expect(all.headers.get("vary")).toMatch(/\bAccept\b/);
    expect(await all.json()).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2" });
  });

  it("serves the older version, and follows the client's preference", async () => {
    const { json } = testServer();
    const beta = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList";
    expect((await json("/apis", { headers: { accept: `${beta},application/json` } })).apiVersion).toBe("apidiscovery.k8s.io/v2beta1");
    expect((await json("/apis", { headers: { accept: `application/json,${beta}` } })).kind).toBe("APIGroupList");
  });

  it("has a quoted ETag of the content, equal on every instance, and answers 304 without a body", async () => {
    const tags = await Promise.all([testServer(), testServer()].map(async ({ ask }) => (await ask("/apis", v2)).headers.get("etag")));
    expect(tags[0]).toMatch(/^"[0-9A-F]{128}"$/);
    expect(tags[1]).toBe(tags[0]);
    const { ask } = testServer();
    const unchanged = await ask("/apis", { headers: { ...v2.headers, "if-none-match": tags[0] ?? "" } });
    expect([unchanged.status, await unchanged.text(), unchanged.headers.get("etag")]).toEqual([304, "", tags[0]]);
    const changed = testServer({ kinds: [...plainKinds(), aCustomKind()] });
    expect((await changed.ask("/apis", { headers: { ...v2.headers, "if-none-match": tags[0] ?? "" } })).status).toBe(200);
  });

  it("puts the core group below /api", async () => {
    const { json } = testServer();
    const core = await json("/api", v2);
    expect(core.items.map((item: any) => item.metadata)).toEqual([{}]);
    expect((await json("/apis", v2)).items[0].metadata).toEqual({ name: "apiregistration.k8s.io" });
  });
});

it("custom resources name the version they are stored in", async () => {
  const kinds = [aCustomKind({ version: "v1beta1", storageVersion: "stable.example.com/v1" }), aCustomKind()];
  const { json } = testServer({ kinds });
  const hash = async (version: string) => (await json(`/apis/stable.example.com/${version}`)).resources[0].storageVersionHash;
  expect(await hash("v1beta1")).toBe(await hash("v1"));
});

it("versions are ordered as Kubernetes orders them", () => {
  const ordered = ["v10", "v2", "v1", "v11beta2", "v10beta3", "v3beta1", "v12alpha1", "v11alpha2", "foo1", "foo10"];
  expect(ordered.toReversed().sort((a, b) => compareVersions(b, a))).toEqual(ordered);
});

const stable = ({ version }: { version: string }) => /^v\d+$/.test(version);
const golden = kubernetesData("discovery-v1.36.tar.gz");
describe.skipIf(golden === undefined)("Kubernetes' own documents, less alpha and beta versions", () => {
  const files = golden ? readTarGz(golden) : new Map<string, string>();
  const document = (name: string) => JSON.parse(files.get(`discovery/${name}.json`) ?? "null");
  const groups = apiGroups(plainKinds());
  const known = (name: string) => groups.some((group) => group.name === name);

  it("/apis", () => {
    const expected = document("apis");
    expected.groups = expected.groups
      .filter(({ name }: any) => known(name))
      .map((group: any) => ({ ...group, versions: group.versions.filter(stable) }));
    expect(groupList(groups)).toEqual(expected);
  });

  it("/apis, aggregated", () => {
    const expected = document("aggregated_v2");
    expected.items = expected.items
      .filter(({ metadata }: any) => known(metadata.name))
      .map((item: any) => ({ ...item, versions: item.versions.filter(stable) }));
    expect(aggregated(groups.slice(1), "v2")).toEqual(expected);
  });

  it.each(
    groups.flatMap((group) => group.versions.map((version) => ({ group, version, name: `${group.name || "core"}/${version.version}` }))),
  )("$name", ({ group, version }) => {
    expect(resourceList(group.name, version)).toEqual(document(group.name ? `apis__${group.name}__${version.version}` : "api__v1"));
    if (group.name === "") return;
    const expected = document(`apis__${group.name}`);
    expect(groupDocument(group)).toEqual({ ...expected, versions: expected.versions.filter(stable) });
  });
});
