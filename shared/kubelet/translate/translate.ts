/**
 * From a Pod to the task that runs it. Pure. Pods of one template share a task definition (Amazon ECS registers one a second); what is
 * a Pod's own goes into the overrides of its task. What cannot be honoured is named by field, never left out silently.
 */
import { createHash } from "node:crypto";
import type { Container, Node, Pod } from "../../api/generated/types.ts";
import { isSidecar } from "../../scheduler/requests.ts";
import type { EngineFeatures } from "../engine-features.ts";
import { logStreamPrefix } from "../log-streams.ts";
import {
  deploymentTag,
  dnsLabel,
  endsWithLabel,
  hostAliasesLabel,
  hostnameLabel,
  restartPolicyLabel,
  subdomainLabel,
} from "../pod-tags.ts";
import type { ContainerDefinition, TaskDefinitionInput, TaskOverride } from "../task-engine.ts";
import { volumesLabel } from "../volumes.ts";
import type { Claims } from "./claims.ts";
import { type ContainerInput, ContainerNotReadyError, isImageName, translateContainer } from "./containers.ts";
import type { References } from "./environment.ts";
import { type FieldProblem, Findings, NotReadyError } from "./problems.ts";
import { reservations } from "./reservations.ts";
import { checkPodSecurity } from "./security.ts";
import { translateVolumes } from "./volumes.ts";

export interface TranslationInput {
  readonly pod: Pod;
  /** Where the Pod will stand. */
  readonly node: {
    readonly metadata: Node["metadata"];
    readonly internalIp: string | undefined;
    readonly allocatable: Readonly<Record<string, string>>;
  };
  readonly references: References & Claims;
  readonly features: EngineFeatures;
  readonly deployment: {
    readonly name: string;
    readonly region: string;
    readonly podLogGroup: string;
    readonly executionRoleArn: string | undefined;
    readonly podRoleArn: string | undefined;
  };
  /** Variables that every container gets unless it sets them. */
  readonly given: Readonly<Record<string, string>>;
}

export type Translation =
  | {
      readonly type: "task";
      /** `family` ends with the hash of everything else. */
      readonly definition: TaskDefinitionInput;
      readonly overrides: TaskOverride | undefined;
      /** Fields that are honoured only in part. */
      readonly warnings: readonly FieldProblem[];
    }
  /** The Pod asks for what cannot be done. */
  | { readonly type: "refused"; readonly problems: readonly FieldProblem[] }
  /** One container cannot be made (yet). */
  | {
      readonly type: "notReady";
      readonly container: string;
      readonly reason: "CreateContainerConfigError" | "InvalidImageName";
      readonly message: string;
    };

/** Limits of Amazon ECS. @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html */
const maxContainers = 10;
const maxDefinitionBytes = 64 * 1024;
const maxOverrideCharacters = 8_192;

export function translatePod(input: TranslationInput): Translation {
  const { pod } = input;
  const findings = new Findings();
  const init = pod.spec.initContainers ?? [];
  for (const { name, image } of [...init, ...pod.spec.containers]) {
    if (!isImageName(image ?? "")) {
      const message = `Failed to apply default image tag "${image}": couldn't parse image name "${image}": invalid reference format`;
      return { type: "notReady", container: name, reason: "InvalidImageName", message };
    }
  }
  let translated: TranslatedPod;
  try {
    translated = translateAll(input, findings);
  } catch (error) {
    if (error instanceof NotReadyError) {
      const container = pod.spec.containers[0]?.name ?? "";
      return { type: "notReady", container, reason: "CreateContainerConfigError", message: error.message };
    }
    if (!(error instanceof ContainerNotReadyError)) throw error;
    return { type: "notReady", container: error.container, reason: "CreateContainerConfigError", message: error.message };
  }
  const { definition, overrides } = translated;
  const bytes = Buffer.byteLength(JSON.stringify(definition));
  if (bytes > maxDefinitionBytes) findings.refuse("spec", `its task definition has ${bytes} bytes; Amazon ECS takes ${maxDefinitionBytes}`);
  const characters = overrides ? JSON.stringify(overrides).length : 0;
  if (characters > maxOverrideCharacters) {
    const what = "values of the environment and arguments that are this Pod's own";
    findings.refuse("spec.containers", `${what} take ${characters} characters; Amazon ECS takes ${maxOverrideCharacters}`);
  }
  if (findings.refused.length > 0) return { type: "refused", problems: findings.refused };
  return { type: "task", definition, overrides, warnings: findings.warned };
}

