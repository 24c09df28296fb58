/** What a Pod or a template is allowed to say, but should not. */
import type { Affinity, Container, ContainerPort, PodSpec, PodTemplateSpec, Volume } from "../generated/types.ts";
import { wholeNumber } from "../json.ts";
import { dnsLabelProblems, labelValueProblems } from "../names.ts";
import { toMilli } from "../quantity.ts";
import { addressWarnings } from "../validation/addresses.ts";
import { allContainers } from "../validation/pod/pod-spec.ts";
import { quote } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";

/** Advice about the name of something that gives Pods their host names. @param what "the Pod's hostname" or "Pod names and hostnames" */
export function hostnameWarnings(name: string | undefined, what: string): string[] {
  const problems = dnsLabelProblems(name ?? "");
  if (problems.length === 0) return [];
  const advice = "which can result in surprising behavior; a DNS label is recommended";
  return [`metadata.name: this is used in ${what}, ${advice}: [${problems.join(" ")}]`];
}

/** Warnings about a workload's template: when it is new, and when something in it changes. */
export function templateWarnings(
  next: PodTemplateSpec | undefined,
  previous: PodTemplateSpec | undefined,
  path = "spec.template",
): string[] {
  if (!next?.spec || (previous && semanticallyEqual(next, previous))) return [];
  return podSpecWarnings(next.spec, next.metadata?.annotations, `${path}.`);
}

export const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
  "failure-domain.beta.kubernetes.io/region": 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  "failure-domain.beta.kubernetes.io/zone": 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  "beta.kubernetes.io/instance-type": 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  "app.kubernetes.io/created-by": "deprecated since v1.9",
  "scheduler.alpha.kubernetes.io/preferAvoidPods": "deprecated since v1.22; use Taints and Tolerations instead",
  "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
};

const deprecatedAnnotations: Readonly<Record<string, string>> = {
  "scheduler.alpha.kubernetes.io/critical-pod": 'non-functional in v1.16+; use the "priorityClassName" field instead',
  "security.alpha.kubernetes.io/sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
  "security.alpha.kubernetes.io/unsafe-sysctls": 'non-functional in v1.11+; use the "sysctls" field instead',
};

const deprecatedVolumes: Readonly<Partial<Record<keyof Volume, string>>> = {
  photonPersistentDisk: "deprecated in v1.11, non-functional in v1.16+",
  gitRepo: "deprecated in v1.11, and disabled by default in v1.33+",
  scaleIO: "deprecated in v1.16, non-functional in v1.22+",
  flocker: "deprecated in v1.22, non-functional in v1.25+",
  storageos: "deprecated in v1.22, non-functional in v1.25+",
  quobyte: "deprecated in v1.22, non-functional in v1.25+",
  glusterfs: "deprecated in v1.25, non-functional in v1.26+",
  cephfs: "deprecated in v1.28, non-functional in v1.31+",
  rbd: "deprecated in v1.28, non-functional in v1.31+",
};

/** Annotations by which containers used to get profiles, and the fields that replaced them. */
const seccompAnnotation = "seccomp.security.alpha.kubernetes.io/pod";
const containerSeccompAnnotation = "container.seccomp.security.alpha.kubernetes.io/";
const appArmorAnnotation = "container.apparmor.security.beta.kubernetes.io/";

