import { describe, expect, it } from "vitest";
import { bookedFor, podRequests } from "../../shared/scheduler/requests.ts";
import { aWorkPod } from "../support/nodes.ts";

const container = (name: string, cpu: string, memory = "0") => ({ name, image: "x", resources: { requests: { cpu, memory } } });
const sidecar = (name: string, cpu: string) => ({ ...container(name, cpu), restartPolicy: "Always" });

describe("requests of a Pod", () => {
  it.each([
    { name: "are the sum of its containers", spec: { containers: [container("a", "100m"), container("b", "1")] }, cpu: 1_100 },
    {
      name: "are those of the largest init container, if that needs more",
      spec: { containers: [container("a", "100m")], initContainers: [container("i", "300m"), container("j", "2")] },
      cpu: 2_000,
    },
    {
      name: "count sidecars beside the containers, and beside the init containers that follow them",
      spec: { containers: [container("a", "100m")], initContainers: [sidecar("s", "500m"), container("i", "300m")] },
      cpu: 800,
    },
    {
      name: "do not count a sidecar beside the init containers that precede it",
      spec: { containers: [container("a", "100m")], initContainers: [container("i", "1"), sidecar("s", "500m")] },
      cpu: 1_000,
    },
    { name: "include the overhead", spec: { containers: [container("a", "100m")], overhead: { cpu: "50m" } }, cpu: 150 },
    {
      name: "are the Pod's own where it states them",
      spec: { containers: [container("a", "100m")], resources: { requests: { cpu: "700m" } } },
      cpu: 700,
    },
  ])("$name", ({ spec, cpu }) => {
    expect(podRequests(aWorkPod({ spec })).cpu).toBe(cpu);
  });

  it("count one place and the memory that the engine reserves at least for each container", () => {
    const spec = { containers: [container("a", "1m"), container("b", "1m", "64Mi")], initContainers: [container("i", "0")] };
    expect(bookedFor(aWorkPod({ spec }))).toMatchObject({ pods: 1, memory: (6 + 64 + 6) * 1024 * 1024 });
  });
});
