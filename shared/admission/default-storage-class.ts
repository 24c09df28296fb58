/** DefaultStorageClass: a claim that names no class gets the one that is marked as the default. */
import type { PersistentVolumeClaim } from "../api/generated/types.ts";
import { storageClasses } from "../api/kinds.ts";
import { defaultClass, namesClass } from "../api/storage-classes.ts";
import type { AdmissionPlugin } from "./plugin.ts";

export const defaultStorageClass: AdmissionPlugin = {
  name: "DefaultStorageClass",
  handles: (kind, operation, subresource) => kind.storage === "persistentvolumeclaims" && operation === "CREATE" && subresource === "",
  admit: async ({ object }, reader) => {
    const claim = object as unknown as PersistentVolumeClaim;
    if (namesClass(claim)) return;
    const found = defaultClass(await reader.list(storageClasses));
    if (found) claim.spec.storageClassName = found.metadata.name;
  },
};
