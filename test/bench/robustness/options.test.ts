import { describe, expect, it } from "vitest";
import { readOptions } from "../../../bench/robustness/options.ts";

describe("a robustness run's options", () => {
  it("are a duration, a seed and a number of processes", () => {
    expect(readOptions(["--minutes", "0.5", "--seed", "7", "--processes", "3"])).toEqual({ minutes: 0.5, seed: 7, processes: 3 });
  });

  it("have defaults, and a seed of their own each time", () => {
    const { minutes, processes, seed } = readOptions([]);
    expect({ minutes, processes }).toEqual({ minutes: 2, processes: 4 });
    expect(Number.isSafeInteger(seed)).toBe(true);
  });

  it.each([
    ["--minutes", "0"],
    ["--minutes", "two"],
    ["--seed", "x"],
    ["--processes", "1.5"],
    ["--hours", "1"],
  ])("refuse %s %s", (...args) => {
    expect(() => readOptions(args)).toThrow();
  });
});
