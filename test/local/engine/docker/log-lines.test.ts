import { describe, expect, it } from "vitest";
import { LogLines } from "../../../../local/engine/docker/log-lines.ts";
import { frame } from "../../../support/log-frames.ts";

const at = (second: number, fraction = "") => `2026-11-21T00:00:${String(second).padStart(2, "0")}${fraction}Z`;
const ms = (second: number, fraction = 0) => Date.parse(at(second)) + fraction;

describe("a log stream", () => {
  it("is made of frames, one for each line", () => {
    const lines = new LogLines(false);
    expect(lines.push(Buffer.concat([frame(1, `${at(1, ".255481285")} one\n`), frame(2, `${at(2)} two words\n`)]))).toEqual([
      { timestamp: ms(1, 255), message: "one" },
      { timestamp: ms(2), message: "two words" },
    ]);
  });

  it("may come in pieces of any size", () => {
    const lines = new LogLines(false);
    const found = Array.from(Buffer.concat([frame(1, `${at(1)} one\n`), frame(1, `${at(2)} two\n`)])).flatMap((byte) =>
      lines.push(Buffer.of(byte)),
    );
    expect(found.map(({ message }) => message)).toEqual(["one", "two"]);
  });

  it("has long lines in parts, each with a time, between which those of the other stream may stand", () => {
    const lines = new LogLines(false);
    const found = [frame(1, `${at(1)} aaa`), frame(2, `${at(2)} error\n`), frame(1, `${at(3)} bbb\n`)].flatMap((bytes) => [
      ...lines.push(bytes),
    ]);
    expect(found).toEqual([
      { timestamp: ms(2), message: "error" },
      { timestamp: ms(3), message: "aaabbb" },
    ]);
  });

  it("does not break characters that stand on the border of two parts", () => {
    const lines = new LogLines(false);
    const [first, second] = [Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)];
    lines.push(frame(1, Buffer.concat([Buffer.from(`${at(1)} caf`), first])));
    expect(lines.push(frame(1, Buffer.concat([Buffer.from(`${at(1)} `), second, Buffer.from("\n")])))).toMatchObject([{ message: "café" }]);
  });

  it("keeps the order of its lines: time does not go back", () => {
    const lines = new LogLines(false);
    expect(lines.push(Buffer.concat([frame(1, `${at(5)} one\n`), frame(1, `${at(4)} two\n`)])).map(({ timestamp }) => timestamp)).toEqual([
      ms(5),
      ms(5),
    ]);
  });

  it("gives out a line without an end when it has ended itself", () => {
    const lines = new LogLines(false);
    expect(lines.push(frame(1, `${at(1)} no newline`))).toEqual([]);
    expect(lines.end()).toEqual([{ timestamp: ms(1), message: "no newline" }]);
    expect(lines.end()).toEqual([]);
  });

  it("cuts a line that is longer than an event of CloudWatch Logs", () => {
    const lines = new LogLines(false);
    const part = "x".repeat(100_000);
    const found = [1, 2, 3, 4].flatMap((second) => [...lines.push(frame(1, `${at(second)} ${part}`))]);
    found.push(...lines.push(frame(1, `${at(5)} end\n`)));
    expect(found.map(({ message }) => message.length)).toEqual([200_000, 200_003]);
  });

  it("keeps empty lines", () => {
    expect(new LogLines(false).push(frame(1, `${at(1)} \n`))).toEqual([{ timestamp: ms(1), message: "" }]);
  });

  it("has no frames where the container has a terminal", () => {
    const lines = new LogLines(true);
    expect(lines.push(Buffer.from(`${at(1)} one\r\n${at(2)} tw`))).toEqual([{ timestamp: ms(1), message: "one" }]);
    expect(lines.push(Buffer.from("o\r\n"))).toEqual([{ timestamp: ms(2), message: "two" }]);
    lines.push(Buffer.from(`${at(3)} $ `));
    expect(lines.end()).toEqual([{ timestamp: ms(3), message: "$ " }]);
  });
});
