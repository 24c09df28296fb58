import { describe, expect, it } from "vitest";
import { endpointSlices, endpoints, pods, services } from "../../../shared/api/kinds.ts";
import { endpointsController } from "../../../shared/controllers/endpoints/controller.ts";
import { endpointSliceController } from "../../../shared/controllers/endpointslice/controller.ts";
import { type ReconciledCluster, reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aService } from "../../support/services.ts";
import { aPod } from "../../support/workloads.ts";

const cluster = () => reconciledCluster([endpointSliceController(), endpointsController()]);
const slices = ({ api }: ReconciledCluster) => api.all(endpointSlices);

describe("a Service and its Pods", () => {
  it("are followed by slices and Endpoints", async () => {
    const here = cluster();
    await here.api.client.create(services, aService());
    await here.reconcile();
    expect(slices(here)).toMatchObject([{ endpoints: [] }]);
    expect(here.api.get(endpoints, "web")?.subsets).toEqual([]);

    await here.api.client.create(pods, aPod({ phase: "Pending", metadata: { name: "one" } }));
    await here.settle();
    expect(slices(here)).toMatchObject([{ endpoints: [{ addresses: ["10.0.0.1"], conditions: { ready: true } }] }]);
    expect(here.api.get(endpoints, "web")).toMatchObject({
      metadata: { labels: { "endpoints.kubernetes.io/managed-by": "endpoint-controller" } },
      subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ name: "http", port: 8080, protocol: "TCP" }] }],
    });

    await here.api.client.delete(services, { namespace: "default", name: "web" });
    await here.reconcile();
    expect(here.api.get(endpoints, "web")).toBeUndefined();
  });

  it("rest when nothing shows: a Pod's other changes write nothing", async () => {
    const here = cluster();
    await here.api.client.create(services, aService());
    await here.api.client.create(pods, aPod({ phase: "Pending", metadata: { name: "one" } }));
    await here.settle();
    await here.api.client.modify(pods, { namespace: "default", name: "one" }, (pod) => ({
      ...pod,
      metadata: { ...pod.metadata, annotations: { note: "x" } },
    }));
    const before = here.api.writes.length;
    await here.reconcile();
    expect(here.api.writes.length).toBe(before);
  });

  it("leave alone what people manage themselves", async () => {
    const here = cluster();
    await here.api.client.create(services, aService({ selector: undefined as never }, { name: "manual" }));
    await here.api.client.create(services, aService({ type: "ExternalName" }, { name: "elsewhere" }));
    await here.api.client.create(endpoints, { metadata: { name: "manual", namespace: "default" }, subsets: [] });
    await here.api.client.create(endpoints, { metadata: { name: "without-service", namespace: "default" }, subsets: [] });
    const before = here.api.writes.length;
    await here.reconcile();
    expect(here.api.writes.length).toBe(before);
  });

  it("get one slice from two managers at once", async () => {
    const here = cluster();
    const second = reconciledCluster([endpointSliceController()], here);
    await here.api.client.create(services, aService());
    await Promise.all([here.reconcile(), second.reconcile()]);
    expect(slices(here)).toHaveLength(1);
  });
});
