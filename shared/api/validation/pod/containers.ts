/** Regular, init and ephemeral containers. */
import type { Container, ContainerPort, EphemeralContainer, PodSpec, Volume } from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { dnsLabelProblems, portNameProblems, portNumberProblems } from "../../names.ts";
import type { Given } from "../given.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, notFoundValue, notSupported, required, tooMany } from "../problems.ts";
import { oneOf } from "../values.ts";
import { validateEnvironment } from "./environment.ts";
import { validateProbesAndHooks } from "./handlers.ts";
import { validateDevices, validateMounts } from "./mounts.ts";
import { validateContainerResources } from "./resources.ts";
import { validateContainerSecurityContext } from "./security-context.ts";

/** What the checks of a container need to know of its Pod. */
export interface ContainerScope {
  readonly spec: PodSpec;
  readonly volumes: ReadonlyMap<string, Volume>;
  /** Names of the Pod's resource claims. */
  readonly claims: ReadonlySet<string>;
}

export const protocols = ["SCTP", "TCP", "UDP"];

function validatePorts(ports: Container["ports"], path: string): Problem[] {
  const names = new Set<string>();
  return eachItem(path, ports, ({ name, containerPort = 0, hostPort = 0, protocol }: Given<ContainerPort>, at) => {
    const problems: Problem[] = [];
    if (name) {
      const wrong = invalidEach(`${at}.name`, name, portNameProblems(name));
      problems.push(...(wrong.length === 0 && names.has(name) ? [duplicate(`${at}.name`, name)] : wrong));
      if (wrong.length === 0) names.add(name);
    }
    if (containerPort === 0) problems.push(required(`${at}.containerPort`));
    else problems.push(...invalidEach(`${at}.containerPort`, containerPort, portNumberProblems(containerPort)));
    if (hostPort !== 0) problems.push(...invalidEach(`${at}.hostPort`, hostPort, portNumberProblems(hostPort)));
    return [...problems, ...oneOf(protocol, protocols, `${at}.protocol`, true)];
  });
}

/** Two containers cannot have one port of the host. */
export function validateHostPorts(containers: readonly Container[] | undefined, path: string): Problem[] {
  const taken = new Set<string>();
  return eachItem(path, containers, ({ ports }, at) =>
    eachItem(`${at}.ports`, ports, ({ protocol, hostIP = "", hostPort = 0 }, portPath) => {
      const id = `${protocol}/${hostIP}/${hostPort}`;
      if (hostPort === 0) return [];
      if (taken.has(id)) return [duplicate(`${portPath}.hostPort`, id)];
      taken.add(id);
      return [];
    }),
  );
}

function validateResizePolicy(policies: Container["resizePolicy"], podPolicy: string | undefined, path: string): Problem[] {
  const seen = new Set<string>();
  return (policies ?? []).flatMap(({ resourceName, restartPolicy }, index) => {
    const problems: Problem[] = [];
    if (seen.has(resourceName)) problems.push(duplicate(`${path}[${index}]`, resourceName));
    seen.add(resourceName);
    problems.push(...oneOf(resourceName, ["cpu", "memory"], path, true));
    problems.push(...oneOf(restartPolicy, ["NotRequired", "RestartContainer"], path, true));
    if (podPolicy === "Never" && restartPolicy !== "NotRequired") {
      problems.push(invalid(path, restartPolicy ?? "", "must be 'NotRequired' when pod `restartPolicy` is 'Never'"));
    }
    return problems;
  });
}

function validateCommon(container: Container | EphemeralContainer, { spec, volumes, claims }: ContainerScope, path: string): Problem[] {
  return [
    ...(container.name ? invalidEach(`${path}.name`, container.name, dnsLabelProblems(container.name)) : [required(`${path}.name`)]),
    ...(container.image ? [] : [required(`${path}.image`)]),
    ...oneOf(container.terminationMessagePolicy, ["File", "FallbackToLogsOnError"], `${path}.terminationMessagePolicy`, true),
    ...validatePorts(container.ports, `${path}.ports`),
    ...validateEnvironment(container, path),
    ...validateMounts(container, volumes, path),
    ...validateDevices(container, volumes, path),
    ...oneOf(container.imagePullPolicy, ["Always", "IfNotPresent", "Never"], `${path}.imagePullPolicy`, true),
    ...validateContainerResources(container.resources, claims, `${path}.resources`),
    ...validateResizePolicy(container.resizePolicy, spec.restartPolicy, `${path}.resizePolicy`),
    ...validateContainerSecurityContext(container.securityContext, spec.hostUsers ?? true, `${path}.securityContext`),
  ];
}

const restartActions = ["Restart", "RestartAllContainers"];

