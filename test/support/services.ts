/** A builder of Services, as the server would hand them out. */
import type { Service } from "../../shared/api/generated/types.ts";
import type { ObjectMeta } from "../../shared/api/objects.ts";
import { meta } from "./workloads.ts";

export const aService = (spec: Partial<Service["spec"]> = {}, metadata: Partial<ObjectMeta> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: meta(metadata.name ?? "web", metadata),
  spec: {
    type: "ClusterIP",
    clusterIP: "10.96.0.10",
    ipFamilies: ["IPv4"],
    selector: { app: "web" },
    ports: [{ name: "http", port: 80, protocol: "TCP", targetPort: 8080 }],
    ...spec,
  },
});
