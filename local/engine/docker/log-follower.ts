/**
 * Carries a container's output from the engine into the log store, each line once: over broken connections, over restarts of the engine
 * and of this process. The store itself says how far it got, so a line and the knowledge of having it cannot come apart.
 */
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { Log } from "../../../shared/runtime/log.ts";
import { sleep } from "../agent/checks.ts";
import type { EngineContainer, EngineTask } from "../engine.ts";
import { type EngineApi, isNotFound, isUnreachable } from "./api.ts";
import { type LogLine, LogLines } from "./log-lines.ts";

/** How far a log got: the time of its last line, and how many lines have that very time. */
export interface LogPosition {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly count: number;
}

/** Where lines are kept. */
export interface ContainerLogs {
  /** Undefined when nothing is kept yet. */
  position(task: EngineTask, container: EngineContainer): LogPosition | undefined;
  append(task: EngineTask, container: EngineContainer, lines: readonly LogLine[]): void;
}

const retryMs = 1_000;
/** Engines take whole seconds, and pieces of one line may have different times: so much is read again, and thrown away. */
const overlapSeconds = 10;

/**
 * Ends when the container's output has ended and is kept, when the container is gone, or with the signal. Never rejects.
 * @param from where an earlier follower got
 */
export async function followLog(options: {
  readonly api: EngineApi;
  readonly id: string;
  readonly terminal: boolean;
  readonly from: LogPosition | undefined;
  readonly append: (lines: readonly LogLine[]) => void;
  readonly isRunning: () => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { api, id, terminal, append, isRunning, clock, log, signal } = options;
  let position = options.from;
  const take = (lines: readonly LogLine[], skip: Skip) => {
    const news = lines.filter((line) => !skip(line));
    if (news.length === 0) return;
    append(news);
    for (const { timestamp } of news) position = { timestamp, count: position?.timestamp === timestamp ? position.count + 1 : 1 };
  };
  while (!signal.aborted) {
    try {
      const since = position ? Math.max(0, Math.floor(position.timestamp / 1_000) - overlapSeconds) : 0;
      const wasRunning = await isRunning();
      // An engine may end a log that it follows as soon as it finds the container ended, lines that were not written yet left out.
      const query = { follow: wasRunning, stdout: true, stderr: true, timestamps: true, since };
      const stream = await api.stream("GET", `/containers/${id}/logs`, { query, signal });
      const lines = new LogLines(terminal);
      const skip = upTo(position);
      for await (const chunk of stream) take(lines.push(chunk), skip);
      // What has no end yet is taken only from a log that is complete: of a container that had ended before it was read.
      if (!wasRunning) {
        take(lines.end(), skip);
        return;
      }
      if (!(await isRunning())) continue;
    } catch (error) {
      if (isNotFound(error)) return;
      // Connections break when an engine or its container ends; everything else is worth a word.
      if (!signal.aborted && !isUnreachable(error)) log.warn("log of a container is interrupted", { container: id, error });
    }
    await sleep(clock, retryMs, signal);
  }
}

type Skip = (line: LogLine) => boolean;

/** Tells the lines that were taken before. */
function upTo(position: LogPosition | undefined): Skip {
  let left = position?.count ?? 0;
  return ({ timestamp }) => {
    if (!position || timestamp > position.timestamp) return false;
    if (timestamp < position.timestamp) return true;
    left -= 1;
    return left >= 0;
  };
}
