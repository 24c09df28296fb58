/**
 * The nine checks of watches that etcd's robustness suite makes (`tests/robustness/validate/watch.go` in etcd-io/etcd), each a pure
 * function of a history. Revisions here belong to one change each, and a watch asks for what comes *after* a revision.
 */
import type { History, Violation, WatchEvent, WatchOperation } from "../history.ts";
import { matches, type Replay, sameObject, show } from "./replay.ts";

/** @returns what is wrong with one watch, in words */
type WatchCheck = (watch: WatchOperation, replay: Replay) => Generator<string>;

const eventsOf = (watch: WatchOperation): readonly WatchEvent[] =>
  watch.responses.flatMap((response) => (response.type === "events" ? response.events : []));

/** Only what was asked for is delivered. */
export const filter: WatchCheck = function* (watch) {
  const { prefix, selector, after } = watch.request;
  for (const { object } of eventsOf(watch)) {
    if (!object.key.startsWith(prefix)) yield `${show(object)} is not under ${JSON.stringify(prefix)}`;
    if (!matches(selector, object.labels)) yield `${show(object)} does not match ${JSON.stringify(selector)}`;
    if (object.revision <= after) yield `${show(object)} is not after ${after}`;
  }
};

/** Revisions never go back. */
export const ordered: WatchCheck = function* (watch) {
  let last = -Infinity;
  for (const { object } of eventsOf(watch)) {
    if (object.revision < last) yield `${show(object)} came after ${last}`;
    last = object.revision;
  }
};

/** No event comes twice. */
export const unique: WatchCheck = function* (watch) {
  const seen = new Set<number>();
  for (const { object } of eventsOf(watch)) {
    if (seen.has(object.revision)) yield `${show(object)} came twice`;
    seen.add(object.revision);
  }
};

/** What belongs to one revision comes in one response. */
export const atomic: WatchCheck = function* (watch) {
  let last: number | undefined;
  for (const response of watch.responses) {
    if (response.type !== "events") continue;
    const first = response.events[0];
    if (first && first.object.revision === last) yield `revision ${last} is divided between two responses`;
    last = response.events.at(-1)?.object.revision ?? last;
  }
};

/** Progress means that everything up to there was delivered, and never goes back. */
export const bookmarkable: WatchCheck = function* (watch) {
  let progress = watch.request.after;
  let event = -Infinity;
  for (const response of watch.responses) {
    if (response.type === "progress") {
      if (response.revision < progress) yield `progress ${response.revision} after progress ${progress}`;
      if (response.revision < event) yield `progress ${response.revision} after event ${event}`;
      progress = response.revision;
      continue;
    }
    for (const { object } of response.events) {
      if (object.revision <= progress) yield `${show(object)} after progress ${progress}`;
      event = Math.max(event, object.revision);
    }
  }
};

/** A watch begins with the first event that was asked for. */
export const resumable: WatchCheck = function* (watch, replay) {
  const [first] = eventsOf(watch);
  if (!first) return;
  const [expected] = replay.eventsBetween(watch.request, watch.request.after, Infinity);
  if (expected?.object.revision !== first.object.revision) {
    yield `the first event after ${watch.request.after} is ${show(expected?.object)}, not ${show(first.object)}`;
  }
};

/** An event is a creation if and only if there was nothing before. */
export const isCreate: WatchCheck = function* (watch, replay) {
  for (const { type, object } of eventsOf(watch)) {
    if (type === "delete") continue;
    const before = replay.objectAt(object.key, object.revision - 1);
    const visible = before !== undefined && matches(watch.request.selector, before.labels);
    if ((type === "create") === visible) yield `${show(object)} is called ${type}, and there was ${show(before)} before`;
  }
};

/** Everything from the first revision asked for to the last one that was seen, or told of as progress, was delivered as it was. */
export const reliable: WatchCheck = function* (watch, replay) {
  const { after } = watch.request;
  const seen = eventsOf(watch);
  const told = watch.responses.flatMap((response) =>
    response.type === "progress" ? [response.revision] : response.events.map(({ object }) => object.revision),
  );
  const last = Math.max(after, ...told);
  const expected = replay.eventsBetween(watch.request, after, last);
  const got = new Map(seen.map((event) => [event.object.revision, event]));
  for (const event of expected) {
    const delivered = got.get(event.object.revision);
    if (!delivered) yield `${event.type} of ${show(event.object)} was not delivered, though ${last} was reached`;
    else if ((delivered.type === "delete") !== (event.type === "delete") || !sameObject(delivered.object, event.object)) {
      yield `${event.type} of ${show(event.object)} was delivered as ${delivered.type} of ${show(delivered.object)} ${delivered.object.body}`;
    }
  }
  const real = new Set(expected.map(({ object }) => object.revision));
  for (const { object } of seen) if (!real.has(object.revision)) yield `${show(object)} never was`;
};

/** The previous state that came along is the one that was there. */
export const prevKv: WatchCheck = function* (watch, replay) {
  for (const { object, previous } of eventsOf(watch)) {
    if (previous === undefined) continue;
    const before = replay.objectAt(object.key, object.revision - 1);
    const visible = before && matches(watch.request.selector, before.labels) ? before : null;
    if (!sameObject(previous, visible)) yield `before ${show(object)} there was ${show(visible)}, not ${show(previous)} ${previous?.body}`;
  }
};

const checks = { filter, ordered, unique, atomic, bookmarkable, resumable, isCreate, reliable, prevKv } as const;

/** All nine, for every watch. */
export function checkWatches({ watches }: Pick<History, "watches">, replay: Replay): Violation[] {
  return watches.flatMap((watch) =>
    Object.entries(checks).flatMap(([name, check]) =>
      [...check(watch, replay)].map((message) => ({
        check: `watch ${name}`,
        message: `${watch.client}, watching ${JSON.stringify(watch.request)}: ${message}`,
      })),
    ),
  );
}
