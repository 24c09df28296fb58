/** ResourceSlices: the devices of a driver's pool, and where they are. */
import type {
  CounterSet,
  Device,
  DeviceCounterConsumption,
  NodeSelector,
  ResourcePool,
  ResourceSlice,
  ResourceSliceSpec,
} from "../../generated/types.ts";
import { wholeNumber } from "../../json.ts";
import type { Problem } from "../../kind.ts";
import { dnsSubdomainProblems } from "../../names.ts";
import type { Given } from "../given.ts";
import { validateImmutable } from "../metadata.ts";
import { validateNodeSelector } from "../pod/scheduling.ts";
import { validateDriverName } from "../pod/volumes.ts";
import { forbidden, invalid, invalidEach, required, tooMany } from "../problems.ts";
import { semanticallyEqual } from "../semantic-equality.ts";
import { positive } from "../values.ts";
import { validateAttribute } from "./attributes.ts";
import { validateRequestPolicy } from "./capacity.ts";
import { distinctItems, limitedItems } from "./lists.ts";
import { longestQualifiedName, shortKey, validateLabel, validatePoolName, validateQualifiedName } from "./names.ts";
import { validateBinding, validateTaint } from "./parts.ts";

const mostDevices = 128;
/** Of devices with taints, or that draw on counters. */
const mostElaborateDevices = 64;
const mostCounterSets = 8;
const mostCounters = 32;
const mostConsumptions = 2;
const mostFacts = 32;
const mostAttributeValues = 48;
const mostTaints = 16;