/** @param prefix of the spec's path: empty for Pods, `spec.template.` for templates */
export function podSpecWarnings(spec: PodSpec, annotations: Readonly<Record<string, string>> | undefined, prefix: string): string[] {
  const containers = allContainers(spec, `${prefix}spec`);
  return [
    ...Object.keys(spec.nodeSelector ?? {})
      .filter((key) => deprecatedNodeLabels[key])
      .map((key) => `${prefix}spec.nodeSelector[${key}]: ${deprecatedNodeLabels[key]}`),
    ...(spec.affinity ? nodeAffinityWarnings(spec.affinity, `${prefix}spec.affinity.nodeAffinity`) : []),
    ...spreadWarnings(spec, `${prefix}spec.topologySpreadConstraints`),
    ...Object.keys(annotations ?? {})
      .filter((key) => deprecatedAnnotations[key])
      .map((key) => `${prefix}metadata.annotations[${key}]: ${deprecatedAnnotations[key]}`),
    ...(spec.volumes ?? []).flatMap((volume, index) => volumeWarnings(volume, `${prefix}spec.volumes[${index}]`)),
    ...(spec.volumes ?? []).flatMap(overlapWarnings),
    ...duplicateWarnings(spec, `${prefix}spec`),
    ...(spec.overhead
      ? ["memory", "ephemeral-storage"].flatMap((name) => fractionWarning(spec.overhead, name, `${prefix}spec.overhead`))
      : []),
    ...profileWarnings(spec, containers, annotations ?? {}, `${prefix}metadata.annotations`, prefix !== ""),
    ...containers.flatMap(([path, container]) => containerWarnings(container, path)),
    ...portWarnings(containers),
    ...(wholeNumber(spec.terminationGracePeriodSeconds ?? 0) < 0
      ? [`${prefix}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`]
      : []),
    ...(spec.affinity ? podAffinityWarnings(spec.affinity, `${prefix}spec.affinity`) : []),
    ...(spec.dnsConfig?.nameservers ?? []).flatMap((server, index) =>
      addressWarnings(server, `${prefix}spec.dnsConfig.nameservers[${index}]`),
    ),
    ...(spec.hostAliases ?? []).flatMap(({ ip }, index) => addressWarnings(ip ?? "", `${prefix}spec.hostAliases[${index}].ip`)),
  ];
}

type NodeTerm = NonNullable<NonNullable<Affinity["nodeAffinity"]>["preferredDuringSchedulingIgnoredDuringExecution"]>[number]["preference"];

export function nodeTermWarnings(term: NodeTerm, checkValues: boolean, path: string): string[] {
  return (term?.matchExpressions ?? []).flatMap(({ key, values }, index) => {
    const at = `${path}.matchExpressions[${index}]`;
    const deprecated = deprecatedNodeLabels[key];
    return [
      ...(deprecated ? [`${at}.key: ${key} is ${deprecated}`] : []),
      ...(checkValues ? (values ?? []) : []).flatMap((value, position) =>
        labelValueProblems(value).map((message) => `${at}.values[${position}]: ${value} is invalid, ${message}`),
      ),
    ];
  });
}

function nodeAffinityWarnings(affinity: Affinity | undefined, path: string): string[] {
  const needed = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const preferred = affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...needed.flatMap((term, index) =>
      nodeTermWarnings(term, false, `${path}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}]`),
    ),
    ...preferred.flatMap(({ preference }, index) =>
      nodeTermWarnings(preference, true, `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`),
    ),
  ];
}

const matchesNothing = "a null labelSelector results in matching no pod";

function spreadWarnings(spec: PodSpec, path: string): string[] {
  return (spec.topologySpreadConstraints ?? []).flatMap(({ topologyKey, labelSelector }, index) => {
    const deprecated = deprecatedNodeLabels[topologyKey];
    return [
      ...(deprecated ? [`${path}[${index}].topologyKey: ${topologyKey} is ${deprecated}`] : []),
      ...(labelSelector ? [] : [`${path}[${index}].labelSelector: ${matchesNothing}`]),
    ];
  });
}

function podAffinityWarnings(affinity: Affinity | undefined, path: string): string[] {
  return (["podAffinity", "podAntiAffinity"] as const).flatMap((kind) => {
    const { requiredDuringSchedulingIgnoredDuringExecution: needed, preferredDuringSchedulingIgnoredDuringExecution: preferred } =
      affinity?.[kind] ?? {};
    return [
      ...(needed ?? []).flatMap(({ labelSelector }, index) =>
        labelSelector ? [] : [`${path}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector: ${matchesNothing}`],
      ),
      ...(preferred ?? []).flatMap(({ podAffinityTerm }, index) =>
        podAffinityTerm?.labelSelector
          ? []
          : [`${path}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm.labelSelector: ${matchesNothing}`],
      ),
    ];
  });
}

const deprecatedVolumeEntries = Object.entries(deprecatedVolumes);

