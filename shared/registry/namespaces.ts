/** The life of a Namespace: it terminates until nothing is left in it, held by `spec.finalizers`. */
import type { Namespace } from "../api/generated/types.ts";
import type { AnyObject } from "../api/kind.ts";
import type { Lifecycle } from "./lifecycle.ts";

const asNamespace = (object: AnyObject): Namespace => object as unknown as Namespace;

/** Whether `spec.finalizers` still names somebody who has to clean up. */
export const hasNamespaceFinalizers = (object: AnyObject): boolean => (asNamespace(object).spec?.finalizers ?? []).length > 0;

export const namespaceLifecycle: Lifecycle = {
  markDeleted: (object) => {
    const namespace = asNamespace(object);
    namespace.status = { ...namespace.status, phase: "Terminating" };
  },
  isHeld: hasNamespaceFinalizers,
};
