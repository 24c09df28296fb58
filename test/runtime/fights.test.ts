import { describe, expect, it } from "vitest";
import { Fights } from "../../shared/runtime/fights.ts";
import { aDeployment } from "../support/workloads.ts";

/** A Deployment of that size, after a write of its own version. */
const sized = (replicas: number, write: number) =>
  aDeployment(replicas, {
    metadata: { resourceVersion: String(write), managedFields: [{ manager: "hpa" }, { manager: "kubectl" }, { manager: "hpa" }] },
  });

describe("an object that changes often", () => {
  it("is left alone when it goes back and forth, each time for longer", () => {
    const fights = new Fights();
    const verdicts = Array.from({ length: 14 }, (_, write) => fights.changed("d", sized(write % 2, write), write));
    expect(verdicts.slice(0, 10).every((verdict) => verdict === undefined)).toBe(true);
    expect(verdicts.slice(10).map((verdict) => verdict?.waitMs)).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(verdicts[10]).toMatchObject({ changes: 11, managers: ["hpa", "kubectl"] });
  });

  it("is never left alone for more than half a minute: it may be a person who changes their mind", () => {
    const fights = new Fights();
    const verdicts = Array.from({ length: 40 }, (_, write) => fights.changed("d", sized(write % 2, write), write));
    expect(verdicts.at(-1)?.waitMs).toBe(30_000);
  });

  it("is not disturbed as long as it gets somewhere: a rollout is no fight", () => {
    const fights = new Fights();
    for (let write = 0; write < 60; write++) expect(fights.changed("d", sized(write, write), write)).toBeUndefined();
  });

  it("is left alone even then, when there is no end to it", () => {
    const fights = new Fights();
    const verdicts = Array.from({ length: 101 }, (_, write) => fights.changed("d", sized(write, write), write));
    expect(verdicts.findIndex((verdict) => verdict !== undefined)).toBe(100);
  });

  it("is remembered across turns for five minutes", () => {
    const fights = new Fights();
    let verdict: unknown;
    for (let write = 0; write < 31; write++) {
      fights.beginTurn(write * 1_000);
      verdict = fights.changed("d", sized(write % 2, write), write * 1_000);
      if (write < 30) expect(verdict).toBeUndefined();
    }
    expect(verdict).toBeDefined();
    fights.beginTurn(1_000_000);
    expect(fights.changed("d", sized(0, 99), 1_000_000)).toBeUndefined();
  });
});
