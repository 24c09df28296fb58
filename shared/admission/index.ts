/** The admission plugins that a cluster has, in the order in which they run. */
import { defaultStorageClass } from "./default-storage-class.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { priority } from "./priority.ts";
import { serviceAccount } from "./service-account.ts";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.ts";

/** @param options.random in [0, 1): for generated names */
export const defaultAdmission = ({ random = Math.random }: { readonly random?: () => number } = {}): readonly AdmissionPlugin[] => [
  namespaceLifecycle,
  serviceAccount({ random }),
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageObjectInUseProtection,
];
