/** Services. Addresses and node ports are allocated elsewhere; here they are only kept, cleared and checked. */
import type { LoadBalancerStatus, Service, ServicePort } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { services } from "../kinds.ts";
import { dnsLabelProblems, dnsSubdomainProblems, portNumberProblems, qualifiedNameProblems } from "../names.ts";
import { copyOf } from "../patch/values.ts";
import { addressWarnings, isDualStackPair, networkWarnings, parseAddress, validateCidr, validateIp } from "../validation/addresses.ts";
import { validateEndpointIp } from "../validation/endpoint-address.ts";
import { validateLabels } from "../validation/labels.ts";
import { protocols } from "../validation/pod/containers.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { oneOf, validatePortNumberOrName } from "../validation/values.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { age, formatLabels, selectorColumn, text } from "./cells.ts";

const threeHours = 10_800;
const oneDay = 86_400;
const rangesAnnotation = "service.beta.kubernetes.io/load-balancer-source-ranges";
const hintsAnnotation = "service.kubernetes.io/topology-aware-hints";
const modeAnnotation = "service.kubernetes.io/topology-mode";

const isLoadBalancer = ({ spec }: Service): boolean => spec?.type === "LoadBalancer";
const usesNodePorts = ({ spec }: Service): boolean => spec?.type === "LoadBalancer" || spec?.type === "NodePort";
const usesClusterIp = ({ spec }: Service): boolean => spec?.type !== "ExternalName";
const isHeadless = ({ spec }: Service): boolean => spec?.clusterIPs?.length === 1 && spec.clusterIPs[0] === "None";
const isReachedFromOutside = (service: Service): boolean => usesNodePorts(service) || (service.spec?.externalIPs ?? []).length > 0;
const needsHealthCheck = (service: Service): boolean => isLoadBalancer(service) && service.spec?.externalTrafficPolicy === "Local";

function setDefaults(service: Service): void {
  const spec = (service.spec ??= {});
  spec.sessionAffinity ||= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (spec.sessionAffinity === "ClientIP" && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: threeHours } };
  }
  spec.type ||= "ClusterIP";
  for (const port of spec.ports ?? []) {
    port.protocol ||= "TCP";
    port.targetPort ||= port.port;
  }
  if (isReachedFromOutside(service)) spec.externalTrafficPolicy ||= "Cluster";
  if (usesNodePorts(service) || spec.type === "ClusterIP") spec.internalTrafficPolicy ??= "Cluster";
  if (isLoadBalancer(service)) spec.allocateLoadBalancerNodePorts ??= true;
  const status = (service.status ??= {});
  status.loadBalancer ??= {};
  if (isLoadBalancer(service)) {
    for (const ingress of status.loadBalancer.ingress ?? []) if (ingress.ip) ingress.ipMode ??= "VIP";
  }
}

/** A client that only knows the one address has it put into the list. */
function prepareForCreate(service: Service): void {
  service.status = { loadBalancer: {} };
  const spec = (service.spec ??= {});
  if (spec.clusterIP && (spec.clusterIPs ?? []).length === 0) spec.clusterIPs = [spec.clusterIP];
}

function prepareForUpdate(next: Service, previous: Service): void {
  next.status = copyOf(previous.status ?? { loadBalancer: {} });
  syncClusterIps(next, previous);
  keepAllocated(next, previous);
  dropWhatTypeForgets(next, previous);
}

/** `clusterIP` and the first of `clusterIPs` are one thing; a client may have changed only one of them. */
function syncClusterIps({ spec: next }: Service, { spec: previous }: Service): void {
  const sameList = semanticallyEqual(next.clusterIPs, previous.clusterIPs);
  const hadList = (previous.clusterIPs ?? []).length > 0 && (next.clusterIPs ?? []).length === 0;
  if ((next.clusterIP ?? "") === (previous.clusterIP ?? "")) {
    if (hadList) next.clusterIPs = [...(previous.clusterIPs ?? [])];
  } else if (!next.clusterIP) {
    if (sameList) delete next.clusterIPs;
  } else if (sameList) next.clusterIPs = [next.clusterIP];
}

