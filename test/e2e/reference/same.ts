/** Sends what a scenario says to a real kube-apiserver and to Binnacle's API function, and compares what they answer. */
import type { ExpectStatic } from "vitest";
import { systemClock } from "../../../shared/runtime/clock.ts";
import { apiServer } from "../../support/api-server.ts";
import { type ReferenceServer, startReferenceServer } from "../../support/reference-server.ts";
import { type Answer, alike } from "./alike.ts";
import { type Exchange, post, type Step, type Until, type Watch } from "./requests.ts";

type Side = Pick<ReferenceServer, "ask">;

/** One server in one scenario. */
interface Visit {
  readonly side: Side;
  readonly namespace: string;
  /** The bodies that it answered with. */
  readonly earlier: unknown[];
  readonly alike: (answer: Answer) => Answer;
}

interface Visits {
  readonly reference: Visit;
  readonly ours: Visit;
  /** The scenario's own: several may run at the same time. */
  readonly expect: ExpectStatic;
}

export interface Pair {
  /** Runs a scenario in a namespace of its own. The test fails with every answer that differs. */
  compare(steps: readonly Step[], expect: ExpectStatic): Promise<void>;
  /** Runs a scenario whose last answer must differ; fails if an earlier one does, or if the last one does not. */
  compareUntilLast(steps: readonly Step[], expect: ExpectStatic): Promise<void>;
  stop(): Promise<void>;
}

/** How long events and conditions may be on their way: kube-apiserver may be short of processors. */
const patienceMs = 30_000;

export async function startPair(): Promise<Pair> {
  const reference = await startReferenceServer();
  const ours = await apiServer({ clock: systemClock });
  let scenarios = 0;
  const enter = async (expect: ExpectStatic): Promise<Visits> => {
    const namespace = `scenario-${++scenarios}`;
    return { reference: await visit(reference, namespace, expect), ours: await visit(ours, namespace, expect), expect };
  };
  return {
    async compare(steps, expect) {
      const visits = await enter(expect);
      for (const step of steps) await compareStep(visits, step);
    },
    async compareUntilLast(steps, expect) {
      const visits = await enter(expect);
      for (const step of steps.slice(0, -1)) await compareStep(visits, step);
      const last = steps.at(-1);
      if (last?.type !== "exchange") throw new Error("only the answer to a request can be known to differ");
      const { expected, actual } = await exchangeWithBoth(visits, last);
      expect(actual, `${last.method} ${last.path} differs no more`).not.toEqual(expected);
    },
    stop: () => reference.stop(),
  };
}

/** Makes a namespace, and in it what a controller would and Pods need. */
async function visit(side: Side, namespace: string, expect: ExpectStatic): Promise<Visit> {
  const visiting: Visit = { side, namespace, earlier: [], alike: alike() };
  await exchange(visiting, post("/api/v1/namespaces", { metadata: { name: namespace } }));
  const { status } = await exchange(visiting, post("/api/v1/namespaces/{namespace}/serviceaccounts", { metadata: { name: "default" } }));
  expect(status).toBe(201);
  return { side, namespace, earlier: [], alike: alike() };
}

async function compareStep(visits: Visits, step: Step): Promise<void> {
  if (step.type === "exchange") await compareExchange(visits, step);
  else if (step.type === "until") await waitForBoth(visits, step);
  else await compareWatch(visits, step);
}

async function compareExchange(visits: Visits, step: Exchange): Promise<void> {
  const { expected, actual } = await exchangeWithBoth(visits, step);
  visits.expect.soft(actual, describeStep(step)).toEqual(expected);
}

async function exchangeWithBoth(
  { reference, ours }: Visits,
  step: Exchange,
): Promise<{ readonly expected: Answer; readonly actual: Answer }> {
  const [expected, actual] = await Promise.all([exchange(reference, step), exchange(ours, step)]);
  return { expected, actual };
}

async function exchange(visiting: Visit, step: Exchange): Promise<Answer> {
  const response = await send(visiting, step);
  const body = parsed(await response.text());
  visiting.earlier.push(body);
  return visiting.alike({ status: response.status, headers: Object.fromEntries(response.headers), body });
}

function send({ side, namespace, earlier }: Visit, { method, path, headers, body }: Exchange): Promise<Response> {
  const here = (text: string) => text.replaceAll("{namespace}", namespace);
  const value = typeof body === "function" ? body(earlier) : body;
  return side.ask(here(path), {
    method,
    headers: Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, here(header)])),
    ...(value !== undefined && { body: here(typeof value === "string" ? value : JSON.stringify(value)) }),
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function waitForBoth({ reference, ours, expect }: Visits, step: Until): Promise<void> {
  const question: Exchange = { type: "exchange", method: "GET", path: step.path, headers: {} };
  const wait = async (visiting: Visit) => {
    const holds = async () => step.holds(parsed(await (await send(visiting, question)).text()));
    await expect.poll(holds, { timeout: patienceMs, interval: 20, message: `waiting for ${step.path}` }).toBe(true);
  };
  await Promise.all([wait(reference), wait(ours)]);
}

async function compareWatch(visits: Visits, step: Watch): Promise<void> {
  const opened = await Promise.all([openWatch(visits.reference, step), openWatch(visits.ours, step)]);
  for (const exchanged of step.during) await compareExchange(visits, exchanged);
  const [expected, actual] = await Promise.all(opened.map((watching) => watching.events(step.events)));
  visits.expect.soft(actual, describeStep(step)).toEqual(expected);
}

/** Resolves when the server watches, and has told its initial events if it marks their end: what is done from now on comes after them. */
async function openWatch(visiting: Visit, { path, headers }: Watch) {
  const response = await send(visiting, { type: "exchange", method: "GET", path, headers });
  const answer = { status: response.status, headers: Object.fromEntries(response.headers) };
  const reader = (response.body ?? new ReadableStream()).pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const readUntil = async (isEnough: () => boolean) => {
    const timer = setTimeout(() => void reader.cancel(), patienceMs);
    while (!isEnough()) {
      const { done, value } = await reader.read();
      if (done) break;
      text += value;
    }
    clearTimeout(timer);
  };
  if (path.includes("sendInitialEvents=true") && response.ok) await readUntil(() => text.includes(endOfInitialEvents));
  return {
    /** Closes the watch after so many events. @returns those that came in time */
    async events(count: number): Promise<readonly Answer[]> {
      await readUntil(() => eventsIn(text).length >= count);
      await reader.cancel();
      return eventsIn(text).map((line) => visiting.alike({ ...answer, body: parsed(line) }));
    },
  };
}

const endOfInitialEvents = "k8s.io/initial-events-end";

/** Whole lines, without the bookmarks that a server may put between them whenever it likes. */
const eventsIn = (text: string): string[] =>
  text
    .split("\n")
    .slice(0, -1)
    .filter((line) => !line.includes('"type":"BOOKMARK"') || line.includes(endOfInitialEvents));

function describeStep(step: Exchange | Watch): string {
  if (step.type === "watch") return `watch of ${step.path}`;
  const body = step.body === undefined || typeof step.body === "function" ? "" : JSON.stringify(step.body);
  return `${step.method} ${step.path} ${body.length > 200 ? `${body.slice(0, 200)}…` : body}`;
}
