/** Nodes. */
import type { Node } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { nodes } from "../kinds.ts";
import { labelValueProblems, tooManyCharacters } from "../names.ts";
import { copyOf } from "../patch/values.ts";
import { parseNetwork, validateCidr } from "../validation/addresses.ts";
import { validateLabelName } from "../validation/labels.ts";
import { duplicate, eachItem, forbidden, invalid } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { oneOf, validateAmount } from "../validation/values.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { age, text, wide } from "./cells.ts";

function setDefaults(node: Node): void {
  const spec = (node.spec ??= {});
  if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
  else if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
  const status = (node.status ??= {});
  if (status.allocatable === undefined && status.capacity !== undefined) status.allocatable = { ...status.capacity };
  const endpoints = (status.daemonEndpoints ??= {});
  endpoints.kubeletEndpoint ??= { Port: 0 };
  status.nodeInfo = { ...emptyInfo, ...status.nodeInfo };
}

/** What a node says of its system: every field is there, if empty. */
const emptyInfo = {
  machineID: "",
  systemUUID: "",
  bootID: "",
  kernelVersion: "",
  osImage: "",
  containerRuntimeVersion: "",
  kubeletVersion: "",
  kubeProxyVersion: "",
  operatingSystem: "",
  architecture: "",
};

type Taint = NonNullable<NonNullable<Node["spec"]>["taints"]>[number];

