/**
 * What happens to pretended containers is read from a rules file (`rules.json` is the shipped set), like kwok's Stages: rules match a
 * container by image, command, labels or role, and each says something about its fate. For each aspect (`pull`, `exit`, …) the first
 * matching rule that mentions it decides; nothing in the code knows an image or a test by name.
 *
 * Defaults, where no rule speaks: the image is there; the process runs until it is told to end and then ends with code 0; probes and
 * health checks succeed as soon as it runs.
 */

import type { ProbeSpec } from "../../../shared/kubelet/probes.ts";
import type { EngineContainer, EngineTask } from "../engine.ts";

/** Regular expressions (case-sensitive, matching anywhere); all that are given must match. */
export interface RuleMatch {
  readonly image?: string;
  /** Matched against entry point and command, joined by spaces. */
  readonly command?: string;
  /** Matched against the values of the container's Docker labels; those of the task's first container count for all of them. */
  readonly labels?: Readonly<Record<string, string>>;
  /** `init`: another container waits for this one to end. */
  readonly role?: "init" | "main";
}

/** When a check succeeds, counted in seconds from the container's start. `afterSeconds` 0 and no `untilSeconds`: always. */
export type CheckOutcome = "always" | "never" | { readonly afterSeconds?: number | string; readonly untilSeconds?: number | string };

/**
 * The fate of a container. Where a number is expected, `"$1"` stands for the first capture of the rule's `command` expression (of
 * `image`, if there is no `command`); error texts may contain `$1` too.
 */
export interface Outcome {
  readonly pull?: "ok" | { readonly error: string };
  readonly start?: "ok" | { readonly error: string };
  readonly exit?: "never" | { readonly afterSeconds: number | string; readonly code: number | string; readonly reason?: string };
  readonly sigterm?: "ignored" | { readonly code: number };
  readonly startup?: CheckOutcome;
  readonly readiness?: CheckOutcome;
  readonly liveness?: CheckOutcome;
  readonly health?: CheckOutcome;
}

export interface Rule {
  /** For people: why this rule is there. */
  readonly name: string;
  readonly match: RuleMatch;
  readonly outcome: Outcome;
}

/** How long the steps of a task take, in milliseconds. */
export interface Timings {
  readonly attachNetworkInterface: number;
  /** The first time a machine needs an image. */
  readonly pull: number;
  readonly pullCached: number;
  readonly start: number;
  /** From SIGTERM to the end of a process that obeys it. */
  readonly stop: number;
  readonly detachNetworkInterface: number;
}

export interface RulesFile {
  readonly timingsMs: Timings;
  readonly rules: readonly Rule[];
}

/** The rules file is not usable; the message says where. */
export class RulesError extends Error {
  override readonly name = "RulesError";
}

/** What a container of the task meets. */
export interface Fate {
  readonly pullError: string | undefined;
  readonly startError: string | undefined;
  readonly exit: { readonly afterSeconds: number; readonly code: number; readonly reason: string | undefined } | undefined;
  readonly sigterm: "ignored" | { readonly code: number };
  /** By check; `[from, until)` in seconds after the start. */
  readonly checks: Readonly<Record<"startup" | "readiness" | "liveness" | "health", readonly [number, number]>>;
}

export interface Rules {
  readonly timings: Timings;
  fate(task: EngineTask, container: EngineContainer): Fate;
  /** Whether a command, run as an exec probe beside a container, would succeed. */
  succeeds(action: Extract<ProbeSpec["action"], { type: "exec" }>, container: EngineContainer): boolean;
}

const timingNames = ["attachNetworkInterface", "pull", "pullCached", "start", "stop", "detachNetworkInterface"] as const;

/**
 * @param own rules that come before the shipped ones
 * @throws {RulesError}
 */
