/** Pod specs, wherever they stand. */
import type { Container, ContainerPort, PodSpec, Volume } from "../../generated/types.ts";
import { wholeNumber } from "../../json.ts";
import type { Problem } from "../../kind.ts";
import { dnsLabelProblems, dnsSubdomainProblems, qualifiedNameProblems, rangeMessage, underscoredSubdomainProblems } from "../../names.ts";
import { validateIp } from "../addresses.ts";
import type { Given } from "../given.ts";
import { validateLabels } from "../labels.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, notFoundValue, notSupported, required, tooLong } from "../problems.ts";
import { oneOf } from "../values.ts";
import { type ContainerScope, validateContainers, validateEphemeralContainers, validateInitContainers } from "./containers.ts";
import { validateOverhead, validatePodResources } from "./resources.ts";
import { validateAffinity, validateGates, validateSpreading, validateTolerations } from "./scheduling.ts";
import { validateForSystem, validateHostProcesses, validatePodSecurityContext } from "./security-context.ts";
import { type VolumeContext, validateVolumes } from "./volumes.ts";

/** Every container with its path, in the order in which Kubernetes visits them. */
export const allContainers = (spec: PodSpec, path: string): (readonly [path: string, container: Container])[] => [
  ...(spec.initContainers ?? []).map((container, index) => [`${path}.initContainers[${index}]`, container] as const),
  ...(spec.containers ?? []).map((container, index) => [`${path}.containers[${index}]`, container] as const),
  ...(spec.ephemeralContainers ?? []).map((container, index) => [`${path}.ephemeralContainers[${index}]`, container as Container] as const),
];

const longestDeadline = 2_147_483_647;

