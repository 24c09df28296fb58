/** Keeps as many Pods as a ReplicationController asks for: a ReplicaSet of old, whose selector is a plain set of labels. */
import type { ReplicationController } from "../../api/generated/types.ts";
import { replicationControllers } from "../../api/kinds.ts";
import type { Controller } from "../../runtime/controller.ts";
import { type ReplicaKind, replicaController } from "../replicaset/controller.ts";

const asReplicaSets: ReplicaKind<ReplicationController> = {
  name: "replication-controller",
  kind: replicationControllers,
  asReplicaSet: ({ spec, ...controller }) => ({ ...controller, spec: { ...spec, selector: { matchLabels: spec?.selector ?? {} } } }),
  // These came later, and to ReplicaSets alone.
  withStatus: (controller, status) => {
    const { terminatingReplicas: _terminatingReplicas, ...known } = status;
    return { ...controller, status: known };
  },
};

export const replicationControllerController = (): Controller => replicaController(asReplicaSets);
