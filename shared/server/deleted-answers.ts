/** What a DELETE of a built-in kind answers with when the object is gone at once: most with a Status, these with the object. */
import type { Kind } from "../api/kind.ts";

/** @see ReturnDeletedObject in k8s.io/kubernetes, pkg/registry */
const returned = new Set([
  "csidrivers.storage.k8s.io",
  "csinodes.storage.k8s.io",
  "deviceclasses.resource.k8s.io",
  "namespaces",
  "persistentvolumeclaims",
  "persistentvolumes",
  "pods",
  "podtemplates",
  "resourceclaims.resource.k8s.io",
  "resourceclaimtemplates.resource.k8s.io",
  "resourcequotas",
  "resourceslices.resource.k8s.io",
  "serviceaccounts",
  "services",
  "storageclasses.storage.k8s.io",
  "volumeattachments.storage.k8s.io",
  "volumeattributesclasses.storage.k8s.io",
]);

export const answersWithDeleted = ({ custom, group, plural }: Kind): boolean =>
  !custom && returned.has(group ? `${plural}.${group}` : plural);