export function validatePodSpec(spec: PodSpec, context: VolumeContext, path: string): Problem[] {
  const { problems: volumeProblems, usable } = validateVolumes(spec.volumes, context, `${path}.volumes`);
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(Boolean));
  const scope: ContainerScope = { spec, volumes: usable, claims };
  const containers = allContainers(spec, path);
  return [
    ...(spec.terminationGracePeriodSeconds === undefined ? [required(`${path}.terminationGracePeriodSeconds`)] : []),
    ...volumeProblems,
    ...validateResourceClaims(spec.resourceClaims, `${path}.resourceClaims`),
    ...validateContainers(scope, `${path}.containers`),
    ...validateInitContainers(scope, `${path}.initContainers`),
    ...validateEphemeralContainers(scope, `${path}.ephemeralContainers`),
    ...validatePodResources(spec, claims, path),
    ...validateHostNetworkPorts(spec, context, path),
    ...oneOf(spec.restartPolicy, ["Always", "OnFailure", "Never"], `${path}.restartPolicy`, true),
    ...oneOf(spec.dnsPolicy, ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], `${path}.dnsPolicy`, true),
    ...validateLabels(spec.nodeSelector, `${path}.nodeSelector`),
    ...validatePodSecurityContext(spec, `${path}.securityContext`),
    ...validateAffinity(spec.affinity, `${path}.affinity`),
    ...validateDns(spec, `${path}.dnsConfig`),
    ...eachItem(`${path}.readinessGates`, spec.readinessGates, ({ conditionType }, at) =>
      invalidEach(`${at}.conditionType`, conditionType, qualifiedNameProblems(conditionType ?? "")),
    ),
    ...validateGates(spec.schedulingGates, `${path}.schedulingGates`),
    ...validateSpreading(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`),
    ...validateHostProcesses(spec, containers, path),
    ...validateHostUsers(spec, containers, path),
    ...validateHostname(spec, path),
    ...validateNames(spec, path),
    ...validateDeadline(spec.activeDeadlineSeconds, 1, `${path}.activeDeadlineSeconds`),
    ...validateTolerations(spec.tolerations, `${path}.tolerations`),
    ...eachItem(`${path}.hostAliases`, spec.hostAliases, ({ ip, hostnames }, at) => [
      ...validateIp(ip ?? "", `${at}.ip`),
      ...eachItem(`${at}.hostnames`, hostnames, (host, hostPath) => invalidEach(hostPath, host, dnsSubdomainProblems(host))),
    ]),
    ...oneOf(spec.preemptionPolicy, ["PreemptLowerPriority", "Never"], `${path}.preemptionPolicy`),
    ...validateOverhead(spec.overhead, `${path}.overhead`),
    ...validateSystem(spec, containers, path),
    ...validateFileVolumes(spec, containers),
  ];
}

export const validateDeadline = (seconds: number | undefined, least: 0 | 1, field: string): Problem[] =>
  seconds !== undefined && (wholeNumber(seconds) < least || wholeNumber(seconds) > longestDeadline)
    ? [invalid(field, seconds, rangeMessage(least, longestDeadline))]
    : [];

function validateNames(spec: PodSpec, path: string): Problem[] {
  const subdomains = ["serviceAccountName", "nodeName", "priorityClassName"] as const;
  const labels = ["hostname", "subdomain"] as const;
  return [
    ...subdomains.flatMap((field) => (spec[field] ? invalidEach(`${path}.${field}`, spec[field], dnsSubdomainProblems(spec[field])) : [])),
    // Empty is a name, too.
    ...(spec.runtimeClassName === undefined
      ? []
      : invalidEach(`${path}.runtimeClassName`, spec.runtimeClassName, dnsSubdomainProblems(spec.runtimeClassName))),
    ...labels.flatMap((field) => (spec[field] ? invalidEach(`${path}.${field}`, spec[field], dnsLabelProblems(spec[field])) : [])),
  ];
}

function validateResourceClaims(claims: PodSpec["resourceClaims"], path: string): Problem[] {
  const seen = new Set<string>();
  return eachItem(path, claims, (claim, at) => {
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    const problems: Problem[] = [];
    if (!name) problems.push(required(`${at}.name`));
    else if (seen.has(name)) problems.push(duplicate(`${at}.name`, name));
    else problems.push(...invalidEach(`${at}.name`, name, dnsLabelProblems(name)));
    seen.add(name);
    const shown = {
      Name: name ?? "",
      ResourceClaimName: resourceClaimName ?? null,
      ResourceClaimTemplateName: resourceClaimTemplateName ?? null,
    };
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      problems.push(invalid(at, shown, "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"));
    } else if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      problems.push(invalid(at, shown, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"));
    }
    for (const field of ["resourceClaimName", "resourceClaimTemplateName"] as const) {
      const value = claim[field];
      if (value !== undefined) problems.push(...invalidEach(`${at}.${field}`, value, dnsSubdomainProblems(value)));
    }
    return problems;
  });
}

/** In the host's network a container's port is the host's. Templates may leave that open until the Pod is made. */
function validateHostNetworkPorts(spec: PodSpec, { isPod }: VolumeContext, path: string): Problem[] {
  if (!spec.hostNetwork) return [];
  return eachItem(`${path}.containers`, spec.containers, ({ ports }, at) =>
    eachItem(`${at}.ports`, ports, ({ hostPort = 0, containerPort = 0 }: Given<ContainerPort>, portPath) =>
      (isPod || hostPort !== 0) && hostPort !== containerPort
        ? [invalid(`${portPath}.hostPort`, hostPort, "must match `containerPort` when `hostNetwork` is true")]
        : [],
    ),
  );
}

const mostNameservers = 3;
const mostSearches = 32;
const longestSearchList = 2048;

function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: string): Problem[] {
  const { nameservers = [], searches = [], options } = dnsConfig ?? {};
  if (dnsPolicy === "None") {
    if (!dnsConfig) return [required(path, "must provide `dnsConfig` when `dnsPolicy` is None")];
    if (nameservers.length === 0) {
      return [required(`${path}.nameservers`, "must provide at least one DNS nameserver when `dnsPolicy` is None")];
    }
  }
  const problems: Problem[] = [];
  if (nameservers.length > mostNameservers) {
    problems.push(invalid(`${path}.nameservers`, nameservers, `must not have more than ${mostNameservers} nameservers`));
  }
  problems.push(...eachItem(`${path}.nameservers`, nameservers, (server, at) => validateIp(server, at)));
  if (searches.length > mostSearches) {
    problems.push(invalid(`${path}.searches`, searches, `must not have more than ${mostSearches} search paths`));
  }
  if (searches.join(" ").length > longestSearchList) {
    const detail = `must not have more than ${longestSearchList} characters (including spaces) in the search list`;
    problems.push(invalid(`${path}.searches`, searches, detail));
  }
  return [
    ...problems,
    ...eachItem(`${path}.searches`, searches, (search, at) => {
      const domain = search.endsWith(".") ? search.slice(0, -1) : search;
      return search === "." ? [] : invalidEach(at, domain, underscoredSubdomainProblems(domain));
    }),
    ...eachItem(`${path}.options`, options, ({ name }, at) => (name ? [] : [required(at, "must not be empty")])),
  ];
}

/** With users of its own, a Pod cannot share other namespaces with its host. */
function validateHostUsers(spec: PodSpec, containers: readonly (readonly [string, Container])[], path: string): Problem[] {
  if (spec.hostUsers !== false) return [];
  const detail = "when `hostUsers` is false";
  return [
    ...(spec.hostNetwork ? [forbidden(`${path}.hostNetwork`, detail)] : []),
    ...(spec.hostPID ? [forbidden(`${path}.HostPID`, detail)] : []),
    ...(spec.hostIPC ? [forbidden(`${path}.HostIPC`, detail)] : []),
    ...containers
      .filter(([, { volumeDevices }]) => (volumeDevices ?? []).length > 0)
      .map(([at]) => forbidden(`${at}.volumeDevices`, detail)),
  ];
}

function validateHostname(spec: PodSpec, path: string): Problem[] {
  const name = spec.hostnameOverride;
  const field = `${path}.hostnameOverride`;
  if (name === undefined) return [];
  return [
    ...(spec.setHostnameAsFQDN ? [forbidden(field, "may not be specified when setHostnameAsFQDN is true")] : []),
    ...(spec.hostNetwork ? [forbidden(field, "may not be specified when hostNetwork is true")] : []),
    ...(name.length > 64 ? [tooLong(field, 64)] : []),
    ...invalidEach(field, name, dnsSubdomainProblems(name)),
  ];
}

function validateSystem(spec: PodSpec, containers: readonly (readonly [string, Container])[], path: string): Problem[] {
  if (!spec.os) return [];
  const { name } = spec.os;
  if (!name) return [required(`${path}.os.name`)];
  if (name !== "linux" && name !== "windows") return [notSupported(`${path}.os`, name, ["linux", "windows"])];
  return validateForSystem(spec, containers, path);
}

/** Files with environment variables are written by a container before: into an emptyDir. */
function validateFileVolumes(spec: PodSpec, containers: readonly (readonly [string, Container])[]): Problem[] {
  const volumes = new Map<string, Volume>((spec.volumes ?? []).map((volume) => [volume.name, volume]));
  return containers.flatMap(([path, { env }]) =>
    eachItem(`${path}.env`, env, ({ valueFrom }, at) => {
      if (!valueFrom?.fileKeyRef) return [];
      const { volumeName } = valueFrom.fileKeyRef;
      const volume = volumes.get(volumeName);
      const field = `${at}.valueFrom.fileKeyRef.volumeName`;
      if (!volume) return [notFoundValue(field, volumeName)];
      return volume.emptyDir ? [] : [invalid(field, volumeName, "referenced volume must be of type emptyDir")];
    }),
  );
}
