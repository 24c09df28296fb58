/** One container of a Pod as a container definition, and what its task's override must add. */
import type { Container, Pod } from "../../api/generated/types.ts";
import { wholeNumber } from "../../api/json.ts";
import { isSidecar } from "../../scheduler/requests.ts";
import type { EngineFeatures } from "../engine-features.ts";
import { hooksLabel } from "../hooks.ts";
import { addressVariablesLabel, pullPolicyLabel, sidecarLabel } from "../pod-tags.ts";
import { probesLabel } from "../probes.ts";
import type { ContainerDefinition, TaskOverride } from "../task-engine.ts";
import { subPathsLabel } from "../volumes.ts";
import { type EnvironmentInput, expandWith, resolveEnvironment, type Variable } from "./environment.ts";
import { translateHooks } from "./hooks.ts";
import { translateProbes } from "./probes.ts";
import { type Findings, NotReadyError } from "./problems.ts";
import type { Reservation } from "./reservations.ts";
import { translateSecurity } from "./security.ts";
import { type TranslatedVolumes, translateMounts } from "./volumes.ts";

export type ContainerOverride = NonNullable<TaskOverride["containerOverrides"]>[number];

export interface ContainerInput extends Pick<EnvironmentInput, "references" | "features" | "hostIp" | "allocatable" | "given"> {
  readonly pod: Pod;
  readonly container: Container;
  readonly field: string;
  readonly init: boolean;
  readonly reservation: Reservation | undefined;
  readonly volumes: TranslatedVolumes;
  readonly logs: { readonly group: string; readonly region: string; readonly streamPrefix: string };
  /** `protocol/port` of the task's other containers: each may stand in the definition once. */
  readonly ports: Set<string>;
}

export interface TranslatedContainer {
  readonly definition: ContainerDefinition;
  readonly override: ContainerOverride | undefined;
}

/** The parts of an image's name, as strict as it takes to tell a typing error. */
const imageName =
  /^(?:[a-zA-Z0-9][a-zA-Z0-9.-]*(?::\d+)?\/|\[[0-9a-fA-F:]+\](?::\d+)?\/)?[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[a-zA-Z][a-zA-Z0-9]*(?:[+._-][a-zA-Z][a-zA-Z0-9]*)*:[0-9a-fA-F]{32,})?$/;

export const isImageName = (image: string): boolean => imageName.test(image);

/** The kubelet's default: without tag or digest, `latest`. */
const isBare = (image: string): boolean => !image.includes("@") && !/:[^/]+$/.test(image);

/** @throws {NotReadyError} naming the container, for what its environment refers to and is not there */
export function translateContainer(input: ContainerInput, findings: Findings): TranslatedContainer {
  try {
    return translate(input, findings);
  } catch (error) {
    if (error instanceof NotReadyError) throw new ContainerNotReadyError(input.container.name, error.message);
    throw error;
  }
}

/** One container's configuration cannot be made (yet). */
export class ContainerNotReadyError extends Error {
  override readonly name = "ContainerNotReadyError";
  readonly container: string;

  constructor(container: string, message: string) {
    super(message);
    this.container = container;
  }
}

function translate(input: ContainerInput, findings: Findings): TranslatedContainer {
  const { pod, container, field, features, init } = input;
  checkContainer(container, field, init, findings);
  const environment = resolveEnvironment(input, findings);
  const named = (scope: Variable["scope"]) =>
    [...environment].filter(([, variable]) => variable.scope === scope).map(([name, { value }]) => ({ name, value }));
  const argv = translateCommand(container, field, environment, findings);
  const { mountPoints, subPaths } = translateMounts(container, field, input.volumes, features, findings);
  const probes = probesOf(container, field, features, findings);
  const hooks = translateHooks(container, field, features, findings);
  const addresses = named("address").map(({ name }) => name);
  const gpus = container.resources?.limits?.["nvidia.com/gpu"];

  const labels = {
    ...(container.imagePullPolicy && { [pullPolicyLabel]: container.imagePullPolicy }),
    ...(probes && { [probesLabel]: JSON.stringify(probes) }),
    ...(hooks && { [hooksLabel]: JSON.stringify(hooks) }),
    ...(Object.keys(subPaths).length > 0 && { [subPathsLabel]: JSON.stringify(subPaths) }),
    ...(addresses.length > 0 && { [addressVariablesLabel]: JSON.stringify(addresses) }),
    ...(init && isSidecar(container) && { [sidecarLabel]: "true" }),
  };
  const image = container.image ?? "";
  const ports = portMappings(input, findings);
  const environmentOfAll = named("template");
  const definition: ContainerDefinition = {
    name: container.name,
    image: isBare(image) ? `${image}:latest` : image,
    essential: !init || (isSidecar(container) && pod.spec.restartPolicy !== "Never" && pod.spec.restartPolicy !== "OnFailure"),
    ...input.reservation,
    ...argv.definition,
    ...(container.workingDir && { workingDirectory: container.workingDir }),
    ...(environmentOfAll.length > 0 && { environment: environmentOfAll }),
    ...(ports.length > 0 && { portMappings: ports }),
    ...(mountPoints.length > 0 && { mountPoints }),
    stopTimeout: stopSeconds(pod),
    ...translateSecurity(pod, container, field, findings),
    ...(gpus && { resourceRequirements: [{ type: "GPU", value: gpus }] }),
    logConfiguration: {
      logDriver: "awslogs",
      options: {
        "awslogs-group": input.logs.group,
        "awslogs-region": input.logs.region,
        "awslogs-stream-prefix": input.logs.streamPrefix,
      },
    },
    ...(container.tty && { pseudoTerminal: true }),
    ...(container.stdin && { interactive: true }),
    ...(Object.keys(labels).length > 0 && { dockerLabels: labels }),
  };
  const own = named("pod");
  const override =
    own.length === 0 && !argv.override
      ? undefined
      : { name: container.name, ...(argv.override && { command: argv.override }), ...(own.length > 0 && { environment: own }) };
  return { definition, override };
}

