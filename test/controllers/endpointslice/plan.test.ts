import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EndpointSlice, Pod, Service } from "../../../shared/api/generated/types.ts";
import { type EndpointSlicePlan, planEndpointSlices } from "../../../shared/controllers/endpointslice/plan.ts";
import { aService } from "../../support/services.ts";
import { aPod, meta } from "../../support/workloads.ts";

const plan = (service: Service, pods: readonly Pod[], slices: readonly EndpointSlice[] = [], revision = 1): EndpointSlicePlan =>
  planEndpointSlices({
    service,
    pods,
    slices,
    zoneOf: (node) => ({ "node-a": "eu-central-1a" })[node],
    revision,
    taken: (name) => slices.some(({ metadata }) => metadata.name === name),
  });

/** Slices as the API holds them after the plan. */
function apply(slices: readonly EndpointSlice[], { create, update, delete: gone }: EndpointSlicePlan): EndpointSlice[] {
  const kept = slices
    .filter((slice) => !gone.includes(slice))
    .map((slice) => update.find(({ metadata }) => metadata.name === slice.metadata.name) ?? slice);
  return [
    ...kept,
    ...create.map((draft) => ({
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      ...draft,
      metadata: meta(draft.metadata.name ?? "", draft.metadata),
    })),
  ];
}

const addresses = (slices: readonly { endpoints?: EndpointSlice["endpoints"] }[]) =>
  slices.flatMap(({ endpoints = [] }) => endpoints.flatMap((one) => one.addresses)).toSorted();
const pod = (name: string, podIP: string, given: Parameters<typeof aPod>[0] = {}) =>
  aPod({ ...given, podIP, metadata: { name, ...given.metadata } });

