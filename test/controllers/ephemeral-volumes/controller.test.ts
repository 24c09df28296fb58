import { describe, expect, it } from "vitest";
import { events, persistentVolumeClaims, pods } from "../../../shared/api/kinds.ts";
import { controllerOf } from "../../../shared/api/objects.ts";
import { ephemeralVolumeController } from "../../../shared/controllers/ephemeral-volumes/controller.ts";
import { aWorkPod } from "../../support/nodes.ts";
import { reconciledCluster } from "../../support/reconciled-cluster.ts";
import { aVolumeClaim } from "../../support/volumes.ts";

const { spec } = aVolumeClaim();
const pod = aWorkPod({
  spec: {
    volumes: [
      { name: "scratch", ephemeral: { volumeClaimTemplate: { metadata: { labels: { kind: "scratch" } } as never, spec } } },
      { name: "plain", emptyDir: {} },
    ],
  },
});

describe("ephemeral volumes", () => {
  it("get a claim that is the Pod's, once", async () => {
    const cluster = reconciledCluster([ephemeralVolumeController()]);
    const { api } = cluster;
    await api.client.create(pods, pod);
    await cluster.reconcile();
    await cluster.reconcile({ sweep: true });
    const claims = api.all(persistentVolumeClaims);
    expect(claims).toMatchObject([{ metadata: { name: "pod-1-scratch", labels: { kind: "scratch" } }, spec }]);
    expect(controllerOf(claims[0] as never)?.name).toBe("pod-1");
    expect(api.writes.filter((write) => write.startsWith("create persistentvolumeclaims"))).toHaveLength(1);
  });

  it("leave the claims of others alone, and go on when they are gone", async () => {
    const cluster = reconciledCluster([ephemeralVolumeController()]);
    const { api } = cluster;
    await api.client.create(persistentVolumeClaims, aVolumeClaim("pod-1-scratch"));
    await api.client.create(pods, pod);
    await cluster.reconcile();
    expect(api.all(events).map(({ reason, message }) => `${reason} ${message}`)).toEqual([
      "FailedBinding ephemeral volume scratch: PVC default/pod-1-scratch was not created for pod default/pod-1 (pod is not owner)",
    ]);
    await api.client.delete(persistentVolumeClaims, { namespace: "default", name: "pod-1-scratch" });
    await cluster.reconcile();
    expect(controllerOf(api.get(persistentVolumeClaims, "pod-1-scratch") as never)?.name).toBe("pod-1");
  });
});
