/** What a Job's status may say: a finished Job stays finished, and its counters never go back. */
import type { Job } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { duplicate, eachItem, invalid, invalidWhole, quote, required } from "../validation/problems.ts";
import { semanticallyEqual } from "../validation/semantic-equality.ts";
import { nonNegative } from "../validation/values.ts";

type Status = NonNullable<Job["status"]>;

const conditionsField = "status.conditions";
const isTrue = (status: Status, type: string): boolean =>
  status.conditions?.some((condition) => condition.type === type && condition.status === "True") ?? false;
const isFinished = (status: Status): boolean => isTrue(status, "Complete") || isTrue(status, "Failed");

/** `1,3-5,7`: the number of indexes in it, or why it cannot be read. */
export function validateIndexes(text: string, completions: number): { readonly total: number; readonly problem?: string } {
  let [total, last] = [0, -1];
  for (const interval of text === "" ? [] : text.split(",")) {
    const parsed = parseInterval(interval, completions);
    if (typeof parsed === "string") return { total: 0, problem: parsed };
    const [from, to] = parsed;
    if (last >= from) return { total: 0, problem: `non-increasing order, previous: ${last}, current: ${from}` };
    total += to - from + 1;
    last = to;
  }
  return { total };
}

/** The interval's ends, or why it has none. */
function parseInterval(text: string, completions: number): [from: number, to: number] | string {
  const ends = text.split("-");
  if (ends.length > 2) {
    return `the fragment ${quote(text)} violates the requirement that an index interval can have at most two parts separated by '-'`;
  }
  for (const end of ends) {
    if (!/^[0-9]+$/.test(end)) return `cannot convert string to integer for index: ${quote(end)}`;
    if (Number(end) >= completions) return `too large index: ${quote(end)}`;
  }
  const [from = 0, to = from] = ends.map(Number);
  return ends.length === 2 && from >= to ? `non-increasing order, previous: ${from}, current: ${to}` : [from, to];
}

function overlap(completed: string, failed: string, completions: number): number | undefined {
  const intervals = (text: string) =>
    (text === "" ? [] : text.split(","))
      .map((interval) => parseInterval(interval, completions))
      .filter((parsed) => typeof parsed !== "string");
  for (const [from, to] of intervals(completed)) {
    const hit = intervals(failed).find(([start, end]) => from <= end && start <= to);
    if (hit) return Math.max(from, hit[0]);
  }
  return undefined;
}

const together = (a: string, b: string) => () => invalidWhole(conditionsField, `cannot set ${a} and ${b} conditions`);

/** Only what changed is held against the rules: a status that was odd before may still be added to. */
export function validateJobStatus({ spec, status: next = {} }: Job, { status: previous = {} }: Job): Problem[] {
  const changed = (field: keyof Status) => !semanticallyEqual(next[field], previous[field]);
  const turned = (type: string) => isTrue(next, type) !== isTrue(previous, type);
  const finished = isFinished(next);
  const finishedTurned = finished !== isFinished(previous);
  const [complete, failed, target, criteria] = ["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet"].map((type) =>
    isTrue(next, type),
  );
  const completions = spec.completions;
  const isIndexed = spec.completionMode === "Indexed";
  const problems: Problem[] = (["active", "succeeded", "failed", "ready", "terminating"] as const).flatMap((field) =>
    nonNegative(next[field], `status.${field}`),
  );
  const rule = (isBroken: boolean, problem: () => Problem) => {
    if (isBroken) problems.push(problem());
  };
  problems.push(...validateUncounted(next));

  rule((turned("Complete") || turned("Failed")) && !!complete && !!failed, together("Complete=True", "Failed=true"));
  rule((turned("Complete") || turned("FailureTarget")) && !!complete && !!target, together("Complete=True", "FailureTarget=true"));
  if (turned("Complete") || changed("completionTime")) {
    const field = "status.completionTime";
    rule(next.completionTime !== undefined && !complete, () =>
      invalid(field, next.completionTime, "cannot set completionTime when there is no Complete=True condition"),
    );
    rule(next.completionTime === undefined && !!complete, () => required(field, "completionTime is required for Complete jobs"));
  }
  if ((changed("startTime") || changed("completionTime")) && next.startTime && next.completionTime) {
    rule(Date.parse(next.completionTime) < Date.parse(next.startTime), () =>
      invalid("status.completionTime", next.completionTime, "must be equal to or after `startTime`"),
    );
  }
  rule((turned("Failed") || changed("failedIndexes")) && !!failed && !target, () =>
    invalidWhole(conditionsField, "cannot set Failed=True condition without the FailureTarget=true condition"),
  );
  rule((turned("Complete") || turned("SuccessCriteriaMet")) && !!complete && !criteria, () =>
    invalidWhole(conditionsField, "cannot set Complete=True condition without the SuccessCriteriaMet=true condition"),
  );
  rule((finishedTurned || changed("active")) && finished && (next.active ?? 0) > 0, () =>
    invalid("status.active", next.active, "active>0 is invalid for finished job"),
  );
  const neverRuns = spec.suspend === true && completions === 0;
  rule((finishedTurned || changed("startTime")) && !neverRuns && finished && next.startTime === undefined, () =>
    required("status.startTime", "startTime is required for finished job"),
  );
  const uncounted = next.uncountedTerminatedPods;
  const hasUncounted = (uncounted?.failed ?? []).length + (uncounted?.succeeded ?? []).length > 0;
  rule((finishedTurned || changed("uncountedTerminatedPods")) && finished && hasUncounted, () =>
    invalid("status.uncountedTerminatedPods", shownUncounted(next), "must be empty for finished job"),
  );
  if (changed("completedIndexes") && completions !== undefined) {
    const { problem } = validateIndexes(next.completedIndexes ?? "", completions);
    rule(problem !== undefined, () =>
      invalid("status.completedIndexes", next.completedIndexes, `error parsing completedIndexes: ${problem}`),
    );
  }
  if (changed("failedIndexes") && completions !== undefined && spec.backoffLimitPerIndex !== undefined) {
    const { problem } = validateIndexes(next.failedIndexes ?? "", completions);
    rule(problem !== undefined, () => invalid("status.failedIndexes", next.failedIndexes, `error parsing failedIndexes: ${problem}`));
  }
  rule(changed("completedIndexes") && !!next.completedIndexes && !isIndexed, () =>
    invalid("status.completedIndexes", next.completedIndexes, "cannot set non-empty completedIndexes when non-indexed completion mode"),
  );
  rule(changed("failedIndexes") && spec.backoffLimitPerIndex === undefined && next.failedIndexes !== undefined, () =>
    invalid("status.failedIndexes", next.failedIndexes, "cannot set non-null failedIndexes when backoffLimitPerIndex is null"),
  );
  if (changed("failedIndexes") || changed("completedIndexes")) {
    const shared = overlap(next.completedIndexes ?? "", next.failedIndexes ?? "", completions ?? 0);
    rule(shared !== undefined, () =>
      invalid("status.failedIndexes", next.failedIndexes, `failedIndexes and completedIndexes overlap at index: ${shared}`),
    );
  }
  rule((finishedTurned || changed("terminating")) && finished && (next.terminating ?? 0) > 0, () =>
    invalid("status.terminating", next.terminating, "terminating>0 is invalid for finished job"),
  );
  rule((changed("ready") || changed("active")) && (next.ready ?? 0) > (next.active ?? 0), () =>
    invalid("status.ready", next.ready, "cannot set more ready pods than active"),
  );
  rule(!!criteria && !!failed, together("SuccessCriteriaMet=True", "Failed=true"));
  rule(!!criteria && !!target, together("SuccessCriteriaMet=True", "FailureTarget=true"));
  rule(spec.successPolicy !== undefined && !criteria && !!complete, () =>
    invalidWhole(conditionsField, "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True"),
  );
  return [...problems, ...validateHistory({ spec } as Job, next, previous)];
}

