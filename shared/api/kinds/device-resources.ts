/** DeviceClasses, ResourceClaims, their templates, and ResourceSlices. They are stored; Fargate has no such devices to give. */
import type {
  DeviceClaim,
  DeviceClass,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
  ResourceResourceClaim,
  ResourceSlice,
} from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { deviceClasses, resourceClaims, resourceClaimTemplates, resourceSlices } from "../kinds.ts";
import { dropDeallocated, validateClaimStatus } from "../validation/devices/allocations.ts";
import { mostConfigurations, validateDeviceClaim } from "../validation/devices/claims.ts";
import { limitedItems } from "../validation/devices/lists.ts";
import { validateConfiguration, validateSelectors } from "../validation/devices/parts.ts";
import { validateSlice } from "../validation/devices/slices.ts";
import { validateImmutable, validateTemplateMetadata } from "../validation/metadata.ts";
import { invalid, quote } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { isExtendedResource } from "../validation/values.ts";
import { behaviour, noGeneration, specGeneration, statusAlone, statusBehaviour } from "./behaviour.ts";
import { text } from "./cells.ts";

function defaultTolerations(tolerations: readonly DeviceToleration[] | undefined): void {
  for (const toleration of tolerations ?? []) toleration.operator ||= "Equal";
}

function defaultRequest(request: ExactDeviceRequest | DeviceSubRequest): void {
  request.allocationMode ||= "ExactCount";
  if (request.allocationMode === "ExactCount") request.count ||= 1;
  defaultTolerations(request.tolerations);
}

function defaultRequests(devices: DeviceClaim | undefined): void {
  for (const { exactly, firstAvailable } of devices?.requests ?? []) {
    if (exactly) defaultRequest(exactly);
    for (const request of firstAvailable ?? []) defaultRequest(request);
  }
}

const settledSpec = ({ spec: next }: { spec: object }, { spec: previous }: { spec: object }) => validateImmutable(next, previous, "spec");

/** Parameters that were allowed before may stay as they are. */
function validateClass({ spec }: DeviceClass, previous?: DeviceClass): Problem[] {
  const { selectors, config, extendedResourceName: resource } = spec ?? {};
  const isSettled = previous !== undefined && semanticallyEqual(config, previous.spec.config);
  return [
    ...validateSelectors(selectors, "spec.selectors"),
    ...limitedItems("spec.config", config, mostConfigurations, (one, at) => validateConfiguration(one, at, isSettled)),
    ...(resource === undefined || isExtendedResource(resource)
      ? []
      : [invalid("spec.extendedResourceName", resource, "must be a valid extended resource name")]),
  ];
}

export const deviceClassBehaviour = behaviour(deviceClasses, {
  validateCreate: (deviceClass) => validateClass(deviceClass),
  validateUpdate: validateClass,
  generationFields: specGeneration,
});

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
    for (const { tolerations } of claim.status.allocation?.devices?.results ?? []) defaultTolerations(tolerations);
  },
  ...statusAlone,
  prepareForStatusUpdate: (next, previous) => {
    statusAlone.prepareForStatusUpdate(next, previous);
    dropDeallocated(next, previous);
  },
  validateCreate: ({ spec }) => validateDeviceClaim(spec?.devices, "spec.devices"),
  validateUpdate: settledSpec,
  validateStatusUpdate: validateClaimStatus,
  generationFields: noGeneration,
  columns: [text("State", stateCell)],
});

export const resourceClaimTemplateBehaviour = behaviour(resourceClaimTemplates, {
  defaults: ({ spec }) => defaultRequests(spec?.spec?.devices),
  validate: ({ spec }) => [
    ...validateTemplateMetadata(spec?.metadata, "spec.metadata"),
    ...validateDeviceClaim(spec?.spec?.devices, "spec.spec.devices"),
  ],
  validateUpdate: settledSpec,
  generationFields: noGeneration,
});

/** Fields of features that are off. */
function dropUnsupported({ spec }: ResourceSlice): void {
  for (const device of spec?.devices ?? []) {
    delete device.nodeAllocatableResourceMappings;
    for (const attribute of Object.values(device.attributes ?? {})) {
      for (const field of ["bools", "ints", "strings", "versions"] as const) delete attribute[field];
    }
  }
}

export const resourceSliceBehaviour = behaviour(resourceSlices, {
  prepareForCreate: dropUnsupported,
  prepareForUpdate: dropUnsupported,
  validateCreate: (slice) => validateSlice(slice),
  validateUpdate: validateSlice,
  warnings: ({ spec }) => {
    const driver = spec?.driver ?? "";
    if (driver === driver.toLowerCase()) return [];
    return [`spec.driver: driver names should be lowercase; ${quote(driver)} contains uppercase characters`];
  },
  generationFields: specGeneration,
  selectableFields: { "spec.nodeName": ({ spec }) => spec.nodeName ?? "", "spec.driver": ({ spec }) => spec.driver },
  columns: [
    text("Node", ({ spec }) => spec.nodeName),
    text("Driver", ({ spec }) => spec.driver),
    text("Pool", ({ spec }) => spec.pool?.name),
  ],
});
