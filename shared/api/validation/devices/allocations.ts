/** The status of a ResourceClaim: which devices it got, who uses them, and what drivers say of them. */
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
  ResourceResourceClaim,
} from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { parseNetwork } from "../addresses.ts";
import { validateConditions } from "../conditions.ts";
import type { Given } from "../given.ts";
import { validateImmutable } from "../metadata.ts";
import { validateNodeSelector } from "../pod/scheduling.ts";
import { validateDriverName } from "../pod/volumes.ts";
import { forbidden, invalid, quote, required, tooLong, tooMany } from "../problems.ts";
import { semanticallyEqual } from "../semantic-equality.ts";
import { oneOf } from "../values.ts";
import { mostConfigurations, type RequestNames, requestNamesOf, validateClaimConfiguration, validateRequestRef } from "./claims.ts";
import { distinctItems, limitedItems } from "./lists.ts";
import { validateLabel, validatePoolName, validateUid } from "./names.ts";
import { validateBinding, validateData } from "./parts.ts";

const mostConsumers = 256;
const mostResults = 32;
const mostConditions = 8;
const mostIps = 16;
const longestInterfaceName = 256;
const longestHardwareAddress = 128;

/** A device as messages show it, or a share of one. */
interface DeviceId {
  readonly Driver: string;
  readonly Pool: string;
  readonly Device: string;
  readonly ShareID: string;
}

interface Identified {
  readonly driver?: string | undefined;
  readonly pool?: string | undefined;
  readonly device?: string | undefined;
  readonly shareID?: string | undefined;
}

const deviceIdOf = ({ driver = "", pool = "", device = "", shareID = "" }: Identified): DeviceId => ({
  Driver: driver,
  Pool: pool,
  Device: device,
  ShareID: shareID,
});

/** The devices of an allocation, as texts to be compared. */
const allocatedDevices = (status: ResourceClaimStatus | undefined): Set<string> =>
  new Set((status?.allocation?.devices?.results ?? []).map((result) => JSON.stringify(deviceIdOf(result))));

/** What drivers said of devices goes when the claim no longer has them. In place. */
export function dropDeallocated({ status: next }: ResourceResourceClaim, { status: previous }: ResourceResourceClaim): void {
  if (next?.devices === undefined) return;
  const gone = allocatedDevices(previous).difference(allocatedDevices(next));
  const kept = next.devices.filter((device) => !gone.has(JSON.stringify(deviceIdOf(device))));
  if (kept.length > 0) next.devices = kept;
  else delete next.devices;
}

export function validateClaimStatus(next: ResourceResourceClaim, previous: ResourceResourceClaim): Problem[] {
  const { reservedFor, devices, allocation }: ResourceClaimStatus = next.status ?? {};
  const known = allocatedDevices(next.status);
  return [
    ...distinctItems("status.reservedFor", reservedFor, mostConsumers, ({ uid }) => uid ?? "", validateConsumer),
    ...distinctItems("status.devices", devices, Number.POSITIVE_INFINITY, deviceIdOf, (device, at) =>
      validateDeviceStatus(device, known, at),
    ),
    ...validateReservation(next, previous),
    ...validateNewAllocation(allocation, previous.status?.allocation, requestNamesOf(next.spec?.devices)),
  ];
}

const validateConsumer = (consumer: Given<ResourceClaimConsumerReference>, at: string): Problem[] =>
  (["resource", "name", "uid"] as const).filter((field) => !consumer[field]).map((field) => required(`${at}.${field}`));

function validateReservation({ metadata, status }: ResourceResourceClaim, { status: previous }: ResourceResourceClaim): Problem[] {
  const field = "status.reservedFor";
  const consumers = status?.reservedFor ?? [];
  if (consumers.length === 0) return [];
  if (!status?.allocation) return [forbidden(field, "may not be specified when `allocated` is not set")];
  if (metadata.deletionTimestamp === undefined) return [];
  const isNew = consumers.some((consumer) => !previous?.reservedFor?.some((before) => semanticallyEqual(before, consumer)));
  return isNew ? [forbidden(field, "new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set")] : [];
}

/** An allocation comes and goes, and does not change meanwhile. What was allowed before may stay as it is. */
function validateNewAllocation(next: AllocationResult | undefined, previous: AllocationResult | undefined, names: RequestNames): Problem[] {
  const path = "status.allocation";
  if (!next) return [];
  if (previous) return validateImmutable(next, previous, path);
  const { results, config } = next.devices ?? {};
  return [
    ...limitedItems(`${path}.devices.results`, results, mostResults, (result, at) => validateResult(result, names, at)),
    // Those of the class and those of the claim.
    ...limitedItems(`${path}.devices.config`, config, 2 * mostConfigurations, (one: Given<DeviceAllocationConfiguration>, at) => [
      ...oneOf(one.source, ["FromClaim", "FromClass"], `${at}.source`, true),
      ...validateClaimConfiguration(one, names, at),
    ]),
    ...(next.nodeSelector ? validateNodeSelector(next.nodeSelector, `${path}.nodeSelector`) : []),
  ];
}

const validateResult = (result: Given<DeviceRequestAllocationResult>, names: RequestNames, at: string): Problem[] => [
  ...validateRequestRef(result.request, names, `${at}.request`),
  ...validateDriverName(result.driver, `${at}.driver`),
  ...validatePoolName(result.pool, `${at}.pool`),
  ...validateLabel(result.device, `${at}.device`),
  ...validateBinding(result, at),
  ...(result.shareID === undefined ? [] : validateUid(result.shareID, `${at}.shareID`)),
];

function validateDeviceStatus(device: Given<AllocatedDeviceStatus>, known: ReadonlySet<string>, at: string): Problem[] {
  const { conditions = [], data } = device;
  const id = deviceIdOf(device);
  return [
    ...validateDriverName(device.driver, `${at}.driver`),
    ...validatePoolName(device.pool, `${at}.pool`),
    ...validateLabel(device.device, `${at}.device`),
    ...(device.shareID === undefined ? [] : validateUid(device.shareID, `${at}.shareID`)),
    ...(known.has(JSON.stringify(id)) ? [] : [invalid(at, id, "must be an allocated device in the claim")]),
    ...(conditions.length > mostConditions ? [tooMany(`${at}.conditions`, conditions.length, mostConditions)] : []),
    ...validateConditions(conditions, `${at}.conditions`),
    ...(data === undefined || data === null ? [] : validateData(data, `${at}.data`)),
    ...validateNetworkData(device.networkData, `${at}.networkData`),
  ];
}

const validateNetworkData = ({ interfaceName = "", hardwareAddress = "", ips }: NetworkDeviceData = {}, at: string): Problem[] => [
  ...(Buffer.byteLength(interfaceName) > longestInterfaceName ? [tooLong(`${at}.interfaceName`, longestInterfaceName)] : []),
  ...(Buffer.byteLength(hardwareAddress) > longestHardwareAddress ? [tooLong(`${at}.hardwareAddress`, longestHardwareAddress)] : []),
  ...distinctItems(`${at}.ips`, ips, mostIps, (ip) => ip, validateInterfaceAddress),
];

/** An address with the size of its network: `10.9.8.7/24`. */
function validateInterfaceAddress(value: string, field: string): Problem[] {
  const network = parseNetwork(value);
  if (!network) return [invalid(field, value, "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)")];
  const canonical = `${network.address.canonical}/${network.prefix}`;
  return value === canonical ? [] : [invalid(field, value, `must be in canonical form (${quote(canonical)})`)];
}