/** Amazon ECS takes no shorter time between SIGTERM and SIGKILL. */
const minimumStopSeconds = 2;
const defaultStopSeconds = 30;

/** How long the containers of a Pod get to stop. */
export const stopSeconds = (pod: Pod): number =>
  Math.max(minimumStopSeconds, wholeNumber(pod.spec.terminationGracePeriodSeconds ?? defaultStopSeconds));

/** Fields that have no counterpart. */
function checkContainer(container: Container, field: string, init: boolean, findings: Findings): void {
  const { lifecycle, restartPolicy, restartPolicyRules, resources } = container;
  if (lifecycle?.stopSignal) findings.refuse(`${field}.lifecycle.stopSignal`, "containers are stopped with the signal their image names");
  if (restartPolicy !== undefined && !(init && isSidecar(container))) {
    findings.refuse(`${field}.restartPolicy`, "containers of a Pod are restarted together");
  }
  if (restartPolicyRules?.length) findings.refuse(`${field}.restartPolicyRules`, "containers of a Pod are restarted together");
  for (const resource of new Set([...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})])) {
    if (resource.startsWith("hugepages-")) findings.refuse(`${field}.resources.limits[${resource}]`, "huge pages are not supported");
  }
  if (resources?.claims?.length) findings.refuse(`${field}.resources.claims`, "dynamic resources are not supported");
  if (resources?.limits?.cpu) findings.warn(`${field}.resources.limits.cpu`, "CPU is shared by weight, without an upper limit");
  if (resources?.limits?.["ephemeral-storage"]) findings.warn(`${field}.resources.limits[ephemeral-storage]`, "the size is not limited");
  if (container.terminationMessagePolicy === "FallbackToLogsOnError") {
    findings.warn(`${field}.terminationMessagePolicy`, "termination messages are not read");
  }
}

function probesOf(container: Container, field: string, features: EngineFeatures, findings: Findings) {
  if (features.probes) return translateProbes(container, field, findings);
  for (const name of ["startupProbe", "readinessProbe", "livenessProbe"] as const) {
    if (container[name]) findings.refuse(`${field}.${name}`, "nothing stands beside the containers that could run it");
  }
  return undefined;
}

function portMappings({ container, field, ports }: ContainerInput, findings: Findings) {
  const mappings: { containerPort: number; protocol: "tcp" | "udp" }[] = [];
  for (const [index, { containerPort, hostPort, protocol = "TCP" }] of (container.ports ?? []).entries()) {
    const at = `${field}.ports[${index}]`;
    if (hostPort) findings.refuse(`${at}.hostPort`, "Pods have addresses of their own; ports of the machine cannot be mapped");
    if (protocol === "SCTP") {
      findings.refuse(`${at}.protocol`, "SCTP is not supported");
      continue;
    }
    const name = `${protocol}/${containerPort}`;
    if (ports.has(name)) continue;
    ports.add(name);
    mappings.push({ containerPort, protocol: protocol === "UDP" ? "udp" : "tcp" });
  }
  return mappings;
}

const values = (variables: readonly Variable[]) => variables.map(({ value }) => value);
const isOwn = ({ scope }: Variable) => scope === "pod";

/**
 * Command and arguments. An override can replace the command but not the entry point; as a program sees only one list, everything from
 * the first element that differs between Pods moves into the override.
 */
function translateCommand(
  container: Container,
  field: string,
  environment: ReadonlyMap<string, Variable>,
  findings: Findings,
): { readonly definition: Pick<ContainerDefinition, "entryPoint" | "command">; readonly override: readonly string[] | undefined } {
  const resolve = (texts: readonly string[] | undefined, name: string) =>
    (texts ?? []).map((text, index) => {
      const result = expandWith(text, (variable) => environment.get(variable));
      if (result.scope === "address") {
        findings.refuse(`${field}.${name}[${index}]`, "refers to the Pod's address, which is not known before its containers start");
      }
      return result;
    });
  const command = resolve(container.command, "command");
  const args = resolve(container.args, "args");

  const firstOwn = command.findIndex(isOwn);
  if (command.length > 0 && (firstOwn >= 0 || args.some(isOwn))) {
    // The program's own name can only stand in the definition.
    const split = firstOwn < 0 ? command.length : Math.max(1, firstOwn);
    return {
      definition: { entryPoint: values(command.slice(0, split)) },
      override: [...values(command.slice(split)), ...values(args)],
    };
  }
  if (args.some(isOwn)) return { definition: {}, override: values(args) };
  return {
    definition: { ...(command.length > 0 && { entryPoint: values(command) }), ...(args.length > 0 && { command: values(args) }) },
    override: undefined,
  };
}