/** What was allocated stays, so that the manifest it was made from can be applied again. */
function keepAllocated(next: Service, previous: Service): void {
  const [after, before] = [(next.spec ??= {}), previous.spec ?? {}];
  if (usesClusterIp(next) && usesClusterIp(previous)) {
    if (before.clusterIP) after.clusterIP ||= before.clusterIP;
    if ((after.clusterIPs ?? []).length === 0 && before.clusterIPs) after.clusterIPs = [...before.clusterIPs];
  }
  if (usesNodePorts(next) && usesNodePorts(previous)) {
    const used = nodePorts(after.ports).intersection(nodePorts(before.ports));
    const known = new Map((before.ports ?? []).map(({ name, nodePort }) => [name ?? "", nodePort]));
    for (const port of after.ports ?? []) {
      const old = known.get(port.name ?? "");
      if (old && !used.has(old)) port.nodePort ||= old;
    }
  }
  if (needsHealthCheck(next) && needsHealthCheck(previous) && before.healthCheckNodePort) {
    after.healthCheckNodePort ||= before.healthCheckNodePort;
  }
}

const nodePorts = (ports: readonly ServicePort[] | undefined): Set<number> =>
  new Set((ports ?? []).map(({ nodePort = 0 }) => nodePort).filter((port) => port !== 0));

/** A change of type clears what only the old type had, unless the client changed that too. */
function dropWhatTypeForgets(next: Service, previous: Service): void {
  const [after, before] = [(next.spec ??= {}), previous.spec ?? {}];
  const dropSame = (...fields: readonly (keyof typeof after)[]) => {
    for (const field of fields) if (semanticallyEqual(after[field], before[field])) delete after[field];
  };
  if (usesClusterIp(previous) && !usesClusterIp(next)) {
    if (semanticallyEqual([after.clusterIP, after.clusterIPs], [before.clusterIP, before.clusterIPs])) {
      delete after.clusterIP;
      delete after.clusterIPs;
    }
    dropSame("ipFamilies", "ipFamilyPolicy");
  }
  if (usesNodePorts(previous) && !usesNodePorts(next) && nodePorts(after.ports).isSubsetOf(nodePorts(before.ports))) {
    for (const port of after.ports ?? []) delete port.nodePort;
  }
  if (needsHealthCheck(previous) && !needsHealthCheck(next)) dropSame("healthCheckNodePort");
  if (isLoadBalancer(previous) && !isLoadBalancer(next)) dropSame("allocateLoadBalancerNodePorts", "loadBalancerClass");
  if (isReachedFromOutside(previous) && !isReachedFromOutside(next)) dropSame("externalTrafficPolicy");
  if (!isLoadBalancer(next)) next.status = { ...next.status, loadBalancer: {} };
}

function validatePort(port: ServicePort, needsName: boolean, names: Set<string>, at: string): Problem[] {
  const problems: Problem[] = [];
  if (port.name) {
    problems.push(...invalidEach(`${at}.name`, port.name, dnsLabelProblems(port.name)));
    if (names.has(port.name)) problems.push(duplicate(`${at}.name`, port.name));
    names.add(port.name);
  } else if (needsName) problems.push(required(`${at}.name`));
  return [
    ...problems,
    ...invalidEach(`${at}.port`, port.port ?? 0, portNumberProblems(port.port ?? 0)),
    ...oneOf(port.protocol, protocols, `${at}.protocol`, true),
    ...validatePortNumberOrName(port.targetPort, `${at}.targetPort`),
    ...(port.appProtocol === undefined ? [] : invalidEach(`${at}.appProtocol`, port.appProtocol, qualifiedNameProblems(port.appProtocol))),
  ];
}