/** @param isInit of init containers no more is said where rules have no policy */
function validateRestart({ restartPolicy, restartPolicyRules: rules }: Container, path: string, isInit: boolean): Problem[] {
  const problems: Problem[] = [];
  if (restartPolicy === undefined) {
    if ((rules ?? []).length > 0) {
      problems.push(required(`${path}.restartPolicy`, "must specify restartPolicy when restart rules are used"));
    }
    if (isInit) return problems;
  } else if (!["Always", "Never", "OnFailure"].includes(restartPolicy)) {
    problems.push(notSupported(`${path}.restartPolicy`, restartPolicy, ["Always", "Never", "OnFailure"]));
  }
  if ((rules ?? []).length > 20) problems.push(tooMany(`${path}.restartPolicyRules`, (rules ?? []).length, 20));
  return [
    ...problems,
    ...eachItem(`${path}.restartPolicyRules`, rules, ({ action, exitCodes }, at) => {
      const own: Problem[] = restartActions.includes(action) ? [] : [notSupported(`${at}.action`, action ?? "", restartActions)];
      if (!exitCodes) return [...own, required(`${at}.exitCodes`, "must be specified")];
      if (exitCodes.operator !== "In" && exitCodes.operator !== "NotIn") {
        own.push(notSupported(`${at}.exitCodes.operator`, exitCodes.operator ?? "", ["In", "NotIn"]));
      }
      const values = (exitCodes.values ?? []).length;
      return values > 255 ? [...own, tooMany(`${at}.exitCodes.values`, values, 255)] : own;
    }),
  ];
}

export function validateContainers(scope: ContainerScope, path: string): Problem[] {
  const { spec } = scope;
  if ((spec.containers ?? []).length === 0) return [required(path)];
  const names = new Set<string>();
  return [
    ...eachItem(path, spec.containers, (container, at) => {
      const twin = names.has(container.name);
      names.add(container.name);
      return [
        ...validateCommon(container, scope, at),
        ...(twin ? [duplicate(`${at}.name`, container.name ?? "")] : []),
        ...validateProbesAndHooks(container, spec.terminationGracePeriodSeconds, at, spec.os),
        ...validateRestart(container, at, false),
      ];
    }),
    ...validateHostPorts(spec.containers, path),
  ];
}

const sidecarOnly = ["lifecycle", "livenessProbe", "readinessProbe", "startupProbe"] as const;

export function validateInitContainers(scope: ContainerScope, path: string): Problem[] {
  const { spec } = scope;
  const names = new Set((spec.containers ?? []).map(({ name }) => name));
  return eachItem(path, spec.initContainers, (container, at) => {
    const isSidecar = container.restartPolicy === "Always";
    const twin = names.has(container.name);
    if (container.name) names.add(container.name);
    return [
      ...validateCommon(container, scope, at),
      ...validateRestart(container, at, true),
      ...(twin ? [duplicate(`${at}.name`, container.name ?? "")] : []),
      // They run one by one, so only a container's own ports can collide.
      ...validateHostPorts([container], path),
      ...(isSidecar
        ? validateProbesAndHooks(container, spec.terminationGracePeriodSeconds, at, spec.os)
        : sidecarOnly
            .filter((field) => container[field] !== undefined)
            .map((field) => forbidden(`${at}.${field}`, "may not be set for init containers without restartPolicy=Always"))),
      ...(isSidecar ? [] : (container.resizePolicy ?? []))
        .entries()
        .filter(([, { restartPolicy }]) => restartPolicy === "RestartContainer")
        .map(([index, { restartPolicy }]) =>
          invalid(
            `${at}.resizePolicy[${index}].restartPolicy`,
            restartPolicy,
            "must not be set to 'RestartContainer' for non-sidecar initContainers",
          ),
        ),
    ];
  });
}

/** Nothing that a Pod would have to count on. */
const notEphemeral = [
  "ports",
  "resources",
  "livenessProbe",
  "readinessProbe",
  "startupProbe",
  "lifecycle",
  "resizePolicy",
  "restartPolicy",
  "restartPolicyRules",
] as const;

const isSet = (value: unknown): boolean =>
  value !== undefined && !(typeof value === "object" && value !== null && Object.keys(value).length === 0);

export function validateEphemeralContainers(scope: ContainerScope, path: string): Problem[] {
  const { spec } = scope;
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name));
  const names = new Set(others);
  return eachItem(path, spec.ephemeralContainers, (container, at) => {
    const target = container.targetContainerName;
    const twin = names.has(container.name);
    names.add(container.name);
    return [
      ...validateCommon(container, scope, at),
      ...validateImageSpaces(container.image, at),
      ...(twin ? [duplicate(`${at}.name`, container.name)] : []),
      ...(target && !others.has(target) ? [notFoundValue(`${at}.targetContainerName`, target)] : []),
      ...notEphemeral
        .filter((field) => isSet(container[field]))
        .map((field) => forbidden(`${at}.${field}`, "cannot be set for an Ephemeral Container")),
      ...eachItem(`${at}.volumeMounts`, container.volumeMounts, (mount, mountPath) =>
        (["subPath", "subPathExpr"] as const)
          .filter((field) => mount[field])
          .map((field) => forbidden(`${mountPath}.${field}`, "cannot be set for an Ephemeral Container")),
      ),
    ];
  });
}

/** Templates may carry an image with spaces around it, as a mark for whoever fills them in; a Pod may not. */
export const validateImageSpaces = (image: string | undefined, path: string): Problem[] =>
  image !== undefined && image !== image.trim() ? [invalid(`${path}.image`, image, "must not have leading or trailing whitespace")] : [];
