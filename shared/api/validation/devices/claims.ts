/** What ResourceClaims and their templates ask for. */
import type {
  DeviceClaim,
  DeviceClaimConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
} from "../../generated/types.ts";
import { wholeNumber } from "../../json.ts";
import type { Problem } from "../../kind.ts";
import { dnsSubdomainProblems } from "../../names.ts";
import type { Given } from "../given.ts";
import { eachItem, invalid, invalidEach, notSupported, required } from "../problems.ts";
import { positive } from "../values.ts";
import { distinctItems, limitedItems } from "./lists.ts";
import { validateFullyQualifiedName, validateLabel } from "./names.ts";
import { validateConfiguration, validateSelectors, validateToleration } from "./parts.ts";

export const mostRequests = 32;
const mostChoices = 8;
const mostConstraints = 32;
export const mostConfigurations = 32;

/** Requests by name, each with the names of its choices. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

export const requestNamesOf = (claim: DeviceClaim | undefined): RequestNames =>
  new Map((claim?.requests ?? []).map(({ name, firstAvailable }) => [name, new Set((firstAvailable ?? []).map((choice) => choice.name))]));

export function validateDeviceClaim(claim: DeviceClaim | undefined, path: string): Problem[] {
  const names = requestNamesOf(claim);
  return [
    ...distinctItems(`${path}.requests`, claim?.requests, mostRequests, ({ name }) => name ?? "", validateRequest),
    ...limitedItems(`${path}.constraints`, claim?.constraints, mostConstraints, (constraint, at) =>
      validateConstraint(constraint, names, at),
    ),
    ...limitedItems(`${path}.config`, claim?.config, mostConfigurations, (config, at) => validateClaimConfiguration(config, names, at)),
  ];
}

function validateRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, at: string): Problem[] {
  const problems = validateLabel(name, `${at}.name`);
  const rule = "exactly one of `exactly` or `firstAvailable` is required";
  if (exactly && firstAvailable.length > 0) problems.push(invalid(at, undefined, `${rule}, but multiple fields are set`));
  else if (exactly) problems.push(...validateSpecifics(exactly, `${at}.exactly`));
  else if (firstAvailable.length === 0) problems.push(required(at, rule));
  else {
    problems.push(
      ...distinctItems(
        `${at}.firstAvailable`,
        firstAvailable,
        mostChoices,
        (choice) => choice.name ?? "",
        (choice, field) => [...validateLabel(choice.name, `${field}.name`), ...validateSpecifics(choice, field)],
      ),
    );
  }
  return problems;
}

type Specifics = ExactDeviceRequest | DeviceSubRequest;

function validateSpecifics({ deviceClassName, selectors, tolerations, ...amount }: Given<Specifics>, at: string): Problem[] {
  const field = `${at}.deviceClassName`;
  return [
    ...(deviceClassName ? invalidEach(field, deviceClassName, dnsSubdomainProblems(deviceClassName)) : [required(field)]),
    ...validateSelectors(selectors, `${at}.selectors`),
    ...validateAmount(amount, at),
    ...eachItem(`${at}.tolerations`, tolerations, validateToleration),
  ];
}

function validateAmount({ allocationMode = "", count = 0 }: Given<Specifics>, at: string): Problem[] {
  const field = `${at}.count`;
  if (allocationMode === "ExactCount") return positive(wholeNumber(count), field);
  if (allocationMode !== "All") return [notSupported(`${at}.allocationMode`, allocationMode, ["All", "ExactCount"])];
  return count === 0 ? [] : [invalid(field, count, "must not be specified when allocationMode is 'All'")];
}

/** Kubernetes' words for a constraint that has neither attribute say the opposite. */
const noAttribute = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';

function validateConstraint({ requests, matchAttribute, distinctAttribute }: DeviceConstraint, names: RequestNames, at: string): Problem[] {
  const problems = validateRequestRefs(requests, names, `${at}.requests`);
  if (matchAttribute !== undefined) problems.push(...validateFullyQualifiedName(matchAttribute, `${at}.matchAttribute`));
  else if (distinctAttribute !== undefined) problems.push(...validateFullyQualifiedName(distinctAttribute, `${at}.distinctAttribute`));
  else problems.push(required(at, noAttribute));
  return problems;
}

/** Configuration for some of the requests, or for all of them. */
export const validateClaimConfiguration = (config: DeviceClaimConfiguration, names: RequestNames, at: string): Problem[] => [
  ...validateRequestRefs(config.requests, names, `${at}.requests`),
  ...validateConfiguration(config, at),
];

const validateRequestRefs = (requests: readonly string[] | undefined, names: RequestNames, path: string): Problem[] =>
  distinctItems(
    path,
    requests,
    mostRequests,
    (name) => name,
    (name, at) => validateRequestRef(name, names, at),
  );

/** `request` or `request/choice`. */
export function validateRequestRef(name: string | undefined = "", names: RequestNames, field: string): Problem[] {
  const unknown = invalid(
    field,
    name,
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'",
  );
  const [request = "", choice, ...more] = name.split("/");
  if (more.length > 0) return [unknown];
  const isKnown = choice === undefined ? names.has(request) : names.get(request)?.has(choice);
  return [...validateLabel(request, field), ...(choice === undefined ? [] : validateLabel(choice, field)), ...(isKnown ? [] : [unknown])];
}