function validatePorts(service: Service): Problem[] {
  const { ports = [], type } = service.spec ?? {};
  const names = new Set<string>();
  const [taken, takenNodePorts] = [new Set<string>(), new Set<string>()];
  const needsPorts = !isHeadless(service) && type !== "ExternalName";
  return [
    ...(ports.length === 0 && needsPorts ? [required("spec.ports")] : []),
    ...eachItem("spec.ports", ports, (port, at) => {
      const problems = validatePort(port, ports.length > 1, names, at);
      const [id, nodeId] = [`${port.protocol}/${port.port}`, `${port.protocol}/${port.nodePort}`];
      if (port.nodePort) {
        if (type === "ClusterIP") problems.push(forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
        if (takenNodePorts.has(nodeId)) problems.push(duplicate(`${at}.nodePort`, port.nodePort));
        takenNodePorts.add(nodeId);
      }
      if (taken.has(id)) problems.push(duplicate(at, shownPort(port)));
      taken.add(id);
      return problems;
    }),
  ];
}

/** The protocol and the number, among the other fields that Kubernetes shows. */
const shownPort = ({ protocol, port }: ServicePort) => ({
  Name: "",
  Protocol: protocol,
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
});

function validateExternalName({ spec }: Service): Problem[] {
  const name = (spec.externalName ?? "").replace(/\.$/, "");
  const detail = "may not be set for ExternalName services";
  return [
    ...((spec.clusterIPs ?? []).length > 0 ? [forbidden("spec.clusterIPs", detail)] : []),
    ...((spec.ipFamilies ?? []).length > 0 ? [forbidden("spec.ipFamilies", detail)] : []),
    ...(spec.ipFamilyPolicy === undefined ? [] : [forbidden("spec.ipFamilyPolicy", detail)]),
    ...(name ? invalidEach("spec.externalName", name, dnsSubdomainProblems(name)) : [required("spec.externalName")]),
  ];
}

function validateAffinity({ spec }: Service): Problem[] {
  const path = "spec.sessionAffinityConfig";
  const { sessionAffinity: affinity, sessionAffinityConfig: config } = spec;
  const problems = oneOf(affinity, ["ClientIP", "None"], "spec.sessionAffinity", true);
  if (affinity === "None" && config) problems.push(forbidden(path, "must not be set when session affinity is None"));
  const seconds = config?.clientIP?.timeoutSeconds;
  if (affinity === "ClientIP" && seconds !== undefined && (seconds <= 0 || seconds > oneDay)) {
    problems.push(invalid(`${path}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${oneDay}`));
  }
  return problems;
}

const families = ["IPv4", "IPv6"];
const familyPolicies = ["PreferDualStack", "RequireDualStack", "SingleStack"];

/** @param tolerated addresses which the Service has already */
function validateClusterIps(service: Service, tolerated: readonly string[]): Problem[] {
  const { clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = service.spec ?? {};
  const field = "spec.clusterIPs";
  const problems: Problem[] = [];
  if (clusterIP && clusterIPs.length === 0) problems.push(required(field));
  else if (clusterIP && clusterIPs[0] !== clusterIP) problems.push(invalid(field, clusterIPs, "first value must match `clusterIP`"));
  else if (!clusterIP && clusterIPs.length > 0) {
    problems.push(invalid(field, clusterIPs, "must be empty when `clusterIP` is not specified"));
  }
  problems.push(
    ...eachItem("spec.ipFamilies", ipFamilies, (family, at, index) => [
      ...(families.includes(family) ? [] : [notSupported(at, family, families)]),
      ...(ipFamilies.indexOf(family) < index ? [duplicate(at, family)] : []),
    ]),
    ...oneOf(ipFamilyPolicy, familyPolicies, "spec.ipFamilyPolicy"),
  );
  const wrong = eachItem(field, clusterIPs, (address, at, index) => {
    if (index > 0 || address !== "None") return validateIp(address, at, { tolerated });
    return clusterIPs.length > 1 ? [invalid(field, clusterIPs, "'None' must be the first and only value")] : [];
  });
  problems.push(...wrong);
  if (clusterIPs.length > 2) problems.push(invalid(field, clusterIPs, "may only hold up to 2 values"));
  if (wrong.length > 0) return problems;
  if (clusterIPs.length > 1 && !isDualStackPair(clusterIPs.slice(0, 2))) {
    problems.push(invalid(field, clusterIPs, "may specify no more than one IP for each IP family"));
  }
  if (isHeadless(service)) return problems;
  return [
    ...problems,
    ...eachItem(field, clusterIPs, (address, at, index) => {
      const family = ipFamilies[index];
      if (!family || !families.includes(family) || `IPv${parseAddress(address)?.family}` === family) return [];
      return [invalid(at, address, `expected an ${family} value as indicated by \`ipFamilies[${index}]\``)];
    }),
  ];
}

function validateSourceRanges({ metadata, spec }: Service, previous: Service | undefined): Problem[] {
  const onlyFor = "may only be used when `type` is 'LoadBalancer'";
  const isWrongType = spec.type !== "LoadBalancer";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  if (ranges.length > 0) {
    const path = "spec.LoadBalancerSourceRanges";
    const tolerated = (previous?.spec?.loadBalancerSourceRanges ?? []).map((range) => range.trim());
    return [
      ...(isWrongType ? [forbidden(path, onlyFor)] : []),
      ...eachItem(path, ranges, (range, at) => validateCidr(range.trim(), at, { tolerated })),
    ];
  }
  const value = metadata.annotations?.[rangesAnnotation];
  const path = `metadata.annotations[${rangesAnnotation}]`;
  if (value === undefined) return [];
  const isKnown = value === previous?.metadata.annotations?.[rangesAnnotation] || value.trim() === "";
  return [
    ...(isWrongType ? [forbidden(path, onlyFor)] : []),
    ...(isKnown ? [] : value.split(",")).flatMap((range) => validateCidr(range.trim(), path)),
  ];
}

function validateTrafficPolicies(service: Service): Problem[] {
  const { externalTrafficPolicy, healthCheckNodePort = 0, internalTrafficPolicy, trafficDistribution } = service.spec ?? {};
  const policies = ["Cluster", "Local"];
  const problems: Problem[] = [];
  if (isReachedFromOutside(service)) problems.push(...oneOf(externalTrafficPolicy, policies, "spec.externalTrafficPolicy", true));
  else if (externalTrafficPolicy) {
    const detail = "may only be set for externally-accessible services";
    problems.push(invalid("spec.externalTrafficPolicy", externalTrafficPolicy, detail));
  }
  // A port that is still missing is allocated after these checks.
  if (!needsHealthCheck(service)) {
    if (healthCheckNodePort !== 0) {
      const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      problems.push(invalid("spec.healthCheckNodePort", healthCheckNodePort, detail));
    }
  } else if (healthCheckNodePort !== 0) {
    problems.push(...invalidEach("spec.healthCheckNodePort", healthCheckNodePort, portNumberProblems(healthCheckNodePort)));
  }
  return [
    ...problems,
    ...oneOf(internalTrafficPolicy, policies, "spec.internalTrafficPolicy"),
    ...(trafficDistribution === undefined
      ? []
      : oneOf(trafficDistribution, ["PreferClose", "PreferSameZone", "PreferSameNode"], "spec.trafficDistribution")),
  ];
}

function validateLoadBalancerFields(service: Service): Problem[] {
  const { allocateLoadBalancerNodePorts, loadBalancerClass } = service.spec ?? {};
  const onlyFor = "may only be used when `type` is 'LoadBalancer'";
  if (isLoadBalancer(service)) {
    return loadBalancerClass === undefined
      ? []
      : invalidEach("spec.loadBalancerClass", loadBalancerClass, qualifiedNameProblems(loadBalancerClass));
  }
  return [
    ...(allocateLoadBalancerNodePorts === undefined ? [] : [forbidden("spec.allocateLoadBalancerNodePorts", onlyFor)]),
    ...(loadBalancerClass === undefined ? [] : [forbidden("spec.loadBalancerClass", onlyFor)]),
  ];
}

function validateService(service: Service, previous?: Service): Problem[] {
  const { metadata, spec } = service;
  const [hints, mode] = [metadata.annotations?.[hintsAnnotation], metadata.annotations?.[modeAnnotation]];
  const tolerated = previous?.spec?.externalIPs ?? [];
  const problems: Problem[] = [];
  if (hints !== undefined && mode !== undefined && hints !== mode) {
    const detail = `must match annotations[${hintsAnnotation}] when both are specified`;
    problems.push(invalid(`metadata.annotations[${modeAnnotation}]`, mode, detail));
  }
  if (isHeadless(service) && usesNodePorts(service)) {
    problems.push(invalid("spec.clusterIPs[0]", "None", `may not be set to 'None' for ${spec.type} services`));
  }
  return [
    ...problems,
    ...(spec.type === "ExternalName" ? validateExternalName(service) : validateClusterIps(service, previous?.spec?.clusterIPs ?? [])),
    ...validatePorts(service),
    ...validateLabels(spec.selector, "spec.selector"),
    ...validateAffinity(service),
    ...eachItem("spec.externalIPs", spec.externalIPs, (address, at) => {
      const wrong = validateIp(address, at, { tolerated });
      return wrong.length > 0 ? wrong : validateEndpointIp(address, at);
    }),
    ...oneOf(spec.type, ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"], "spec.type", true),
    ...validateSourceRanges(service, previous),
    ...validateLoadBalancerFields(service),
    ...validateTrafficPolicies(service),
  ];
}

/** The first address and family of a Service stay; a second may come, or go when the policy says so. */
function validateKept(next: Service, previous: Service, list: "clusterIPs" | "ipFamilies", what: "clusterIP" | "ipFamily"): Problem[] {
  const [after, before] = [next.spec?.[list] ?? [], previous.spec?.[list] ?? []];
  const first = `spec.${list}[0]`;
  const isReleased = before.length > after.length;
  const problems: Problem[] = [];
  if (before.length === after.length) {
    return before.flatMap((value, index) =>
      value === after[index] ? [] : [invalid(list === "clusterIPs" ? `spec.${list}[${index}]` : first, after, "may not change once set")],
    );
  }
  if (isReleased && (next.spec?.clusterIPs ?? []).length === 0) {
    problems.push(invalid(first, next.spec?.[list], `primary ${what} can not be unset`));
  }
  if (before.length > 0 && after.length > 0 && after[0] !== before[0]) {
    problems.push(invalid(first, next.spec?.clusterIPs, "may not change once set"));
  }
  if (isReleased && after.length === 1 && next.spec?.ipFamilyPolicy !== "SingleStack") {
    const detail = `must be set to 'SingleStack' when releasing the secondary ${what}`;
    problems.push(invalid("spec.ipFamilyPolicy", next.spec?.ipFamilyPolicy, detail));
  }
  return problems;
}

function validateChange(next: Service, previous: Service): Problem[] {
  const problems: Problem[] = [];
  const [wasHeadless, isNowHeadless] = [isHeadless(previous), isHeadless(next)];
  if (usesClusterIp(next) && usesClusterIp(previous)) {
    if (!(wasHeadless && isNowHeadless)) problems.push(...validateKept(next, previous, "clusterIPs", "clusterIP"));
    if (!wasHeadless && !isNowHeadless) problems.push(...validateKept(next, previous, "ipFamilies", "ipFamily"));
  }
  if (isLoadBalancer(next) && isLoadBalancer(previous) && next.spec?.loadBalancerClass !== previous.spec?.loadBalancerClass) {
    problems.push(invalid("spec.loadBalancerClass", next.spec?.loadBalancerClass, "may not change once set"));
  }
  const [after, before] = [next.spec?.healthCheckNodePort ?? 0, previous.spec?.healthCheckNodePort ?? 0];
  if (needsHealthCheck(next) && needsHealthCheck(previous) && after !== before) {
    problems.push(forbidden("spec.healthCheckNodePort", "field is immutable"));
  }
  return [...problems, ...validateService(next, previous)];
}

/** Where a load balancer can be reached. */
export function validateIngressPoints(
  status: LoadBalancerStatus | undefined,
  previous: LoadBalancerStatus | undefined,
  path: string,
): Problem[] {
  const tolerated = (previous?.ingress ?? []).map(({ ip }) => ip ?? "").filter(Boolean);
  return eachItem(path, status?.ingress, ({ ip, ipMode, hostname }, at) => {
    const problems = ip ? validateIp(ip, `${at}.ip`, { tolerated }) : [];
    if (ipMode === undefined) {
      if (ip) problems.push(required(`${at}.ipMode`, "must be specified when `ip` is set"));
    } else if (!ip) problems.push(forbidden(`${at}.ipMode`, "may not be specified when `ip` is not set"));
    else problems.push(...oneOf(ipMode, ["Proxy", "VIP"], `${at}.ipMode`));
    return [...problems, ...validateIngressHost(hostname, `${at}.hostname`)];
  });
}

export const validateIngressHost = (hostname: string | undefined, field: string): Problem[] =>
  hostname
    ? [
        ...invalidEach(field, hostname, dnsSubdomainProblems(hostname)),
        ...(parseAddress(hostname) ? [invalid(field, hostname, "must be a DNS name, not an IP address")] : []),
      ]
    : [];

function warnings({ metadata, spec }: Service): string[] {
  const result: string[] = [];
  const isPlainHeadless = spec.type === "ClusterIP" && spec.clusterIP === "None";
  const isExternalName = spec.type === "ExternalName";
  const hasExternalIps = (spec.externalIPs ?? []).length > 0;
  if (metadata.annotations?.[hintsAnnotation] !== undefined) {
    result.push(`annotation ${hintsAnnotation} is deprecated, please use ${modeAnnotation} instead`);
  }
  if (spec.clusterIP && spec.clusterIP !== "None") {
    result.push(...(spec.clusterIPs ?? []).flatMap((address, index) => addressWarnings(address, `spec.clusterIPs[${index}]`)));
  }
  if (isPlainHeadless) {
    if (spec.loadBalancerIP) result.push("spec.loadBalancerIP is ignored for headless services");
    if (hasExternalIps) result.push("spec.externalIPs is ignored for headless services");
    if (spec.sessionAffinity !== "None") result.push("spec.SessionAffinity is ignored for headless services");
  }
  result.push(...(spec.externalIPs ?? []).flatMap((address, index) => addressWarnings(address, `spec.externalIPs[${index}]`)));
  if (hasExternalIps && !isPlainHeadless && !isExternalName) {
    result.push("spec.externalIPs is deprecated and may no longer be implemented in some clusters");
  }
  if (spec.loadBalancerIP) result.push(...addressWarnings(spec.loadBalancerIP, "spec.loadBalancerIP"));
  result.push(
    ...(spec.loadBalancerSourceRanges ?? []).flatMap((range, index) => networkWarnings(range, `spec.loadBalancerSourceRanges[${index}]`)),
  );
  if (isExternalName && hasExternalIps) result.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  if (!isExternalName && spec.externalName) result.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  if (spec.trafficDistribution === "PreferClose") {
    result.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return result;
}

/** Addresses and names, each once, in order. */
export const ingressPoints = (
  status: { ingress?: readonly { ip?: string | undefined; hostname?: string | undefined }[] | undefined } | undefined,
): string[] => [...new Set((status?.ingress ?? []).map(({ ip, hostname }) => ip || hostname || "").filter(Boolean))].toSorted();

function externalIpCell({ spec, status }: Service): string {
  const own = spec.externalIPs ?? [];
  switch (spec.type) {
    case "ClusterIP":
    case "NodePort":
      return own.join(",") || "<none>";
    case "LoadBalancer":
      return [...ingressPoints(status?.loadBalancer), ...own].join(",") || "<pending>";
    case "ExternalName":
      return spec.externalName ?? "";
    default:
      return "<unknown>";
  }
}

const portText = ({ port, nodePort, protocol }: ServicePort): string =>
  nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`;

export const serviceBehaviour = behaviour(services, {
  nameRule: "dnsLabel",
  defaults: setDefaults,
  prepareForCreate,
  prepareForUpdate,
  validateCreate: (service) => validateService(service),
  validateUpdate: validateChange,
  validateStatusUpdate: (next, previous) => {
    const path = "status.loadBalancer.ingress";
    if (!isLoadBalancer(next) && (next.status?.loadBalancer?.ingress ?? []).length > 0) {
      return [forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")];
    }
    return validateIngressPoints(next.status?.loadBalancer, previous.status?.loadBalancer, path);
  },
  warnings,
  generationFields: noGeneration,
  allowCreateOnUpdate: true,
  selectableFields: { "spec.clusterIP": ({ spec }) => spec?.clusterIP ?? "", "spec.type": ({ spec }) => spec?.type ?? "" },
  ownAge: true,
  columns: [
    text("Type", ({ spec }) => spec?.type),
    text("Cluster-IP", ({ spec }) => spec?.clusterIPs?.[0] ?? "<none>"),
    text("External-IP", externalIpCell),
    text("Port(s)", ({ spec }) => (spec?.ports ?? []).map(portText).join(",") || "<none>"),
    age,
    selectorColumn(({ spec }) => formatLabels(spec?.selector)),
  ],
});
