/**
 * PersistentVolumeClaimResize: a claim grows only where its class says that its volumes can.
 * @see k8s.io/kubernetes/plugin/pkg/admission/storage/persistentvolume/resize
 */
import type { PersistentVolumeClaim } from "../api/generated/types.ts";
import { storageClasses } from "../api/kinds.ts";
import { compare, parseQuantity } from "../api/quantity.ts";
import { classOfClaim } from "../api/storage-classes.ts";
import { forbidden } from "../errors/status-error.ts";
import type { AdmissionPlugin } from "./plugin.ts";

export const persistentVolumeClaimResize: AdmissionPlugin = {
  name: "PersistentVolumeClaimResize",
  handles: (kind, operation, subresource) => kind.storage === "persistentvolumeclaims" && operation === "UPDATE" && subresource === "",
  validate: async ({ kind, key, object, previous }, reader) => {
    const [next, before] = [object, previous] as unknown as [PersistentVolumeClaim, PersistentVolumeClaim];
    if (compare(size(next), size(before)) <= 0) return;
    if (before.status?.phase !== "Bound") throw forbidden(kind, key.name, "Only bound persistent volume claims can be expanded");
    const name = classOfClaim(next);
    const found = name !== "" && name === classOfClaim(before) ? await reader.get(storageClasses, { namespace: "", name }) : undefined;
    if (found?.allowVolumeExpansion) return;
    throw forbidden(
      kind,
      key.name,
      "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize",
    );
  },
};

const size = ({ spec }: PersistentVolumeClaim) => parseQuantity(spec.resources?.requests?.storage ?? "0");
