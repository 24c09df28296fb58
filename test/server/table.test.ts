import { describe, expect, it } from "vitest";
import { builtinKinds, loadBehaviours } from "../../shared/api/builtin-kinds.ts";
import { since } from "../../shared/api/durations.ts";
import type { AnyObject, Kind } from "../../shared/api/kind.ts";
import { tableFor } from "../../shared/server/table.ts";
import { plainKinds } from "../support/plain-kinds.ts";

await loadBehaviours();

const created = "2026-01-01T00:00:00Z";
const after = (seconds: number) => new Date(Date.parse(created) + seconds * 1_000);

function aConfigMap(): AnyObject {
  return Object.freeze({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: 'the "one"', creationTimestamp: created } }) as AnyObject;
}

/** A kind with columns that count how often they are asked for. */
function counting() {
  const asked = { lasting: 0, aging: 0, odd: 0 };
  const kind = plainKinds({
    configmaps: {
      columns: [
        { name: "Lasting", type: "string", value: () => `${++asked.lasting}` },
        { name: "Aging", type: "string", value: (map, now) => (asked.aging++, since(map.metadata.creationTimestamp, now)) },
        {
          name: "Odd",
          type: "string",
          value: () => {
            asked.odd++;
            throw new Error("this object is odd");
          },
        },
        { name: "Wide", type: "string", priority: 1, value: () => undefined },
      ],
    },
  }).find(({ plural }) => plural === "configmaps") as Kind;
  return { asked, kind };
}

describe("a row", () => {
  const row = (phase: string) => {
    const kind = builtinKinds().find(({ plural, group }) => plural === "pods" && group === "") as Kind;
    const pod = {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "p" },
      spec: { containers: [] },
      status: { phase },
    } as unknown as AnyObject;
    return tableFor(kind, after(0)).row(pod, "None", "v1");
  };

  it("of a Pod that ended says so besides its cells", () => {
    expect(row("Running")).not.toHaveProperty("conditions");
    expect(row("Succeeded")).toMatchObject({
      conditions: [{ type: "Completed", status: "True", reason: "Succeeded", message: "The pod has completed successfully." }],
    });
    expect(row("Failed")).toMatchObject({ conditions: [{ reason: "Failed", message: "The pod failed." }] });
  });
});

describe("cells of a row as JSON", () => {
  it("are those of the row", () => {
    const { kind } = counting();
    const object = aConfigMap();
    expect(JSON.parse(tableFor(kind, after(5)).cellsJson(object))).toEqual(['the "one"', "1", "5s", null, null, "5s"]);
  });

  it("age, and of an object that cannot change nothing else is made again", () => {
    const { asked, kind } = counting();
    const object = aConfigMap();
    tableFor(kind, after(5)).cellsJson(object);
    const before = { ...asked };
    expect(JSON.parse(tableFor(kind, after(6)).cellsJson(object))).toEqual(['the "one"', "1", "6s", null, null, "6s"]);
    expect(asked).toEqual({ ...before, aging: before.aging + 1 });
  });

  it("are made again of an object that somebody may have changed", () => {
    const { kind } = counting();
    const object = { ...aConfigMap(), metadata: { name: "before", creationTimestamp: created } } as AnyObject;
    tableFor(kind, after(5)).cellsJson(object);
    (object.metadata as { name: string }).name = "after";
    expect(JSON.parse(tableFor(kind, after(5)).cellsJson(object))[0]).toBe("after");
  });
});
