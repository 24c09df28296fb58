/** PersistentVolumeClaims. */
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { persistentVolumeClaims } from "../kinds.ts";
import { qualifiedNameProblems } from "../names.ts";
import { copyOf } from "../patch/values.ts";
import { canonicalQuantity, compare, parseQuantity } from "../quantity.ts";
import { describeChanges } from "../validation/changes.ts";
import { validateClaimSpec } from "../validation/claim-spec.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { isNativeResource, validateStoredAmount } from "../validation/values.ts";
import { behaviour, keepStatus, noGeneration } from "./behaviour.ts";
import { age, text, wide } from "./cells.ts";
import { accessModesCell, storageClassMark } from "./persistent-volumes.ts";
import { claimWarnings } from "./pod-warnings.ts";

const isWellKnownSource = ({ apiGroup, kind }: NonNullable<PersistentVolumeClaimSpec["dataSource"]>): boolean =>
  (kind === "PersistentVolumeClaim" && !apiGroup) || (kind === "VolumeSnapshot" && apiGroup === "snapshot.storage.k8s.io");

/** `dataSource` and `dataSourceRef` say the same in an older and a newer form; whichever is missing follows the other. */
function alignSources(spec: PersistentVolumeClaimSpec, previous: PersistentVolumeClaimSpec | undefined): void {
  // Sources in other namespaces are a feature that is off.
  if (spec.dataSourceRef?.namespace && !previous?.dataSourceRef) delete spec.dataSourceRef;
  const hadSource = previous?.dataSource !== undefined || previous?.dataSourceRef !== undefined;
  if (!hadSource && !spec.dataSourceRef && spec.dataSource && !isWellKnownSource(spec.dataSource)) delete spec.dataSource;
  if (spec.dataSource && !spec.dataSourceRef) spec.dataSourceRef = { ...spec.dataSource };
  else if (spec.dataSourceRef && !spec.dataSource && !spec.dataSourceRef.namespace) {
    const { namespace: _, ...source } = spec.dataSourceRef;
    spec.dataSource = source;
  }
}

const classMark = ({ metadata }: PersistentVolumeClaim): string | undefined => metadata.annotations?.[storageClassMark];