/** What cannot be taken back. */
function validateHistory({ spec }: Job, next: Status, previous: Status): Problem[] {
  const problems: Problem[] = [];
  for (const type of ["Failed", "Complete", "FailureTarget"]) {
    if (isTrue(previous, type) && !isTrue(next, type)) {
      problems.push(invalidWhole(conditionsField, `cannot disable the terminal ${type}=True condition`));
    }
  }
  if ((next.failed ?? 0) < (previous.failed ?? 0)) {
    problems.push(invalid("status.failed", next.failed ?? 0, "cannot decrease the failed counter"));
  }
  // An indexed Job that shrinks loses completions.
  const mayShrink = spec.completionMode === "Indexed" && spec.completions === spec.parallelism;
  if (!mayShrink && (next.succeeded ?? 0) < (previous.succeeded ?? 0)) {
    problems.push(invalid("status.succeeded", next.succeeded ?? 0, "cannot decrease the succeeded counter"));
  }
  if (next.completionTime && previous.completionTime && next.completionTime !== previous.completionTime) {
    problems.push(invalid("status.completionTime", next.completionTime, "field is immutable"));
  }
  const resumes = isTrue(previous, "Suspended") && next.conditions?.some(({ type, status }) => type === "Suspended" && status === "False");
  if (previous.startTime && next.startTime !== previous.startTime && !resumes && !spec.suspend) {
    problems.push(invalid("status.startTime", next.startTime, "field is immutable for unsuspended job once set"));
  }
  if (isTrue(previous, "SuccessCriteriaMet") && !isTrue(next, "SuccessCriteriaMet")) {
    problems.push(invalidWhole(conditionsField, "cannot disable the SuccessCriteriaMet=True condition"));
  }
  if (isTrue(previous, "Complete") && !isTrue(previous, "SuccessCriteriaMet") && isTrue(next, "SuccessCriteriaMet")) {
    problems.push(invalidWhole(conditionsField, "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions"));
  }
  return problems;
}

const shownUncounted = ({ uncountedTerminatedPods: pods }: Status) => ({
  Succeeded: pods?.succeeded ?? null,
  Failed: pods?.failed ?? null,
});

function validateUncounted({ uncountedTerminatedPods: pods }: Status): Problem[] {
  const seen = new Set<string>();
  return (["succeeded", "failed"] as const).flatMap((list) =>
    eachItem(`status.uncountedTerminatedPods.${list}`, pods?.[list], (uid, at) => {
      if (uid === "") return [invalid(at, uid, "must not be empty")];
      if (seen.has(uid)) return [duplicate(at, uid)];
      seen.add(uid);
      return [];
    }),
  );
}