function volumeWarnings(volume: Volume, path: string): string[] {
  const warnings = deprecatedVolumeEntries
    .filter(([source]) => volume[source as keyof Volume] !== undefined)
    .map(([source, message]) => `${path}.${source === "storageos" ? "storageOS" : source}: ${message}`);
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  return [...warnings, ...claimWarnings(claim?.resources, `${path}.ephemeral.volumeClaimTemplate.spec`)];
}

interface Resources {
  readonly limits?: Readonly<Record<string, string>> | undefined;
  readonly requests?: Readonly<Record<string, string>> | undefined;
}

/** Claims for fractions of bytes. @param path of the claim's spec */
export const claimWarnings = (resources: Resources | undefined, path: string): string[] => [
  ...fractionWarning(resources?.requests, "storage", `${path}.resources.requests`),
  ...fractionWarning(resources?.limits, "storage", `${path}.resources.limits`),
];

function fractionWarning(amounts: Readonly<Record<string, string>> | undefined, name: string, path: string): string[] {
  const amount = amounts?.[name];
  if (amount === undefined || toMilli(amount) % 1000n === 0n) return [];
  return [`${path}[${name}]: fractional byte value ${quote(amount)} is invalid, must be an integer`];
}

interface Mapped {
  readonly path: string;
  /** Where it comes from, in a projected volume. */
  readonly source: string;
}

const shownMapping = ({ path, source }: Mapped): string => (source ? `${quote(path)} (${source})` : quote(path));

const paths = (items: readonly { path: string }[] | undefined, source = ""): Mapped[] =>
  (items ?? []).map(({ path }) => ({ path, source }));

/** Files of one volume that would lie on or within one another. */
function overlapWarnings(volume: Volume): string[] {
  // Most volumes name no files.
  if (!volume.projected && !volume.configMap?.items && !volume.secret?.items && !volume.downwardAPI?.items) return [];
  const describe = (what: string, mapped: readonly Mapped[]) =>
    overlaps(mapped).map(([one, other]) => {
      return `volume ${quote(volume.name)} (${what}): overlapping paths: ${shownMapping(one)} with ${shownMapping(other)}`;
    });
  const { configMap, secret, downwardAPI, projected } = volume;
  return [
    ...(configMap ? describe(`ConfigMap ${quote(configMap.name ?? "")}`, paths(configMap.items)) : []),
    ...(secret ? describe(`Secret ${quote(secret.secretName ?? "")}`, paths(secret.items)) : []),
    ...(downwardAPI ? describe("DownwardAPI", paths(downwardAPI.items)) : []),
    ...(projected?.sources ?? [])
      .filter((source) => Object.values(source).every((part) => part === undefined))
      .map(() => `volume ${quote(volume.name)} (Projected) has no sources provided`),
    ...describe(
      "Projected",
      (projected?.sources ?? []).flatMap(({ configMap, secret, downwardAPI, serviceAccountToken: token }) => {
        if (configMap?.items) return paths(configMap.items, `ConfigMap ${quote(configMap.name ?? "")}`);
        if (secret?.items) return paths(secret.items, `Secret ${quote(secret.name ?? "")}`);
        if (downwardAPI?.items) return paths(downwardAPI.items, "DownwardAPI");
        return token ? [{ path: token.path, source: "ServiceAccountToken" }] : [];
      }),
    ),
  ];
}

function overlaps(mapped: readonly Mapped[]): [Mapped, Mapped][] {
  if (mapped.length < 2) return [];
  const trimmed = mapped.map(({ path, source }) => ({ path: (path ?? "").replace(/\/+$/, ""), source }));
  return trimmed.flatMap((one, index) =>
    trimmed
      .slice(0, index)
      .filter(
        (other) => one.path && other.path && (`${one.path}/`.startsWith(`${other.path}/`) || `${other.path}/`.startsWith(`${one.path}/`)),
      )
      .map((other): [Mapped, Mapped] => [one, other]),
  );
}

const repeated = (values: readonly (string | undefined)[], describe: (index: number, value: string) => string): string[] =>
  values.flatMap((value, index) => (values.indexOf(value) < index ? [describe(index, value ?? "")] : []));

