import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as kinds from "../../shared/api/kinds.ts";
import { conflict } from "../../shared/errors/status-error.ts";
import { kubeletWorld } from "../support/kubelet-world.ts";

type World = ReturnType<typeof kubeletWorld>;

/** What can happen between two looks. */
const happenings: Record<string, (world: World) => void | Promise<void>> = {
  "the process dies": (world) => world.crash(),
  "the answer of a start is lost": (world) => world.engine.failNext("startTask", new Error("socket hang up"), { done: true }),
  "a start never arrives": (world) => world.engine.failNext("startTask", new Error("connection refused")),
  "a stop never arrives": (world) => world.engine.failNext("stopTask", new Error("connection refused")),
  "a description fails": (world) => world.engine.failNext("describeTasks", new Error("timeout")),
  "there is no room": (world) => world.engine.refuseNext("RESOURCE:CPU"),
  "a status write loses its race": (world) => {
    let lost = false;
    world.api.intercept(({ verb, kind, key }) => {
      if (lost || verb !== "update/status") return;
      lost = true;
      throw conflict(kind, key.name, "the object has been modified");
    });
  },
  "events are lost": (world) => {
    const deliver = world.engine.onChange;
    world.engine.onChange = () => {
      world.engine.onChange = deliver;
    };
  },
  "tasks run": (world) => everyTask(world, (uid) => world.engine.run(uid)),
  "tasks fail": (world) => everyTask(world, (uid) => world.engine.stop(uid, { app: 1 })),
  "images cannot be pulled": (world) => everyTask(world, (uid) => world.engine.stop(uid, { app: "CannotPullContainerError: no" })),
  "a Pod is deleted": (world) => remove(world, undefined),
  "a Pod is deleted by force": (world) => remove(world, 0),
  "a sweep comes": (world) => world.run({ sweep: true }),
  "a minute passes": (world) => world.after(60_000),
};

function everyTask(world: World, act: (uid: string) => unknown): void {
  for (const { startedBy = "", lastStatus } of world.engine.tasks.values()) {
    if (lastStatus !== "STOPPED" && world.engine.taskOf(startedBy).lastStatus !== "STOPPED") act(startedBy);
  }
}

async function remove(world: World, gracePeriodSeconds: number | undefined): Promise<void> {
  const [pod] = world.api.all(kinds.pods);
  if (!pod) return;
  const { namespace = "", name } = pod.metadata;
  await world.api.client.delete(kinds.pods, { namespace, name }, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds });
}

const wanted = (world: World) => [...world.engine.tasks.values()].filter(({ desiredStatus }) => desiredStatus === "RUNNING");

describe("whatever happens", () => {
  it("a Pod never has two tasks, and in the end every Pod has one and nobody else has", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...Object.keys(happenings)), { maxLength: 14 }), async (story) => {
        const world = kubeletWorld();
        await world.node();
        for (const name of ["a", "b"]) await world.pod({ name });
        for (const happening of ["", ...story]) {
          await happenings[happening]?.(world);
          await world.run();
          const uids = wanted(world).map(({ startedBy }) => startedBy);
          expect(new Set(uids).size, `two tasks of one Pod after: ${happening}`).toBe(uids.length);
        }
        // Then nothing bad happens any more, and time passes.
        world.api.intercept(() => {});
        for (let round = 0; round < 12; round++) {
          for (const { startedBy = "", lastStatus, desiredStatus } of world.engine.tasks.values()) {
            if (lastStatus === "STOPPED") continue;
            if (desiredStatus === "RUNNING") world.engine.run(startedBy);
            else world.engine.stop(startedBy, { app: 143 });
          }
          await world.after(300_000);
          await world.run({ sweep: true });
        }
        const pods = world.api.all(kinds.pods);
        expect(pods.filter(({ metadata }) => metadata.deletionTimestamp !== undefined)).toEqual([]);
        const alive = pods.filter(({ status }) => status?.phase !== "Failed" && status?.phase !== "Succeeded");
        expect(alive.map(({ status }) => status?.phase)).toEqual(alive.map(() => "Running"));
        expect(new Set(wanted(world).map(({ startedBy }) => startedBy))).toEqual(new Set(alive.map(({ metadata }) => metadata.uid)));
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
