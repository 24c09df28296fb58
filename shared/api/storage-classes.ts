/** Storage classes: which one a claim or a volume is of, and what follows from it. Pure. */
import type { PersistentVolume, PersistentVolumeClaim, StorageClass } from "./generated/types.ts";

/** The name of the class in older objects; it comes before the field. */
const classAnnotation = "volume.beta.kubernetes.io/storage-class";
const defaultAnnotations = ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/** Claims of this "provisioner" wait for volumes that somebody makes by hand. */
export const noProvisioner = "kubernetes.io/no-provisioner";

/** On claims: the Node that the scheduler chose for their Pod. */
export const selectedNodeAnnotation = "volume.kubernetes.io/selected-node";
/** On claims: the binding is complete. */
export const bindCompletedAnnotation = "pv.kubernetes.io/bind-completed";
/** On claims and volumes: the binding is a controller's doing, not a user's. */
export const boundByControllerAnnotation = "pv.kubernetes.io/bound-by-controller";

/** Empty when it is of none: then it is bound to volumes of none. */
export const classOfClaim = ({ metadata, spec }: PersistentVolumeClaim): string =>
  metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? "";

/** Whether it says anything about a class at all; a claim that does not gets the default. */
export const namesClass = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  metadata.annotations?.[classAnnotation] !== undefined || spec.storageClassName !== undefined;

export const classOfVolume = ({ metadata, spec }: PersistentVolume): string =>
  metadata.annotations?.[classAnnotation] ?? spec.storageClassName ?? "";

/** The newest of those that are marked. */
export function defaultClass(classes: Iterable<StorageClass>): StorageClass | undefined {
  const marked = [...classes].filter(({ metadata }) => defaultAnnotations.some((name) => metadata.annotations?.[name] === "true"));
  return marked.toSorted(
    (one, other) =>
      Date.parse(other.metadata.creationTimestamp) - Date.parse(one.metadata.creationTimestamp) ||
      (one.metadata.name < other.metadata.name ? -1 : 1),
  )[0];
}

/** Claims of the class are bound when the scheduler knows where their Pod will stand. */
export const bindsLate = (storageClass: StorageClass | undefined): boolean => storageClass?.volumeBindingMode === "WaitForFirstConsumer";

/** Whether a Node has one of the topologies in which volumes of the class may be. */
export function allowsTopology(storageClass: StorageClass | undefined, labels: Readonly<Record<string, string>> | undefined): boolean {
  const terms = storageClass?.allowedTopologies ?? [];
  return (
    terms.length === 0 ||
    terms.some(({ matchLabelExpressions = [] }) => {
      const meets = matchLabelExpressions.every(({ key, values }) => values.includes(labels?.[key] ?? ""));
      return matchLabelExpressions.length > 0 && meets;
    })
  );
}

export const isFullyBound = ({ metadata, spec }: PersistentVolumeClaim): boolean =>
  Boolean(spec.volumeName) && metadata.annotations?.[bindCompletedAnnotation] !== undefined;
