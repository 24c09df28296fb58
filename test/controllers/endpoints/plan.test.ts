import { describe, expect, it } from "vitest";
import type { Endpoints, Pod, Service } from "../../../shared/api/generated/types.ts";
import { planEndpoints } from "../../../shared/controllers/endpoints/plan.ts";
import { aService } from "../../support/services.ts";
import { aPod, meta } from "../../support/workloads.ts";

const pod = (name: string, podIP: string, given: Parameters<typeof aPod>[0] = {}) =>
  aPod({ ...given, podIP, metadata: { name, ...given.metadata } });

function made(service: Service, pods: readonly Pod[]): Endpoints {
  const action = planEndpoints(service, pods, undefined);
  if (action?.type !== "create") throw new Error("nothing was made");
  return { apiVersion: "v1", kind: "Endpoints", ...action.draft, metadata: meta("web", action.draft.metadata) };
}

describe("Endpoints", () => {
  it("part the ready from the others", () => {
    const { subsets } = made(aService(), [pod("b", "10.0.0.2", { ready: false }), pod("a", "10.0.0.1", { nodeName: "n" })]);
    expect(subsets).toEqual([
      {
        addresses: [{ ip: "10.0.0.1", nodeName: "n", targetRef: { kind: "Pod", namespace: "default", name: "a", uid: "uid-of-a" } }],
        notReadyAddresses: [{ ip: "10.0.0.2", targetRef: { kind: "Pod", namespace: "default", name: "b", uid: "uid-of-b" } }],
        ports: [{ name: "http", port: 8080, protocol: "TCP" }],
      },
    ]);
  });

  it("have a subset for every set of addresses", () => {
    const named = (name: string, ip: string, ports: Record<string, number>): Pod => ({
      ...pod(name, ip),
      spec: {
        containers: [
          { name: "web", image: "web", ports: Object.entries(ports).map(([port, containerPort]) => ({ name: port, containerPort })) },
        ],
      },
    });
    const service = aService({
      ports: [
        { name: "http", port: 80, targetPort: "web" },
        { name: "admin", port: 81, targetPort: "admin" },
      ],
    });
    const { subsets } = made(service, [named("a", "10.0.0.1", { web: 8080, admin: 8081 }), named("b", "10.0.0.2", { web: 8080 })]);
    expect(subsets?.map(({ addresses, ports }) => [addresses?.map(({ ip }) => ip), ports?.map(({ name }) => name)])).toEqual([
      [["10.0.0.1", "10.0.0.2"], ["http"]],
      [["10.0.0.1"], ["admin"]],
    ]);
  });

  it("leave out Pods on their way out", () => {
    expect(made(aService(), [pod("a", "10.0.0.1", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } })]).subsets).toEqual([]);
  });

  it("of a headless Service may do without ports", () => {
    const headless = made(aService({ clusterIP: "None", ports: [] }), [pod("a", "10.0.0.1")]);
    expect(headless.metadata.labels).toMatchObject({ "service.kubernetes.io/headless": "" });
    expect(headless.subsets).toMatchObject([{ addresses: [{ ip: "10.0.0.1" }] }]);
  });

  it("stop at a thousand addresses, the ready ones first, and say so", () => {
    const many = Array.from({ length: 1_200 }, (_, index) =>
      pod(`p-${index}`, `10.0.${index >> 8}.${index & 255}`, { ready: index % 2 === 0 }),
    );
    const { subsets, metadata } = made(aService(), many);
    expect(subsets?.map(({ addresses, notReadyAddresses }) => [addresses?.length, notReadyAddresses?.length])).toEqual([[600, 400]]);
    expect(metadata.annotations).toEqual({ "endpoints.kubernetes.io/over-capacity": "truncated" });
  });

  it("are left alone when they are right", () => {
    const pods = [pod("a", "10.0.0.1"), pod("b", "10.0.0.2", { ready: false })];
    const current = made(aService({}, { labels: { team: "shop" } }), pods);
    expect(planEndpoints(aService({}, { labels: { team: "shop" } }), pods.toReversed(), current)).toBeUndefined();
    expect(planEndpoints(aService({}, { labels: { team: "other" } }), pods, current)?.type).toBe("update");
  });
});
