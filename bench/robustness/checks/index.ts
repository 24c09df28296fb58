/** Everything that must be true of a history. */
import type { History, Violation } from "../history.ts";
import { checkLog, checkWrites } from "./log.ts";
import { checkObjects } from "./objects.ts";
import { checkReads } from "./reads.ts";
import { checkRealTime } from "./real-time.ts";
import { Replay } from "./replay.ts";
import { checkWatches } from "./watch.ts";

/** @returns what must not be; empty for a good history */
export function checkHistory(history: History): Violation[] {
  const replay = new Replay(history.log);
  return [
    ...checkLog(replay),
    ...checkWrites(history, replay),
    ...checkReads(history, replay),
    ...checkWatches(history, replay),
    ...checkRealTime(history),
    ...checkObjects(history),
  ];
}