function duplicateWarnings(spec: PodSpec, path: string): string[] {
  const secrets = (spec.imagePullSecrets ?? []).map(({ name }) => name);
  return [
    ...repeated(
      (spec.hostAliases ?? []).map(({ ip }) => ip),
      (index, ip) => `${path}.hostAliases[${index}].ip: duplicate ip ${quote(ip)}`,
    ),
    ...repeated(secrets, (index, name) => `${path}.imagePullSecrets[${index}].name: duplicate name ${quote(name)}`),
    ...secrets.flatMap((name, index) => (name ? [] : [`${path}.imagePullSecrets[${index}].name: invalid empty name ""`])),
  ];
}

function profileWarnings(
  spec: PodSpec,
  containers: readonly (readonly [string, Container])[],
  annotations: Readonly<Record<string, string>>,
  path: string,
  isTemplate: boolean,
): string[] {
  const seccomp = 'non-functional in v1.27+; use the "seccompProfile" field instead';
  const appArmor = 'deprecated since v1.30; use the "appArmorProfile" field instead';
  const has = (key: string) => annotations[key] !== undefined;
  return [
    ...(has(seccompAnnotation) && !spec.securityContext?.seccompProfile ? [`${path}[${seccompAnnotation}]: ${seccomp}`] : []),
    ...containers.flatMap(([, { name, securityContext }]) => [
      ...(has(containerSeccompAnnotation + name) && !securityContext?.seccompProfile
        ? [`${path}[${containerSeccompAnnotation}${name}]: ${seccomp}`]
        : []),
      ...(isTemplate && has(appArmorAnnotation + name) && !securityContext?.appArmorProfile && !spec.securityContext?.appArmorProfile
        ? [`${path}[${appArmorAnnotation}${name}]: ${appArmor}`]
        : []),
    ]),
  ];
}

function containerWarnings(container: Container, path: string): string[] {
  const { limits, requests } = container.resources ?? {};
  const seen = new Set<string>();
  return [
    ...["memory", "ephemeral-storage"].flatMap((name) => [
      ...fractionWarning(limits, name, `${path}.resources.limits`),
      ...fractionWarning(requests, name, `${path}.resources.requests`),
    ]),
    ...(container.env ?? []).flatMap(({ name, value = "", valueFrom }, index) => {
      const isRepeated = seen.has(name);
      seen.add(name);
      // A later value may build on an earlier one: PATH=$(PATH):/more.
      const reference = `$(${name})`;
      const buildsOn = !valueFrom && value !== reference && value.includes(reference);
      return isRepeated && !buildsOn
        ? [`${path}.env[${index}]: hides previous definition of ${quote(name)}, which may be dropped when using apply`]
        : [];
    }),
  ];
}

function portWarnings(containers: readonly (readonly [string, Container])[]): string[] {
  const ports = containers.flatMap(([path, container]) =>
    (container.ports ?? []).map((port, index) => [`${path}.ports[${index}]`, port] as const),
  );
  const warnings: string[] = [];
  const names = new Map<string, string>();
  for (const [index, [at, port]] of ports.entries()) {
    const { hostIP = "", hostPort = 0 } = port;
    if (hostIP && hostPort === 0) warnings.push(`${at}: hostIP set without hostPort: ${shownPort(port)}`);
    for (const [otherAt, other] of ports.slice(0, index)) {
      if (other.containerPort !== port.containerPort || other.protocol !== port.protocol) continue;
      const { hostIP: otherIp = "", hostPort: otherPort = 0 } = other;
      if (hostIP === otherIp && hostPort === otherPort) warnings.push(`${at}: duplicate port definition with ${otherAt}`);
      else if (hostPort === 0 || otherPort === 0) warnings.push(`${at}: overlapping port definition with ${otherAt}`);
      else if (hostPort === otherPort && (hostIP === "") !== (otherIp === "")) {
        warnings.push(`${at}: dangerously ambiguous port definition with ${otherAt}`);
      }
    }
  }
  for (const [at, { name }] of ports) {
    const other = name ? names.get(name) : undefined;
    if (name && other === undefined) names.set(name, at);
    if (name && other !== undefined) {
      warnings.push(
        `${at}: duplicate port name ${quote(name)} with ${other}, services and probes that select ports by name will use ${other}`,
      );
    }
  }
  return warnings;
}

const shownPort = ({ name = "", hostPort = 0, containerPort, protocol, hostIP = "" }: ContainerPort): string =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