function validateTaints(taints: readonly Taint[] | undefined, path: string): Problem[] {
  const seen = new Set<string>();
  return eachItem(path, taints, (taint, at) => {
    const valueProblems = labelValueProblems(taint.value ?? "");
    const id = `${taint.effect} ${taint.key}`;
    const twin = seen.has(id);
    seen.add(id);
    return [
      ...validateLabelName(taint.key ?? "", `${at}.key`),
      ...(valueProblems.length > 0 ? [invalid(`${at}.value`, taint.value, valueProblems.join(";"))] : []),
      ...oneOf(taint.effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"], `${at}.effect`, true),
      ...(twin ? [withDetail(duplicate(at, taint), "taints must be unique by key and effect pair")] : []),
    ];
  });
}

const withDetail = (problem: Problem, detail: string): Problem => ({ ...problem, message: `${problem.message}: ${detail}` });

function validateNetworks(networks: readonly string[] = []): Problem[] {
  const field = "spec.podCIDRs";
  const problems = eachItem(field, networks, (network, at) => validateCidr(network, at));
  if (networks.length < 2) return problems;
  const [first, second] = networks.map((network) => parseNetwork(network)?.family);
  const isPair = networks.length === 2 && first !== second;
  return isPair ? problems : [...problems, invalid(field, networks, "may specify no more than one CIDR for each IP family")];
}

const validateResources = ({ status }: Node): Problem[] =>
  (["capacity", "allocatable"] as const).flatMap((list) =>
    Object.entries(status?.[list] ?? {}).flatMap(([name, amount]) => validateAmount(name, amount, `status.${list}.${name}`)),
  );

const featureName = /^[A-Z][a-zA-Z0-9]*(?:\/[a-zA-Z][a-zA-Z0-9]*)*$/;
const longestFeatureName = 253;

function featureProblem(feature: string): string | undefined {
  const about = `invalid feature name ${JSON.stringify(feature)}`;
  if (feature.length > longestFeatureName) return `${about}: ${tooManyCharacters(longestFeatureName)}`;
  return featureName.test(feature)
    ? undefined
    : `${about}: must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes`;
}

const validateFeatures = ({ status }: Node): Problem[] =>
  (status?.declaredFeatures ?? []).flatMap((feature, index, features) => {
    const at = `status.declaredFeatures[${index}]`;
    const problem = featureProblem(feature);
    const before = features[index - 1];
    return [
      ...(problem === undefined ? [] : [invalid(at, feature, problem)]),
      ...(before === feature ? [duplicate(at, feature)] : []),
      ...(before !== undefined && before > feature ? [invalid(at, feature, "list must be sorted alphabetically")] : []),
    ];
  });

function validateChange(next: Node, previous: Node): Problem[] {
  const problems: Problem[] = [...validateResources(next), ...validateFeatures(next)];
  const seen = new Set<string>();
  for (const [index, address] of (next.status?.addresses ?? []).entries()) {
    const id = `${address.type} ${address.address}`;
    if (seen.has(id)) problems.push(duplicate(`status.addresses[${index}]`, address));
    seen.add(id);
  }
  if ((previous.spec?.podCIDRs ?? []).length > 0 && !semanticallyEqual(next.spec?.podCIDRs, previous.spec?.podCIDRs)) {
    problems.push(forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid'));
  }
  if (previous.spec?.providerID && previous.spec.providerID !== next.spec?.providerID) {
    problems.push(forbidden("spec.providerID", 'node updates may not change providerID except from "" to valid'));
  }
  if ((next.spec?.externalID ?? "") !== (previous.spec?.externalID ?? "")) {
    problems.push(forbidden("spec.externalID", "may not be updated"));
  }
  return problems;
}

function statusCell({ spec, status }: Node): string {
  const ready = status?.conditions?.findLast(({ type }) => type === "Ready");
  const state = ready === undefined ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable ? `${state},SchedulingDisabled` : state;
}

const rolePrefix = "node-role.kubernetes.io/";

function rolesCell({ metadata }: Node): string {
  const roles = Object.entries(metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return [key.slice(rolePrefix.length)];
    return key === "kubernetes.io/role" ? [value] : [];
  });
  return [...new Set(roles.filter(Boolean))].toSorted().join(",") || "<none>";
}

const addressCell =
  (type: string) =>
  ({ status }: Node): string =>
    status?.addresses?.find((address) => address.type === type)?.address ?? "<none>";

function kernelCell({ status }: Node): string {
  const { kernelVersion, architecture } = status?.nodeInfo ?? {};
  return `${kernelVersion || "<unknown>"}${architecture ? ` (${architecture})` : ""}`;
}

export const nodeBehaviour = behaviour(nodes, {
  defaults: setDefaults,
  // A kubelet registers its node together with its status.
  prepareForCreate: ({ spec, status }) => {
    delete spec?.configSource;
    delete status?.config;
  },
  prepareForUpdate: (next, previous) => {
    next.status = copyOf(previous.status ?? {});
    if (!previous.spec?.configSource) delete next.spec?.configSource;
  },
  prepareForStatusUpdate: (next, previous) => {
    next.spec = copyOf(previous.spec ?? {});
    if (!previous.status?.config) delete next.status?.config;
  },
  validate: (node) => [
    ...validateTaints(node.spec?.taints, "metadata.taints"),
    ...validateResources(node),
    ...validateFeatures(node),
    ...validateNetworks(node.spec?.podCIDRs),
  ],
  validateUpdate: validateChange,
  validateStatusUpdate: validateChange,
  warnings: ({ spec }) => [
    ...(spec?.configSource ? ["spec.configSource: the feature is removed"] : []),
    ...(spec?.externalID ? ["spec.externalID: this field is deprecated, and is unused by Kubernetes"] : []),
  ],
  generationFields: noGeneration,
  selectableFields: { "spec.unschedulable": ({ spec }) => String(spec?.unschedulable ?? false) },
  ownAge: true,
  columns: [
    text("Status", statusCell),
    text("Roles", rolesCell),
    age,
    text("Version", ({ status }) => status?.nodeInfo?.kubeletVersion),
    wide(text("Internal-IP", addressCell("InternalIP"))),
    wide(text("External-IP", addressCell("ExternalIP"))),
    wide(text("OS-Image", ({ status }) => status?.nodeInfo?.osImage || "<unknown>")),
    wide(text("Kernel-Version", kernelCell)),
    wide(text("Container-Runtime", ({ status }) => status?.nodeInfo?.containerRuntimeVersion || "<unknown>")),
  ],
});