/** The class moves from the annotation to the field. */
function movesClass(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean {
  const mark = classMark(previous);
  if (mark === undefined || previous.spec?.storageClassName !== undefined) return false;
  return next.spec?.storageClassName === mark && (classMark(next) ?? mark) === mark;
}

/** A claim that named no class gets one. */
const gainsClass = (next: PersistentVolumeClaim, previous: PersistentVolumeClaim): boolean =>
  next.spec?.storageClassName !== undefined &&
  previous.spec?.storageClassName === undefined &&
  (classMark(previous) ?? next.spec.storageClassName) === next.spec.storageClassName;

const storageOf = (amounts: Readonly<Record<string, string>> | undefined) => parseQuantity(amounts?.storage ?? "0");

function validateChange(next: PersistentVolumeClaim, previous: PersistentVolumeClaim): Problem[] {
  const problems: Problem[] = [];
  const [before, after] = [copyOf(previous.spec ?? {}), copyOf(next.spec ?? {})];
  if (!before.volumeName) before.volumeName = after.volumeName;
  if (movesClass(next, previous)) delete after.storageClassName;
  else {
    if ((classMark(next) ?? "") !== (classMark(previous) ?? "")) {
      problems.push(invalid(`metadata.annotations.${storageClassMark}`, classMark(next) ?? "", "field is immutable"));
    }
    if (gainsClass(next, previous)) delete after.storageClassName;
  }
  if (next.status?.phase === "Bound") {
    if (after.resources?.requests) after.resources.requests.storage = before.resources?.requests?.storage ?? "0";
    after.volumeAttributesClassName = before.volumeAttributesClassName;
  }
  if (!semanticallyEqual(after, before)) {
    const detail = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims";
    problems.push(forbidden("spec", `${detail}\n${describeChanges(before, after, "spec")}`));
  }
  const wanted = storageOf(next.spec?.resources?.requests);
  const isSmaller = compare(wanted, storageOf(previous.spec?.resources?.requests)) < 0;
  if (isSmaller && compare(wanted, storageOf(previous.status?.capacity)) <= 0) {
    problems.push(forbidden("spec.resources.requests.storage", "field can not be less than status.capacity"));
  }
  problems.push(...validateImmutable(next.spec?.volumeMode, previous.spec?.volumeMode, "volumeMode"));
  const attributes = next.spec?.volumeAttributesClassName;
  if (attributes !== previous.spec?.volumeAttributesClassName && previous.status?.currentVolumeAttributesClassName !== undefined) {
    const field = "spec.volumeAttributesClassName";
    const when = "is forbidden when status.currentVolumeAttributesClassName is not nil";
    if (attributes === undefined) problems.push(forbidden(field, `update to nil ${when}`));
    else if (attributes === "") problems.push(forbidden(field, `update to empty string ${when}`));
  }
  return problems;
}

const resizeStates = [
  "ControllerResizeInProgress",
  "ControllerResizeInfeasible",
  "NodeResizePending",
  "NodeResizeInProgress",
  "NodeResizeInfeasible",
].toSorted();

function validateStorageKey(name: string, field: string): Problem[] {
  const problems = invalidEach(field, name, qualifiedNameProblems(name));
  if (problems.length > 0 || !isNativeResource(name) || name === "storage") return problems;
  return [notSupported(field, name, ["storage"])];
}

function validateStatus({ spec, status }: PersistentVolumeClaim): Problem[] {
  const path = "status.allocatedResources";
  return [
    ...((spec?.accessModes ?? []).length === 0 ? [required("Spec.accessModes")] : []),
    ...Object.entries(status?.capacity ?? {}).flatMap(([name, amount]) => validateStoredAmount(amount, `status.capacity[${name}]`)),
    ...Object.entries(status?.allocatedResourceStatuses ?? {}).flatMap(([name, state]) => [
      ...validateStorageKey(name, "status.allocatedResourceStatuses"),
      ...(resizeStates.includes(state) ? [] : [notSupported("status.allocatedResourceStatuses", name, resizeStates)]),
    ]),
    ...Object.entries(status?.allocatedResources ?? {}).flatMap(([name, amount]) => {
      const problems = validateStorageKey(name, path);
      return problems.length > 0 ? problems : validateStoredAmount(amount, `${path}[${name}]`);
    }),
  ];
}

const isBound = ({ spec }: PersistentVolumeClaim): boolean => Boolean(spec?.volumeName);

export const persistentVolumeClaimBehaviour = behaviour(persistentVolumeClaims, {
  defaults: (claim) => {
    const spec = (claim.spec ??= {});
    spec.volumeMode ??= "Filesystem";
    spec.resources ??= {};
    const status = (claim.status ??= {});
    status.phase ||= "Pending";
  },
  prepareForCreate: (claim) => {
    claim.status = { phase: "Pending" };
    alignSources((claim.spec ??= {}), undefined);
  },
  prepareForUpdate: (next, previous) => {
    keepStatus(next, previous);
    alignSources((next.spec ??= {}), previous.spec);
  },
  validate: ({ spec }) => validateClaimSpec(spec ?? {}, "spec"),
  validateUpdate: validateChange,
  validateStatusUpdate: validateStatus,
  warnings: (claim) => [
    ...(classMark(claim) === undefined
      ? []
      : [`metadata.annotations[${storageClassMark}]: deprecated since v1.8; use "storageClassName" attribute instead`]),
    ...claimWarnings(claim.spec?.resources, "spec"),
  ],
  generationFields: noGeneration,
  ownAge: true,
  columns: [
    text("Status", ({ metadata, status }) => (metadata.deletionTimestamp ? "Terminating" : status?.phase)),
    text("Volume", ({ spec }) => spec?.volumeName),
    text("Capacity", (claim) => (isBound(claim) ? canonicalQuantity(claim.status?.capacity?.storage ?? "0") : "")),
    text("Access Modes", (claim) => (isBound(claim) ? accessModesCell(claim.status?.accessModes) : "")),
    text("StorageClass", (claim) => classMark(claim) ?? claim.spec?.storageClassName),
    text("VolumeAttributesClass", ({ spec }) => spec?.volumeAttributesClassName ?? "<unset>"),
    age,
    wide(text("VolumeMode", ({ spec }) => spec?.volumeMode ?? "<unset>")),
  ],
});
