import { describe, expect, it } from "vitest";
import * as kinds from "../../shared/api/kinds.ts";
import { kubeletWorld } from "../support/kubelet-world.ts";

const names = (count: number, prefix = "pod") => Array.from({ length: count }, (_, index) => `${prefix}-${index}`);

async function crowd(pods: readonly string[], spec: (name: string) => object = () => ({})) {
  const world = kubeletWorld();
  await world.node({ allocatable: { pods: "1000", memory: "100Gi" } });
  for (const name of pods) await world.pod({ name, spec: spec(name) });
  await world.run();
  return world;
}

describe("many Pods at once", () => {
  it("start in a burst, then as fast as Amazon ECS takes them", async () => {
    const world = await crowd(names(200));
    const burst = world.engine.starts.length;
    expect(burst).toBeGreaterThan(50);
    expect(burst).toBeLessThanOrEqual(80);
    await world.after(1_000);
    expect(world.engine.starts.length - burst).toBeLessThanOrEqual(33);
    for (let second = 0; second < 5; second++) await world.after(1_000);
    expect(world.engine.starts).toHaveLength(200);
    expect(new Set(world.engine.starts.map(({ startedBy }) => startedBy)).size).toBe(200);
  });

  it("do not keep the statuses of others waiting", async () => {
    const world = await crowd(names(200));
    const [first] = world.engine.starts;
    world.engine.run(first?.startedBy ?? "");
    await world.run();
    const pod = world.api.all(kinds.pods).find(({ metadata }) => metadata.uid === first?.startedBy);
    expect(pod?.status?.phase).toBe("Running");
    expect(world.engine.starts.length).toBeLessThan(200);
  });

  it("of many templates wait for their definitions, and nobody else does", async () => {
    const world = await crowd(names(40), (name) => ({ containers: [{ name: "app", image: `example/${name}:1` }] }));
    expect(world.engine.starts).toHaveLength(16);
    await world.pod({ name: "late", spec: { containers: [{ name: "app", image: "example/pod-0:1" }] } });
    await world.run();
    expect(world.engine.starts).toHaveLength(17);
    await world.after(10_000);
    expect(world.engine.starts).toHaveLength(25);
  });

  it("are stopped before others are started", async () => {
    const world = await crowd(names(60));
    for (let second = 0; second < 4; second++) await world.after(1_000);
    expect(world.engine.starts).toHaveLength(60);
    for (const name of names(200, "more")) await world.pod({ name });
    await world.run();
    const before = world.engine.starts.length;
    for (const name of names(10)) await world.api.client.delete(kinds.pods, { namespace: "default", name });
    await world.run();
    expect(world.engine.calls.filter((call) => call === "stopTask")).toHaveLength(10);
    expect(world.engine.starts.length).toBe(before);
  });
});
