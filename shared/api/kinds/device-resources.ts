/** DeviceClasses, ResourceClaims, their templates, and ResourceSlices. They are stored; Fargate has no such devices to give. */
import type { DeviceClaim, ResourceResourceClaim } from "../generated/types.ts";
import { deviceClasses, resourceClaims, resourceClaimTemplates, resourceSlices } from "../kinds.ts";
import { describeChanges } from "../validation/changes.ts";
import { invalid } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { behaviour, noGeneration, specGeneration, statusAlone, statusBehaviour } from "./behaviour.ts";
import { text } from "./cells.ts";

interface Counted {
  allocationMode?: string | undefined;
  count?: number | undefined;
}

function defaultCount(request: Counted): void {
  request.allocationMode ||= "ExactCount";
  if (request.allocationMode === "ExactCount") request.count ||= 1;
}

function defaultRequests(devices: DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable } of devices?.requests ?? []) {
    if (exactly) defaultCount(exactly);
    for (const request of firstAvailable ?? []) defaultCount(request);
  }
}

const settledSpec = ({ spec: next }: { spec: object }, { spec: previous }: { spec: object }) =>
  semanticallyEqual(next, previous) ? [] : [invalid("spec", next, `field is immutable\n${describeChanges(previous, next, "spec")}`)];

export const deviceClassBehaviour = behaviour(deviceClasses, { generationFields: specGeneration });

function stateCell({ metadata, status }: ResourceResourceClaim): string {
  const isDeleted = metadata.deletionTimestamp !== undefined;
  if (!status?.allocation) return isDeleted ? "deleted" : "pending";
  const isReserved = (status.reservedFor ?? []).length > 0;
  return [...(isDeleted ? ["deleted"] : []), "allocated", ...(isReserved ? ["reserved"] : [])].join(",");
}

export const resourceClaimBehaviour = behaviour(resourceClaims, {
  ...statusBehaviour,
  defaults: (claim) => {
    defaultRequests(claim.spec?.devices);
    claim.status ??= {};
  },
  ...statusAlone,
  validateUpdate: settledSpec,
  generationFields: noGeneration,
  columns: [text("State", stateCell)],
});

export const resourceClaimTemplateBehaviour = behaviour(resourceClaimTemplates, {
  defaults: ({ spec }) => defaultRequests(spec?.spec?.devices),
  validateUpdate: settledSpec,
  generationFields: noGeneration,
});

export const resourceSliceBehaviour = behaviour(resourceSlices, {
  generationFields: specGeneration,
  selectableFields: { "spec.nodeName": ({ spec }) => spec.nodeName ?? "", "spec.driver": ({ spec }) => spec.driver },
  columns: [
    text("Node", ({ spec }) => spec.nodeName),
    text("Driver", ({ spec }) => spec.driver),
    text("Pool", ({ spec }) => spec.pool?.name),
  ],
});