interface TranslatedPod {
  readonly definition: TaskDefinitionInput;
  readonly overrides: TaskOverride | undefined;
}

function translateAll(input: TranslationInput, findings: Findings): TranslatedPod {
  const { pod, features, deployment } = input;
  const init = pod.spec.initContainers ?? [];
  checkPod(pod, features, findings);
  checkPodSecurity(pod, findings);
  if (init.length + pod.spec.containers.length > maxContainers) {
    findings.refuse("spec.containers", `Amazon ECS runs at most ${maxContainers} containers in a task, init containers included`);
  }
  const volumes = translateVolumes(pod, input.node, input.references, features, findings);
  const reserved = reservations(pod);
  const ports = new Set<string>();
  const translate = (container: Container, field: string, isInit: boolean) => {
    const containerInput: ContainerInput = {
      pod,
      container,
      field,
      init: isInit,
      reservation: reserved.get(container.name),
      volumes,
      references: input.references,
      features,
      hostIp: input.node.internalIp,
      allocatable: input.node.allocatable,
      given: input.given,
      ports,
      logs: { group: deployment.podLogGroup, region: deployment.region, streamPrefix: logStreamPrefix },
    };
    return translateContainer(containerInput, findings);
  };
  const all = [
    ...init.map((container, index) => translate(container, `spec.initContainers[${index}]`, true)),
    ...pod.spec.containers.map((container, index) => translate(container, `spec.containers[${index}]`, false)),
  ];

  const labels = {
    ...(volumes.filled.length > 0 && { [volumesLabel]: JSON.stringify(volumes.filled) }),
    ...(endsWithAll(pod) && { [endsWithLabel]: "all" }),
    ...(comesToAnEnd(pod) && { [restartPolicyLabel]: pod.spec.restartPolicy ?? "" }),
    ...(features.hostnames && hostLabels(pod)),
    ...(features.resolvers && dnsLabels(pod)),
  };
  const ordered = inOrder(
    pod,
    all.map(({ definition }) => definition),
  );
  const [first, ...others] = ordered;
  const containerDefinitions =
    first && Object.keys(labels).length > 0 ? [{ ...first, dockerLabels: { ...first.dockerLabels, ...labels } }, ...others] : ordered;

  const base: Omit<TaskDefinitionInput, "family"> = {
    networkMode: "awsvpc",
    requiresCompatibilities: ["EC2"],
    containerDefinitions,
    ...(volumes.volumes.length > 0 && { volumes: volumes.volumes }),
    ...(pod.spec.shareProcessNamespace && { pidMode: "task" as const }),
    ...(deployment.podRoleArn && { taskRoleArn: deployment.podRoleArn }),
    ...(deployment.executionRoleArn && { executionRoleArn: deployment.executionRoleArn }),
    tags: [{ key: deploymentTag, value: deployment.name }],
  };
  const containerOverrides = all.flatMap(({ override }) => (override ? [override] : []));
  return {
    definition: { family: `binnacle-${deployment.name}-${templateHash(base)}`, ...base },
    overrides: containerOverrides.length > 0 ? { containerOverrides } : undefined,
  };
}

/** A host name that is the Pod's own name is left away: it would give every Pod of a StatefulSet a definition of its own. */
const hostLabels = ({ metadata, spec: { hostname, subdomain, hostAliases } }: Pod): Record<string, string> => ({
  ...(hostname && hostname !== metadata.name && { [hostnameLabel]: hostname }),
  ...(subdomain && { [subdomainLabel]: subdomain }),
  ...(hostAliases?.length && {
    [hostAliasesLabel]: JSON.stringify(hostAliases.map(({ ip, hostnames = [] }) => ({ ip, hostnames }))),
  }),
});

