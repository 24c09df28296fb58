import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { ApiError, type EngineApi } from "../../../../local/engine/docker/api.ts";
import { followLog, type LogPosition } from "../../../../local/engine/docker/log-follower.ts";
import type { LogLine } from "../../../../local/engine/docker/log-lines.ts";
import { silentLog } from "../../../../shared/runtime/log.ts";
import { fakeClock } from "../../../support/fake-clock.ts";
import { frame } from "../../../support/log-frames.ts";

const second = (number: number) => `2026-11-21T00:00:${String(number).padStart(2, "0")}Z`;

/**
 * A container with a log: what each request for it gets, one after the other. The container has ended once the last one was sent.
 * @param answers lines with their second, or an error
 */
function container(answers: readonly (readonly (readonly [second: number, text: string])[] | Error)[]) {
  const asked: unknown[] = [];
  let sent = 0;
  const api = {
    async stream(_method: string, _path: string, options: { readonly query: { readonly since: number; readonly follow: boolean } }) {
      asked.push(options.query.since);
      // A log that has ended stays as it is.
      const answer = answers[Math.min(sent, answers.length - 1)];
      sent += 1;
      if (answer instanceof Error) throw answer;
      // Whoever follows a log is told of its end before the last line is written.
      const shown = options.query.follow && sent >= answers.length ? answer?.slice(0, -1) : answer;
      return Readable.from((shown ?? []).map(([at, text]) => frame(1, `${second(at)} ${text}`))) as unknown as IncomingMessage;
    },
  } as unknown as EngineApi;
  return { api, asked, isRunning: async () => sent < answers.length };
}

async function follow(
  answers: Parameters<typeof container>[0],
  from?: LogPosition,
): Promise<{ readonly lines: readonly string[]; readonly asked: readonly unknown[] }> {
  const { api, asked, isRunning } = container(answers);
  const clock = fakeClock();
  const kept: LogLine[] = [];
  const done = followLog({
    api,
    id: "c0ffee",
    terminal: false,
    from,
    append: (lines) => kept.push(...lines),
    isRunning,
    clock,
    log: silentLog,
    signal: new AbortController().signal,
  });
  const over = new AbortController();
  const ended = done.finally(() => over.abort());
  while (!over.signal.aborted) await clock.advance(1_000);
  await ended;
  return { lines: kept.map(({ message }) => message), asked };
}

const position = (at: number, count: number): LogPosition => ({ timestamp: Date.parse(second(at)), count });
const cutOff = new ApiError("socket hang up");

describe("following a container's log", () => {
  it("takes every line, and ends with the container", async () => {
    const lines = [
      [1, "one\n"],
      [2, "two\n"],
    ] as const;
    expect((await follow([lines])).lines).toEqual(["one", "two"]);
  });

  it("goes on where it was when the connection breaks, without a line twice", async () => {
    const first = [
      [10, "a\n"],
      [10, "b\n"],
    ] as const;
    // Times are in seconds only: lines of the same second come again.
    const { lines, asked } = await follow([first, cutOff, [...first, [10, "c\n"], [11, "d\n"]]]);
    expect(lines).toEqual(["a", "b", "c", "d"]);
    const at = (number: number) => Date.parse(second(number)) / 1_000;
    // From a while before the last line; at the end once more, to be sure.
    expect(asked).toEqual([0, at(0), at(0), at(0)]);
  });

  it("goes on where an earlier process was", async () => {
    const lines = [
      [9, "old\n"],
      [10, "a\n"],
      [10, "a\n"],
      [10, "a\n"],
      [11, "new\n"],
    ] as const;
    expect((await follow([lines], position(10, 2))).lines).toEqual(["a", "new"]);
  });

  it("takes a line without an end only when nothing can follow it any more", async () => {
    const { lines } = await follow([
      [[1, "unfinished"]],
      [
        [1, "unfinished"],
        [1, " business"],
      ],
    ]);
    expect(lines).toEqual(["unfinished business"]);
  });

  it("ends when the container is gone", async () => {
    expect((await follow([[[1, "one\n"]], new ApiError("no such container", 404), [[2, "two\n"]]])).lines).toEqual(["one"]);
  });
});
