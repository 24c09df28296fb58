/** Which engine runs the containers. */
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import type { VolumeSource } from "../../shared/kubelet/volumes.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Log } from "../../shared/runtime/log.ts";
import { UserError } from "../user-error.ts";
import { agent } from "./agent/agent.ts";
import type { EngineApi } from "./docker/api.ts";
import { type Found, findEngine } from "./docker/find.ts";
import type { ContainerLogs } from "./docker/log-follower.ts";
import { type DockerRuntime, type DockerRuntimeOptions, dockerRuntime } from "./docker/runtime.ts";
import type { EngineFactory } from "./engine.ts";
import shippedRules from "./simulated/rules.json" with { type: "json" };
import { compileRules, type Rules, RulesError, type RulesFile } from "./simulated/rules.ts";
import { type LineSink, simulatedRuntime } from "./simulated/runtime.ts";

export interface EngineChoice {
  /** What was asked for; the best that is there when absent. */
  readonly engine: "docker" | "simulated" | undefined;
  /** File of rules for the simulated engine that come before the shipped ones. */
  readonly rulesFile: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly lines: LineSink & ContainerLogs;
  readonly volumes: VolumeSource;
  readonly docker: Pick<DockerRuntimeOptions, "owner" | "folder" | "serve" | "ownRegistry">;
}

export interface ChosenEngine {
  readonly factory: EngineFactory;
  /** Where containers really run. */
  readonly docker: DockerRuntime | undefined;
}

/** @throws {UserError} when the engine cannot be had */
export async function chooseEngine(choice: EngineChoice): Promise<ChosenEngine> {
  const { engine, volumes, clock, log } = choice;
  const found: Found | undefined = engine === "simulated" ? undefined : await findEngine({ env: process.env, home: homedir() });
  if (found?.type === "engine") {
    const runtime = await openDocker(found.api, choice);
    return { factory: agent({ runtime, volumes, clock, log }), docker: runtime };
  }
  if (engine === "docker") throw new UserError(whyNoDocker(found ?? { type: "none", looked: [] }));
  const rules = readRules(choice.rulesFile);
  const runtime = simulatedRuntime({ rules, clock, lines: choice.lines });
  // Somebody who has an engine wants to know why it is not used.
  const notice = found?.type === "refused" ? `${whyNoDocker(found)} ${runtime.notice}` : runtime.notice;
  return { factory: agent({ runtime: { ...runtime, notice }, volumes, clock, log }), docker: undefined };
}

function whyNoDocker(found: Exclude<Found, { type: "engine" }>): string {
  if (found.type === "refused") return `The container engine at ${found.address} cannot be used: ${found.why}`;
  return `No container engine was found (looked at ${found.looked.join(", ")}). Start Docker or podman, name its socket in DOCKER_HOST, or use --engine simulated.`;
}

async function openDocker(api: EngineApi, { clock, log, lines, docker }: EngineChoice): Promise<DockerRuntime> {
  try {
    return await dockerRuntime({ ...docker, api, logs: lines, clock, log });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`The container engine at ${api.address} cannot be used: ${why}. Use --engine simulated to do without.`, {
      cause: error,
    });
  }
}

function readRules(file: string | undefined): Rules {
  try {
    const own: Partial<RulesFile> | undefined = file === undefined ? undefined : JSON.parse(readFileSync(file, "utf8"));
    return compileRules(shippedRules as RulesFile, own);
  } catch (error) {
    if (file === undefined) throw error;
    const why =
      error instanceof RulesError || error instanceof SyntaxError
        ? error.message
        : `it cannot be read (${(error as NodeJS.ErrnoException).code})`;
    throw new UserError(`The rules file ${file} is not usable: ${why}`, { cause: error });
  }
}
