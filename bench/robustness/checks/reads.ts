/** Every answer to a read is the state at the revision that it names, whichever revision was asked for. */
import type { AskedFor, GetOperation, History, ListOperation, Operation, ReadOperation, RecordedObject, Violation } from "../history.ts";
import { type Replay, sameObject, show } from "./replay.ts";

const isRead = (operation: Operation): operation is ReadOperation => operation.type === "get" || operation.type === "list";

export function checkReads({ operations }: Pick<History, "operations">, replay: Replay): Violation[] {
  return operations.filter(isRead).flatMap((read) => {
    const found = "failed" in read.result ? failure(read, replay) : [...answer(read, read.result.revision, replay)];
    return found.map((message) => ({ check: "reads", message: `${read.client}, ${inWords(read)}: ${message}` }));
  });
}

function* answer(read: ReadOperation, revision: number, replay: Replay): Generator<string> {
  if (replay.log.end !== undefined && revision > replay.head) yield `revision ${revision} is not in the log`;
  if (revision < replay.log.start) yield `revision ${revision} is from before the log`;
  if (typeof read.at === "object") {
    const wanted = wantedOf(read.at);
    if ("notOlderThan" in read.at ? revision < wanted : revision !== wanted) yield `answered at revision ${revision}`;
  }
  if (read.type === "get") yield* got(read, replay);
  else yield* listed(read, replay);
}

function* got({ key, result }: GetOperation, replay: Replay): Generator<string> {
  if ("failed" in result) return;
  const there = replay.objectAt(key, result.revision);
  if (!sameObject(result.object, there)) yield `got ${show(result.object)}, and at ${result.revision} there was ${show(there)}`;
}

function* listed({ prefix, after, limit, result }: ListOperation, replay: Replay): Generator<string> {
  if ("failed" in result) return;
  const all = replay.stateAt(result.revision, prefix);
  const rest =
    after === undefined ? all : all.slice(all.findLastIndex(({ key }) => Buffer.compare(Buffer.from(key), Buffer.from(after)) <= 0) + 1);
  const page = rest.slice(0, limit);
  yield* differences(result.items, page, result.revision);
  if (result.remaining !== rest.length - page.length) yield `${result.remaining} are said to remain, not ${rest.length - page.length}`;
}

function* differences(got: readonly RecordedObject[], there: readonly RecordedObject[], revision: number): Generator<string> {
  const surplus = got.filter((object) => !there.some((other) => sameObject(object, other)));
  const missing = there.filter((object) => !got.some((other) => sameObject(object, other)));
  if (surplus.length > 0) yield `got ${surplus.map(show).join(", ")}, which was not there at ${revision}`;
  if (missing.length > 0) yield `did not get ${missing.map(show).join(", ")}, which was there at ${revision}`;
  if (surplus.length + missing.length > 0) return;
  if (got.length !== there.length || got.some((object, index) => !sameObject(object, there[index]))) yield "got them in another order";
}

/** Whether a refusal to read was right, as far as the times tell. */
function failure(read: ReadOperation, replay: Replay): readonly string[] {
  const { at, result } = read;
  if (!("failed" in result)) return [];
  if (result.failed === "future") {
    if (typeof at !== "object") return ["a revision was called too large, and none was asked for"];
    const wanted = wantedOf(at);
    const change = replay.log.changes.find(({ object }) => object.revision >= wanted);
    const known = wanted <= replay.log.start || (change?.seenAt !== undefined && change.seenAt < read.call);
    return known ? [`revision ${wanted} was called too large after it was committed`] : [];
  }
  if (result.failed === "compacted") {
    if (typeof at !== "object" || "notOlderThan" in at) return ["called compacted, and no exact revision was asked for"];
    return tooEarly(wantedOf(at), read.return, replay) ? [`revision ${wantedOf(at)} was called compacted too early`] : [];
  }
  return [];
}

/** Whether all that happened after a revision is younger than what must be kept. */
function tooEarly(revision: number, moment: number | null, { log }: Replay): boolean {
  if (log.retentionMs === undefined || moment === null || revision < log.start) return false;
  const next = log.changes.find(({ object }) => object.revision > revision);
  return next === undefined || moment - next.time < log.retentionMs;
}

function wantedOf(at: Exclude<AskedFor, string>): number {
  if ("notOlderThan" in at) return at.notOlderThan;
  return "exactly" in at ? at.exactly : at.asOf;
}

const inWords = (read: ReadOperation): string =>
  `${read.type} of ${JSON.stringify(read.type === "get" ? read.key : read.prefix)} at ${JSON.stringify(read.at)}`;
