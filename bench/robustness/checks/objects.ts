/**
 * Linearizability of each object: creations, updates, deletions and consistent reads of a key are what a single register with a
 * revision would have answered. Objects are independent, so each is checked by itself; what lies across keys is `real-time.ts`.
 */
import type { GetOperation, History, Operation, Violation, WriteOperation } from "../history.ts";
import { linearize, type Model, type TimedStep } from "./linearizability.ts";
import { settle } from "./settle.ts";

/** What stands at a key. A write that nobody knows the outcome of leaves a revision that nobody knows either. */
type Register = { readonly revision: number | undefined; readonly body: string | null } | undefined;

type Step = GetOperation | WriteOperation;

const register: Model<{ readonly object: Register }, Step> = {
  initial: { object: undefined },
  name: ({ object }) => (object ? `${object.revision ?? "?"} ${object.revision === undefined ? object.body : ""}` : "-"),
  step({ object }, step) {
    if (step.type === "get") return afterGet(object, step);
    return afterWrite(object, step);
  },
};

function afterGet(object: Register, { result }: GetOperation) {
  if ("failed" in result) return { object };
  if (!object || !result.object) return object === undefined && result.object === null ? { object } : undefined;
  return is(object, result.object.revision, result.object.body) ? { object: result.object } : undefined;
}

function afterWrite(
  object: Register,
  { type, expected, body, judgedOn, result }: WriteOperation,
): { readonly object: Register } | undefined {
  const meets = type === "create" ? object === undefined : object !== undefined && (expected === null || is(object, expected));
  if (judgedOn !== undefined && result.type !== "unknown" && !(object ? judgedOn !== null && is(object, judgedOn) : judgedOn === null)) {
    return undefined;
  }
  switch (result.type) {
    case "done":
      if (!meets || (object?.revision ?? 0) >= result.revision) return undefined;
      return { object: type === "delete" ? undefined : { revision: result.revision, body: result.body } };
    case "unknown":
      // Where its condition does not hold it changes nothing, which is as if it never was.
      return meets ? { object: type === "delete" ? undefined : { revision: undefined, body } } : undefined;
    case "unchanged":
      return object && is(object, result.revision, result.body) ? { object: { ...object, revision: result.revision } } : undefined;
    case "refused":
      return result.reason === refusal(type, object) && !meets ? { object } : undefined;
    case "busy":
      return { object };
  }
}

const refusal = (type: WriteOperation["type"], object: Register) =>
  type === "create" ? "AlreadyExists" : object === undefined ? "NotFound" : "Conflict";

const is = (object: NonNullable<Register>, revision: number, body?: string): boolean =>
  object.revision === undefined ? body === undefined || object.body === null || object.body === body : object.revision === revision;

const isStep = (operation: Operation): operation is Step =>
  operation.type === "get" ? operation.at === "newest" : operation.type !== "list";

export function checkObjects(history: History): Violation[] {
  const byKey = Map.groupBy(settle(history).filter(isStep), ({ key }) => key);
  return [...byKey].flatMap(([key, steps]) => {
    const timed = steps.map((step): TimedStep<Step> => ({ step, call: step.call, return: step.return ?? Infinity }));
    const result = linearize(register, timed);
    if (result.linearizable) return [];
    const { stuck, state, before } = result;
    const context = before.map(({ step }) => inWords(step)).join("; ");
    const message = `${key}: ${inWords(stuck.step)} fits nowhere; after ${context || "nothing"} there was ${JSON.stringify(state.object ?? null)}`;
    return [{ check: "linearizability", message }];
  });
}

function inWords(step: Step): string {
  const times = `[${step.call}, ${step.return}]`;
  if (step.type === "get") return `${step.client} got ${JSON.stringify(step.result)} ${times}`;
  const on = step.judgedOn === undefined ? "" : ` judged on ${step.judgedOn}`;
  return `${step.client} ${step.type} ${step.request} if ${step.expected}${on}: ${JSON.stringify(step.result)} ${times}`;
}