const dnsLabels = ({ spec: { dnsPolicy, dnsConfig } }: Pod): Record<string, string> => {
  const isUsual = dnsPolicy === undefined || dnsPolicy === "ClusterFirst" || dnsPolicy === "ClusterFirstWithHostNet";
  return isUsual && !dnsConfig ? {} : { [dnsLabel]: JSON.stringify({ ...(!isUsual && { policy: dnsPolicy }), ...dnsConfig }) };
};

/** 96 bits of SHA-256, in hex: definitions are made in a fixed order of keys, so equal templates have equal text. */
const templateHash = (definition: object): string => createHash("sha256").update(JSON.stringify(definition)).digest("hex").slice(0, 24);

const comesToAnEnd = (pod: Pod): boolean => pod.spec.restartPolicy === "Never" || pod.spec.restartPolicy === "OnFailure";

/** A Pod that is not restarted as a whole, and whose containers may end one by one. */
const endsWithAll = (pod: Pod): boolean => comesToAnEnd(pod) && pod.spec.containers.length > 1;

/** What those after a container wait for. */
const condition = (container: Container) => (isSidecar(container) ? ("START" as const) : ("SUCCESS" as const));

/**
 * Init containers one after the other, then everything else. Depending on the sidecars also makes them stop last: Amazon ECS stops
 * in the reverse order.
 */
function inOrder(pod: Pod, definitions: readonly ContainerDefinition[]): ContainerDefinition[] {
  const init = pod.spec.initContainers ?? [];
  const last = init.at(-1);
  const beforeMain = init
    .filter((container) => container === last || isSidecar(container))
    .map((container) => ({ containerName: container.name, condition: condition(container) }));
  return definitions.map((definition, index) => {
    const before = index > 0 ? init[index - 1] : undefined;
    const dependsOn = index >= init.length ? beforeMain : before ? [{ containerName: before.name, condition: condition(before) }] : [];
    return dependsOn.length > 0 ? { ...definition, dependsOn } : definition;
  });
}

/** Fields of the Pod that have no counterpart. */
function checkPod(pod: Pod, features: EngineFeatures, findings: Findings): void {
  const { spec } = pod;
  if (spec.hostAliases?.length && !features.hostnames) {
    findings.refuse("spec.hostAliases", "tasks with addresses of their own cannot have entries in /etc/hosts");
  }
  if (spec.runtimeClassName) findings.refuse("spec.runtimeClassName", "there is only one container runtime");
  if (spec.resourceClaims?.length) findings.refuse("spec.resourceClaims", "dynamic resources are not supported");
  if (spec.os?.name && spec.os.name !== "linux") findings.refuse("spec.os.name", "only linux is supported");
  if (spec.hostname && !features.hostnames) findings.warn("spec.hostname", "tasks with addresses of their own have no host name");
  if (spec.setHostnameAsFQDN) findings.refuse("spec.setHostnameAsFQDN", "host names have no domain");
  if (!features.resolvers) {
    if (spec.dnsConfig) findings.warn("spec.dnsConfig", "names are resolved as the network's own settings say");
    if (spec.dnsPolicy === "None") findings.refuse("spec.dnsPolicy", "None is not supported");
  }
  if (spec.imagePullSecrets?.length) findings.warn("spec.imagePullSecrets", "images are pulled with the machine's own credentials");
  if (spec.ephemeralContainers?.length) findings.warn("spec.ephemeralContainers", "containers cannot be added to a running task");
  if (endsWithAll(pod) && !features.endsWithAll) {
    const why = `with restartPolicy ${spec.restartPolicy} the task would end with the first of its containers`;
    findings.refuse("spec.containers", `${why}; give all but one of them as initContainers with restartPolicy Always`);
  }
  for (const [index, container] of (spec.initContainers ?? []).entries()) {
    if (isSidecar(container) && container.startupProbe) {
      findings.warn(
        `spec.initContainers[${index}].startupProbe`,
        "the next containers start when this one has started, before its probe succeeds",
      );
    }
  }
}
