import { describe, expect, it } from "vitest";
import { endpointSlices, endpoints, services } from "../../../shared/api/kinds.ts";
import { kubernetesServiceController } from "../../../shared/controllers/kubernetes-service/controller.ts";
import { apiAddress, placeholderAddress } from "../../../shared/controllers/kubernetes-service/plan.ts";
import { reconciledCluster } from "../../support/reconciled-cluster.ts";

describe("trap 19: default/kubernetes", () => {
  it.each([
    { url: "https://192.168.1.5:6443", ip: "192.168.1.5", port: 6443 },
    { url: "https://[fd00::1]/k", ip: "fd00::1", port: 443 },
    { url: "https://127.0.0.1:6443", ip: placeholderAddress, port: 6443 },
    { url: "https://abc.execute-api.eu-central-1.amazonaws.com/k", ip: placeholderAddress, port: 443 },
  ])("names $ip for $url", ({ url, ip, port }) => {
    expect(apiAddress(url)).toEqual({ ip, port });
  });

  it("is there in an empty cluster, in all three forms, and is put right", async () => {
    const here = reconciledCluster([kubernetesServiceController("https://192.168.1.5:6443")]);
    await here.reconcile();
    expect(here.api.get(services, "kubernetes")?.spec).toMatchObject({ ports: [{ name: "https", port: 443, targetPort: 6443 }] });
    expect(here.api.get(endpoints, "kubernetes")?.subsets).toEqual([
      { addresses: [{ ip: "192.168.1.5" }], ports: [{ name: "https", port: 6443, protocol: "TCP" }] },
    ]);
    expect(here.api.get(endpointSlices, "kubernetes")).toMatchObject({
      metadata: { labels: { "kubernetes.io/service-name": "kubernetes" } },
      addressType: "IPv4",
      endpoints: [{ addresses: ["192.168.1.5"], conditions: { ready: true } }],
    });

    await here.api.client.delete(services, { namespace: "default", name: "kubernetes" });
    await here.reconcile();
    expect(here.api.get(services, "kubernetes")).toBeDefined();
  });

  it("follows the API to another address", async () => {
    const before = reconciledCluster([kubernetesServiceController("https://192.168.1.5:6443")]);
    await before.reconcile();
    const after = reconciledCluster([kubernetesServiceController("https://[fd00::1]:6443")], before);
    await after.reconcile();
    expect(after.api.all(endpointSlices)).toMatchObject([{ addressType: "IPv6", endpoints: [{ addresses: ["fd00::1"] }] }]);
    const writes = after.api.writes.length;
    await after.reconcile({ sweep: true });
    expect(after.api.writes.length).toBe(writes);
  });
});
