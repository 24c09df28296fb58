/** StorageObjectInUseProtection: claims and volumes are held back from deletion from the beginning, until they are used no more. */
import type { AdmissionPlugin } from "./plugin.ts";

const finalizers: Readonly<Record<string, string>> = {
  persistentvolumeclaims: "kubernetes.io/pvc-protection",
  persistentvolumes: "kubernetes.io/pv-protection",
};

export const storageObjectInUseProtection: AdmissionPlugin = {
  name: "StorageObjectInUseProtection",
  handles: (kind, operation, subresource) => finalizers[kind.storage] !== undefined && operation === "CREATE" && subresource === "",
  admit: ({ kind, object }) => {
    const finalizer = finalizers[kind.storage];
    if (!object || finalizer === undefined || object.metadata.finalizers?.includes(finalizer)) return;
    object.metadata.finalizers = [...(object.metadata.finalizers ?? []), finalizer];
  },
};
