import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../shared/api/objects.ts";
import { seconds } from "../../shared/registry/values.ts";
import { aRegistry, refusal, type TestRegistry } from "../support/registry.ts";

const slices = "resourceslices.resource.k8s.io";
const claims = "resourceclaims.resource.k8s.io";

const aSlice = (taint: JsonObject): JsonObject => ({
  metadata: { name: "s" },
  spec: {
    driver: "x",
    allNodes: true,
    pool: { name: "p", generation: 1, resourceSliceCount: 1 },
    devices: [{ name: "d", taints: [{ key: "a", effect: "NoSchedule", ...taint }] }],
  },
});

const aClaim = (adminAccess: boolean): JsonObject => ({
  metadata: { name: "c" },
  spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName: "gpu", adminAccess } }] } },
});

const admin = { "resource.kubernetes.io/admin-access": "true" };

const withNamespace = async (labels: JsonObject): Promise<TestRegistry> => {
  const api = await aRegistry();
  await api.create("namespaces", { metadata: { name: "team", labels } });
  return api;
};

describe("a device's taint", () => {
  it("tells since when it is there", async () => {
    const api = await aRegistry();
    const taints = (timeAdded: string) => ({ spec: { devices: [{ taints: [{ timeAdded }] }] } });
    const since = "2020-01-01T00:00:00Z";
    expect(await api.create(slices, aSlice({ timeAdded: since }))).toMatchObject(taints(since));
    expect(await api.update(slices, aSlice({}))).toMatchObject(taints(seconds(api.clock.now())));
  });
});

describe("access to the devices of others", () => {
  const access = {
    type: "merge",
    body: { status: { allocation: { devices: { results: [{ request: "r", adminAccess: true }] } } } },
  } as const;
  const status = { namespace: "team", subresource: "status" };

  it("is refused where the namespace does not allow it, with everything else that is wrong", async () => {
    const api = await withNamespace({});
    const wrong = { ...aClaim(true), metadata: { name: "A" } };
    const asked = await refusal(api.create(claims, wrong, { namespace: "team" }));
    expect(asked.details?.causes?.map(({ field }) => field)).toEqual(["spec.devices.requests[0].adminAccess", "metadata.name"]);
    await api.create(claims, aClaim(false), { namespace: "team" });
    const granted = await refusal(api.patch(claims, "c", access, status));
    expect(granted.details?.causes?.map(({ field }) => field)).toContain("status.allocation.devices.results[0].adminAccess");
  });

  it("can be had where the namespace's label says so", async () => {
    const api = await withNamespace(admin);
    expect(await api.create(claims, aClaim(true), { namespace: "team" })).toMatchObject({ spec: aClaim(true).spec });
    const refused = await refusal(api.patch(claims, "c", access, status));
    expect(refused.message).not.toContain("adminAccess");
  });
});