export function compileRules(shipped: RulesFile, own?: Partial<RulesFile>): Rules {
  const timings = { ...shipped.timingsMs, ...own?.timingsMs };
  for (const name of timingNames) {
    if (!Number.isFinite(timings[name]) || timings[name] < 0) throw new RulesError(`timingsMs.${name} must be a number of milliseconds`);
  }
  const rules = [...(own?.rules ?? []), ...shipped.rules].map(compileRule);
  const outcomes = (subject: Subject): readonly Outcome[] => rules.flatMap((rule) => rule(subject) ?? []);
  return {
    timings,
    fate(task, container) {
      const found = outcomes(subjectOf(task, container));
      const first = <K extends keyof Outcome>(aspect: K) => found.find((outcome) => outcome[aspect] !== undefined)?.[aspect];
      const pull = first("pull");
      const start = first("start");
      const exit = first("exit");
      return {
        pullError: typeof pull === "object" ? pull.error : undefined,
        startError: typeof start === "object" ? start.error : undefined,
        exit:
          typeof exit === "object" ? { afterSeconds: Number(exit.afterSeconds), code: Number(exit.code), reason: exit.reason } : undefined,
        sigterm: first("sigterm") ?? { code: 0 },
        checks: {
          startup: span(first("startup")),
          readiness: span(first("readiness")),
          liveness: span(first("liveness")),
          health: span(first("health")),
        },
      };
    },
    succeeds({ command }, container) {
      const exit = outcomes({ image: container.image, command: command.join(" "), labels: {}, role: "main" }).find(
        (outcome) => outcome.exit !== undefined,
      )?.exit;
      return typeof exit !== "object" || Number(exit.code) === 0;
    },
  };
}

interface Subject {
  readonly image: string;
  readonly command: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly role: "init" | "main";
}

function subjectOf(task: EngineTask, container: EngineContainer): Subject {
  const awaited = task.containers.some(({ dependsOn }) =>
    dependsOn?.some(
      ({ containerName, condition }) => containerName === container.name && (condition === "SUCCESS" || condition === "COMPLETE"),
    ),
  );
  return {
    image: container.image,
    command: [...(container.entryPoint ?? []), ...(container.command ?? [])].join(" "),
    labels: { ...task.containers[0]?.dockerLabels, ...container.dockerLabels },
    role: awaited ? "init" : "main",
  };
}

/** @returns the outcome with its captures filled in, or undefined where the rule does not match */
function compileRule(rule: Rule, index: number): (subject: Subject) => Outcome | undefined {
  const where = `rules[${index}] (${rule.name ?? "without a name"})`;
  if (typeof rule.match !== "object" || typeof rule.outcome !== "object") throw new RulesError(`${where} needs match and outcome`);
  const compile = (text: string, member: string) => {
    try {
      return new RegExp(text, "su");
    } catch (error) {
      throw new RulesError(`${where}: match.${member} is not a regular expression`, { cause: error });
    }
  };
  const image = rule.match.image === undefined ? undefined : compile(rule.match.image, "image");
  const command = rule.match.command === undefined ? undefined : compile(rule.match.command, "command");
  const labels = Object.entries(rule.match.labels ?? {}).map(([key, text]) => [key, compile(text, `labels["${key}"]`)] as const);
  return (subject) => {
    if (rule.match.role && rule.match.role !== subject.role) return undefined;
    const imageMatch = image?.exec(subject.image);
    const commandMatch = command?.exec(subject.command);
    if (imageMatch === null || commandMatch === null) return undefined;
    if (!labels.every(([key, expression]) => expression.test(subject.labels[key] ?? ""))) return undefined;
    return fill(rule.outcome, commandMatch ?? imageMatch ?? []);
  };
}

/** Replaces `$1` … `$9` in every text of the outcome. */
function fill<T>(value: T, captures: readonly (string | undefined)[]): T {
  if (typeof value === "string") return value.replace(/\$([1-9])/gu, (_, index: string) => captures[Number(index)] ?? "") as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fill(member, captures)])) as T;
}

const span = (outcome: CheckOutcome | undefined): readonly [number, number] => {
  if (outcome === "never") return [Infinity, Infinity];
  if (outcome === undefined || outcome === "always") return [0, Infinity];
  return [Number(outcome.afterSeconds ?? 0), outcome.untilSeconds === undefined ? Infinity : Number(outcome.untilSeconds)];
};
