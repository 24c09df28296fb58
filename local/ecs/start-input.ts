/** What StartTask and RunTask have in common: reading and checking how a task is to be started. */
import type { TaskOverride } from "../../shared/kubelet/task-engine.ts";
import type { EngineContainer } from "../engine/engine.ts";
import { booleanMember, type Input, stringMember, stringsMember, structureMember, structuresMember } from "../wire/input.ts";
import { invalidParameter } from "./errors.ts";
import { limits } from "./limits.ts";
import type { Tag, TaskDefinitionRecord } from "./model.ts";
import { readTags } from "./tags.ts";

/** How each task of one call is started. */
export interface StartInput {
  readonly definition: TaskDefinitionRecord["definition"];
  /** With overrides applied. */
  readonly containers: readonly EngineContainer[];
  readonly overrides: TaskOverride;
  readonly startedBy: string | undefined;
  readonly group: string;
  /** Subnet ids; empty outside awsvpc. */
  readonly subnets: readonly string[];
  readonly tags: readonly Tag[];
  readonly enableExecuteCommand: boolean;
}

/** @throws {ServiceError} InvalidParameterException */
export function readStartInput(input: Input, record: TaskDefinitionRecord): StartInput {
  const { definition } = record;
  const startedBy = stringMember(input, "startedBy");
  if (startedBy !== undefined && !new RegExp(`^[A-Za-z0-9/_-]{1,${limits.startedByCharacters}}$`, "u").test(startedBy)) {
    throw invalidParameter(
      startedBy.length > limits.startedByCharacters || startedBy.length === 0
        ? `startedBy length should be between 1 and ${limits.startedByCharacters}`
        : "startedBy contains invalid characters.",
    );
  }
  const overrides = readOverrides(input, definition.containerDefinitions);
  const propagated = stringMember(input, "propagateTags") === "TASK_DEFINITION" ? record.tags : [];
  const own = readTags(input);
  return {
    definition,
    containers: applyOverrides(definition.containerDefinitions, overrides),
    overrides,
    startedBy,
    group: stringMember(input, "group") ?? `family:${definition.family}`,
    subnets: readSubnets(input, definition.networkMode),
    tags: [...propagated.filter(({ key }) => !own.some((tag) => tag.key === key)), ...own],
    enableExecuteCommand: booleanMember(input, "enableExecuteCommand") ?? false,
  };
}

function readSubnets(input: Input, networkMode: string | undefined): readonly string[] {
  const configuration = structureMember(structureMember(input, "networkConfiguration") ?? {}, "awsvpcConfiguration");
  if (networkMode !== "awsvpc") {
    if (configuration) throw invalidParameter("Network Configuration is not valid for the given networkMode of this task definition.");
    return [];
  }
  if (!configuration) throw invalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  const subnets = stringsMember(configuration, "subnets") ?? [];
  if (subnets.length === 0) throw invalidParameter("subnets can not be empty.");
  if (subnets.length > limits.subnets) throw invalidParameter(`subnets can have at most ${limits.subnets} items.`);
  if ((stringsMember(configuration, "securityGroups") ?? []).length > limits.securityGroups) {
    throw invalidParameter(`securityGroups can have at most ${limits.securityGroups} items.`);
  }
  return subnets;
}

function readOverrides(input: Input, containers: readonly EngineContainer[]): TaskOverride {
  const overrides = structureMember(input, "overrides");
  if (!overrides) return { containerOverrides: [] };
  if (JSON.stringify(overrides).length > limits.overridesCharacters) {
    throw invalidParameter(`Container Overrides length must be at most ${limits.overridesCharacters}`);
  }
  for (const override of structuresMember(overrides, "containerOverrides") ?? []) {
    const name = stringMember(override, "name");
    if (!containers.some((container) => container.name === name)) {
      throw invalidParameter(`Override for container named ${name} is not a container in the TaskDefinition.`);
    }
    stringsMember(override, "command");
    structuresMember(override, "environment");
  }
  return { containerOverrides: [], ...overrides };
}

export const applyOverrides = (containers: readonly EngineContainer[], overrides: TaskOverride): readonly EngineContainer[] =>
  containers.map((container) => apply(container, overrides));

function apply(container: EngineContainer, { containerOverrides = [] }: TaskOverride): EngineContainer {
  const override = containerOverrides.find(({ name }) => name === container.name);
  if (!override) return container;
  const { environment = [], ...rest } = override;
  const replaced = new Set(environment.map(({ name }) => name));
  return {
    ...container,
    ...rest,
    environment: [...(container.environment ?? []).filter(({ name }) => !replaced.has(name)), ...environment],
  };
}
