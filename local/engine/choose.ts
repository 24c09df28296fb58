/** Which engine runs the containers. */
import { readFileSync } from "node:fs";
import type { VolumeSource } from "../../shared/kubelet/volumes.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Log } from "../../shared/runtime/log.ts";
import { UserError } from "../user-error.ts";
import { agent } from "./agent/agent.ts";
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
  readonly lines: LineSink;
  readonly volumes: VolumeSource;
}

/** @throws {UserError} when the engine cannot be had */
export function chooseEngine({ engine, rulesFile, clock, log, lines, volumes }: EngineChoice): EngineFactory {
  if (engine === "docker")
    throw new UserError("This version has no docker engine yet. Start it with --engine simulated, or without --engine.");
  return agent({ runtime: simulatedRuntime({ rules: readRules(rulesFile), clock, lines }), volumes, clock, log });
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