/** @param previous the slice before an update */
export function validateSlice({ spec }: ResourceSlice, previous?: ResourceSlice): Problem[] {
  const { driver, pool, devices, sharedCounters, ...placement }: Given<ResourceSliceSpec> = spec ?? {};
  const most = devices?.some(isElaborate) ? mostElaborateDevices : mostDevices;
  return [
    ...validateDriverName(driver, "spec.driver"),
    ...validatePool(pool),
    ...(previous ? validateSettled(spec, previous.spec) : []),
    ...validatePlacement(placement),
    ...(sharedCounters && devices ? [invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed")] : []),
    ...distinctItems("spec.devices", devices, most, nameOf, (device, at) => [
      ...validateDevice(device, at),
      ...validateTaints(
        device,
        previous?.spec.devices?.find(({ name }) => name === device.name),
        at,
      ),
      ...validateDevicePlacement(device, placement.perDeviceNodeSelection ?? false, at),
    ]),
    ...distinctItems("spec.sharedCounters", sharedCounters, mostCounterSets, nameOf, validateCounterSet),
  ];
}

const nameOf = ({ name }: { readonly name?: string | undefined }): string => name ?? "";

const isElaborate = ({ taints, consumesCounters }: Device): boolean => (taints ?? []).length + (consumesCounters ?? []).length > 0;

function validatePool({ name, resourceSliceCount, generation = 0 }: Given<ResourcePool> = {}): Problem[] {
  return [
    ...validatePoolName(name, "spec.pool.name"),
    ...positive(wholeNumber(resourceSliceCount ?? 0), "spec.pool.resourceSliceCount"),
    ...(wholeNumber(generation) < 0 ? [invalid("spec.pool.generation", generation, "must be greater than or equal to zero")] : []),
  ];
}

const validateSettled = (next: ResourceSliceSpec, previous: ResourceSliceSpec): Problem[] => [
  ...validateImmutable(next.pool?.name, previous.pool?.name, "spec.pool.name"),
  ...validateImmutable(next.driver, previous.driver, "spec.driver"),
  ...validateImmutable(next.nodeName, previous.nodeName, "spec.nodeName"),
];

type Placement = Pick<ResourceSliceSpec, "nodeName" | "nodeSelector" | "allNodes" | "perDeviceNodeSelection">;

function validatePlacement({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }: Placement): Problem[] {
  const terms = nodeSelector?.nodeSelectorTerms;
  const rule = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required";
  return [
    ...validateNodeName(nodeName, "spec.nodeName", "must be either unset or set to a non-empty string"),
    ...(nodeSelector ? validateNodeSelector(nodeSelector, "spec.nodeSelector") : []),
    ...(nodeSelector && terms?.length !== 1
      ? [invalid("spec.nodeSelector.nodeSelectorTerms", shownTerms(terms), "must have exactly one node selector term")]
      : []),
    ...validateTrue(allNodes, "spec.allNodes"),
    ...validateTrue(perDeviceNodeSelection, "spec.perDeviceNodeSelection"),
    ...validateChoice({ nodeName, nodeSelector, allNodes, perDeviceNodeSelection }, "spec", rule, `${rule}, but multiple fields are set`),
  ];
}

function validateNodeName(name: string | undefined, field: string, whenEmpty: string): Problem[] {
  if (name === undefined) return [];
  return name === "" ? [invalid(field, name, whenEmpty)] : invalidEach(field, name, dnsSubdomainProblems(name));
}

const validateTrue = (value: boolean | undefined, field: string): Problem[] =>
  value === false ? [invalid(field, value, "must be either unset or set to true")] : [];

/** Exactly one of several fields says something. */
function validateChoice(fields: Readonly<Record<string, unknown>>, at: string, whenNone: string, whenMany: string): Problem[] {
  const given = Object.entries(fields).flatMap(([field, value]) => (value ? [`\`${field}\``] : []));
  if (given.length === 1) return [];
  return given.length === 0 ? [required(at, whenNone)] : [invalid(at, `{${given.join(", ")}}`, whenMany)];
}

/** Terms as messages show them: under the names that they have in Go. */
const shownTerms = (terms: NodeSelector["nodeSelectorTerms"] = []): unknown =>
  terms.length === 0
    ? null
    : terms.map(({ matchExpressions, matchFields }) => ({ MatchExpressions: shown(matchExpressions), MatchFields: shown(matchFields) }));

const shown = (requirements: NodeSelector["nodeSelectorTerms"][number]["matchFields"]): unknown =>
  requirements?.map(({ key, operator, values }) => ({ Key: key ?? "", Operator: operator ?? "", Values: values ?? null })) ?? null;

function validateDevice(device: Device, at: string): Problem[] {
  const { attributes = {}, capacity = {} } = device;
  const values = Object.keys(attributes).length;
  const facts = values + Object.keys(capacity).length;
  return [
    ...validateLabel(device.name, `${at}.name`),
    ...(facts > mostFacts ? [invalid(at, facts, `the total number of attributes and capacities must not exceed ${mostFacts}`)] : []),
    ...(values > mostAttributeValues
      ? [invalid(at, values, `the total number of attribute values must not exceed ${mostAttributeValues}`)]
      : []),
    ...eachEntry(`${at}.attributes`, attributes, validateAttribute),
    ...eachEntry(`${at}.capacity`, capacity, ({ value, requestPolicy }, field) => {
      if (!requestPolicy) return [];
      const path = `${field}.requestPolicy`;
      if (!device.allowMultipleAllocations) return [forbidden(path, "allowMultipleAllocations must be true")];
      return validateRequestPolicy(value, requestPolicy, path);
    }),
    ...distinctItems(
      `${at}.consumesCounters`,
      device.consumesCounters,
      mostConsumptions,
      ({ counterSet }) => counterSet ?? "",
      validateConsumption,
    ),
    ...validateBinding(device, at),
  ];
}

/** The attributes or capacities of a device, by their qualified names. */
function eachEntry<T>(path: string, entries: Readonly<Record<string, T>>, check: (value: T, field: string) => Problem[]): Problem[] {
  return Object.entries(entries).flatMap(([name, value]) => [
    ...validateQualifiedName(name, path),
    ...check(value, `${path}[${shortKey(name, longestQualifiedName)}]`),
  ]);
}

/** Taints that were allowed before may stay as they are. */
const validateTaints = ({ taints }: Device, previous: Device | undefined, at: string): Problem[] =>
  previous && semanticallyEqual(taints, previous.taints) ? [] : limitedItems(`${at}.taints`, taints, mostTaints, validateTaint);

function validateDevicePlacement({ nodeName, nodeSelector, allNodes }: Device, isPerDevice: boolean, at: string): Problem[] {
  const isPlaced = nodeName !== undefined || nodeSelector !== undefined || allNodes !== undefined;
  if (!isPerDevice) {
    const rule =
      "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
    return isPlaced ? [invalid(at, undefined, rule)] : [];
  }
  const rule =
    "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec";
  return [
    ...validateNodeName(nodeName, `${at}.nodeName`, "must not be empty"),
    ...(nodeSelector ? validateNodeSelector(nodeSelector, `${at}.nodeSelector`) : []),
    ...validateTrue(allNodes, `${at}.allNodes`),
    ...validateChoice({ nodeName, nodeSelector, allNodes }, at, rule, rule),
  ];
}

const validateCounterSet = ({ name, counters }: Given<CounterSet>, at: string): Problem[] => [
  ...validateCounterName(name, `${at}.name`),
  ...validateCounters(counters, `${at}.counters`),
];

const validateConsumption = ({ counterSet, counters }: Given<DeviceCounterConsumption>, at: string): Problem[] => [
  ...validateCounterName(counterSet, `${at}.counterSet`),
  ...validateCounters(counters, `${at}.counters`),
];

const validateCounterName = (name: string | undefined, field: string): Problem[] => (name ? validateLabel(name, field) : [required(field)]);

/** Whatever is an amount at all is one of a counter. */
function validateCounters(counters: CounterSet["counters"] | undefined, path: string): Problem[] {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) return [required(path)];
  return names.length > mostCounters ? [tooMany(path, names.length, mostCounters)] : names.flatMap((name) => validateLabel(name, path));
}