describe("EndpointSlices of a Service", () => {
  it("show where its Pods are", () => {
    const { create } = plan(aService({}, { labels: { team: "shop" } }), [pod("web-1", "10.0.0.1", { nodeName: "node-a" })]);
    expect(create).toEqual([
      {
        metadata: {
          name: expect.stringMatching(/^web-.{5}$/),
          generateName: "web-",
          namespace: "default",
          labels: {
            team: "shop",
            "kubernetes.io/service-name": "web",
            "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
          },
          ownerReferences: [
            { apiVersion: "v1", kind: "Service", name: "web", uid: "uid-of-web", controller: true, blockOwnerDeletion: true },
          ],
        },
        addressType: "IPv4",
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
        endpoints: [
          {
            addresses: ["10.0.0.1"],
            conditions: { ready: true, serving: true, terminating: false },
            nodeName: "node-a",
            zone: "eu-central-1a",
            targetRef: { kind: "Pod", namespace: "default", name: "web-1", uid: "uid-of-web-1" },
          },
        ],
      },
    ]);
  });

  it.each([
    { name: "a ready Pod", given: {}, conditions: { ready: true, serving: true, terminating: false } },
    { name: "a Pod that is not ready", given: { ready: false }, conditions: { ready: false, serving: false, terminating: false } },
    {
      name: "a Pod on its way out",
      given: { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } },
      conditions: { ready: false, serving: true, terminating: true },
    },
  ])("say of $name: $conditions", ({ given, conditions }) => {
    expect(plan(aService(), [pod("p", "10.0.0.1", given)]).create[0]?.endpoints?.[0]?.conditions).toEqual(conditions);
  });

  it("call everything ready for a Service that publishes what is not", () => {
    const [slice] = plan(aService({ publishNotReadyAddresses: true }), [pod("p", "10.0.0.1", { ready: false })]).create;
    expect(slice?.endpoints?.[0]?.conditions).toMatchObject({ ready: true, serving: false });
  });

  it.each([
    { name: "has finished", pod: pod("p", "10.0.0.1", { phase: "Succeeded" }) },
    { name: "has no address yet", pod: aPod() },
    { name: "is not selected", pod: pod("p", "10.0.0.1", { metadata: { labels: { app: "db" } } }) },
  ])("leave out a Pod that $name", ({ pod: left }) => {
    expect(plan(aService(), [left]).create).toMatchObject([{ endpoints: [], ports: [] }]);
  });

  it("resolve named ports for each Pod, and part those that differ", () => {
    const listening = (name: string, podIP: string, containerPort: number): Pod => {
      const one = pod(name, podIP);
      return { ...one, spec: { containers: [{ name: "web", image: "web", ports: [{ name: "web", containerPort }] }] } };
    };
    const service = aService({ ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: "web" }] });
    const { create } = plan(service, [
      listening("a", "10.0.0.1", 8080),
      listening("b", "10.0.0.2", 9090),
      listening("c", "10.0.0.3", 8080),
    ]);
    expect(create.map(({ ports, endpoints }) => [ports?.[0]?.port, endpoints?.length])).toEqual([
      [8080, 2],
      [9090, 1],
    ]);
  });

  it("mark headless Services and give their Pods host names", () => {
    const named = pod("db-0", "10.0.0.1");
    const withHost: Pod = { ...named, spec: { containers: [], hostname: "db-0", subdomain: "web" } };
    const [slice] = plan(aService({ clusterIP: "None", ports: [] }), [withHost]).create;
    expect(slice?.metadata.labels).toMatchObject({ "service.kubernetes.io/headless": "" });
    expect(slice).toMatchObject({ ports: [], endpoints: [{ hostname: "db-0" }] });
  });

  it("come in both families for a dual-stack Service", () => {
    const both = pod("p", "10.0.0.1");
    const dual: Pod = { ...both, status: { ...both.status, podIPs: [{ ip: "10.0.0.1" }, { ip: "fd00::1" }] } };
    const { create } = plan(aService({ ipFamilies: ["IPv4", "IPv6"] }), [dual]);
    expect(create.map(({ addressType, endpoints }) => [addressType, endpoints?.[0]?.addresses])).toEqual([
      ["IPv4", ["10.0.0.1"]],
      ["IPv6", ["fd00::1"]],
    ]);
  });

  it("hold a hundred endpoints each", () => {
    const many = Array.from({ length: 250 }, (_, index) => pod(`p-${index}`, `10.0.${Math.floor(index / 250)}.${index}`));
    expect(plan(aService(), many).create.map(({ endpoints }) => endpoints?.length)).toEqual([100, 100, 50]);
  });

  it("change as little as possible: others stay where they are", () => {
    const many = Array.from({ length: 150 }, (_, index) => pod(`p-${100 + index}`, `10.0.0.${index}`));
    const slices = apply([], plan(aService(), many));
    const gone = many[0];
    const result = plan(aService(), [...many.filter((one) => one !== gone), pod("new", "10.0.1.1")], slices, 2);
    expect({ create: result.create.length, update: result.update.length, delete: result.delete.length }).toEqual({
      create: 0,
      update: 1,
      delete: 0,
    });
  });

  it("leave an empty slice rather than none, and no more than one", () => {
    const slices = apply(
      [],
      plan(
        aService(),
        Array.from({ length: 150 }, (_, index) => pod(`p-${index}`, `10.0.0.${index}`)),
      ),
    );
    const after = apply(slices, plan(aService(), [], slices, 2));
    expect(after).toMatchObject([{ endpoints: [], ports: [] }]);
  });

  it("are not made for a Service that is being deleted", () => {
    expect(plan(aService({}, { deletionTimestamp: "2026-01-01T00:00:00Z" }), [pod("p", "10.0.0.1")]).create).toEqual([]);
  });

  it("keep hints that somebody else has set", () => {
    const slices = apply([], plan(aService(), [pod("p", "10.0.0.1")])).map((slice) => ({
      ...slice,
      endpoints: slice.endpoints?.map((endpoint) => ({ ...endpoint, hints: { forZones: [{ name: "a" }] } })),
    }));
    expect(plan(aService(), [pod("p", "10.0.0.1")], slices)).toEqual({ create: [], update: [], delete: [] });
  });
});

describe("applying the plan, then planning again", () => {
  const some = fc.uniqueArray(fc.record({ id: fc.nat(300), port: fc.constantFrom(8080, 9090), ready: fc.boolean() }), {
    selector: ({ id }) => id,
    maxLength: 220,
  });
  const service = aService({ ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: "web" }] });
  const podsOf = (given: readonly { id: number; port: number; ready: boolean }[]): Pod[] =>
    given.map(({ id, port, ready }) => {
      const one = pod(`p-${id}`, `10.0.${id >> 8}.${id & 255}`, { ready });
      return { ...one, spec: { containers: [{ name: "web", image: "web", ports: [{ name: "web", containerPort: port }] }] } };
    });

  it("yields nothing, whatever the slices were before, and shows every Pod once", () => {
    fc.assert(
      fc.property(some, some, (before, after) => {
        const first = apply([], plan(service, podsOf(before), [], 1));
        const pods = podsOf(after);
        const second = apply(first, plan(service, pods, first, 2));
        expect(plan(service, pods, second, 3)).toEqual({ create: [], update: [], delete: [] });
        expect(addresses(second)).toEqual(pods.map(({ status }) => status?.podIP ?? "").toSorted());
        expect(second.every(({ endpoints = [] }) => endpoints.length <= 100)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
