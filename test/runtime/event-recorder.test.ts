import { describe, expect, it } from "vitest";
import { events, nodes } from "../../shared/api/kinds.ts";
import { forbidden } from "../../shared/errors/status-error.ts";
import { createEventRecorder } from "../../shared/runtime/event-recorder.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { fakeApi } from "../support/fake-api.ts";
import { fakeClock } from "../support/fake-clock.ts";
import { aDeployment, meta } from "../support/workloads.ts";

function world() {
  const clock = fakeClock();
  const api = fakeApi(clock);
  return { clock, api, recorder: () => createEventRecorder({ client: api.client, clock, log: silentLog }) };
}

describe("an event", () => {
  it("has the shape that kubectl describe shows", async () => {
    const { api, recorder } = world();
    const recording = recorder();
    recording.record("deployment-controller", aDeployment(), "Normal", "ScalingReplicaSet", "Scaled up");
    await recording.flush();
    expect(api.all(events)).toMatchObject([
      {
        metadata: { name: expect.stringMatching(/^web\.[0-9a-f]{16}$/), namespace: "default" },
        involvedObject: {
          apiVersion: "apps/v1",
          kind: "Deployment",
          name: "web",
          namespace: "default",
          uid: "uid-of-web",
          resourceVersion: "1000",
        },
        type: "Normal",
        reason: "ScalingReplicaSet",
        message: "Scaled up",
        source: { component: "deployment-controller" },
        reportingComponent: "deployment-controller",
        firstTimestamp: "2026-01-01T00:00:00Z",
        lastTimestamp: "2026-01-01T00:00:00Z",
        count: 1,
      },
    ]);
  });

  it("that happens again is counted", async () => {
    const { api, clock, recorder } = world();
    const recording = recorder();
    recording.record("x", aDeployment(), "Warning", "Failed", "no luck");
    recording.record("x", aDeployment(), "Warning", "Failed", "no luck");
    await recording.flush();
    await clock.advance(5_000);
    recording.record("x", aDeployment({} as never), "Warning", "Failed", "no luck");
    await recording.flush();
    expect(api.all(events)).toMatchObject([{ count: 3, firstTimestamp: "2026-01-01T00:00:00Z", lastTimestamp: "2026-01-01T00:00:05Z" }]);
  });

  it("that happens again after the first has expired is a first time again", async () => {
    const { api, recorder } = world();
    const recording = recorder();
    for (let time = 0; time < 2; time++) {
      recording.record("x", aDeployment(), "Warning", "Failed", "no luck");
      await recording.flush();
      const [event] = api.all(events);
      expect(event).toMatchObject({ count: 1 });
      await api.client.delete(events, { namespace: "default", name: String(event?.metadata.name) });
    }
  });

  it("comes after those before it by its name, because kubectl sees only whole seconds", async () => {
    const { api, clock, recorder } = world();
    const recording = recorder();
    const reasons = ["Scheduled", "Pulled", "Created", "Started"];
    for (const reason of reasons) {
      recording.record("x", aDeployment(), "Normal", reason, "done");
      if (reason === "Pulled") await clock.advance(3);
    }
    await recording.flush();
    const names = new Map(api.all(events).map(({ reason, metadata }) => [reason, metadata.name]));
    expect([...names].toSorted(([, one], [, other]) => (one < other ? -1 : 1)).map(([reason]) => reason)).toEqual(reasons);
  });

  it("has a name of its own, although another process made one in the same moment", async () => {
    const { api, recorder } = world();
    for (const message of ["one", "other"]) {
      const recording = recorder();
      recording.record("x", aDeployment(), "Normal", "Any", message);
      await recording.flush();
    }
    expect(api.all(events)).toMatchObject([{ count: 1 }, { count: 1 }]);
  });

  it("about something without a namespace stands in the default one", async () => {
    const { api, recorder } = world();
    const recording = recorder();
    const { namespace: _none, ...metadata } = meta("node-1");
    recording.record("x", { apiVersion: "v1", kind: nodes.kind, metadata }, "Normal", "Starting", "hello");
    await recording.flush();
    expect(api.all(events)).toMatchObject([{ metadata: { namespace: "default" }, involvedObject: { kind: "Node", name: "node-1" } }]);
  });

  it("is cut to a kilobyte, between characters", async () => {
    const { api, recorder } = world();
    const recording = recorder();
    recording.record("x", aDeployment(), "Normal", "Long", "ä".repeat(2_000));
    await recording.flush();
    const message = api.all(events)[0]?.message ?? "";
    expect(Buffer.byteLength(message)).toBeLessThanOrEqual(1024);
    expect(message).toMatch(/^ä+…$/);
  });

  it("is never worth a failure", async () => {
    const { api, recorder } = world();
    api.intercept(({ kind, key }) => {
      throw forbidden(kind, key.name, "the namespace is being terminated");
    });
    const recording = recorder();
    recording.record("x", aDeployment(), "Normal", "Any", "thing");
    await expect(recording.flush()).resolves.toBeUndefined();
  });
});
