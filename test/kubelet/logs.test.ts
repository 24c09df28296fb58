import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import type { ContainerStatus, Pod } from "../../shared/api/generated/types.ts";
import type { LogEvent, LogReader } from "../../shared/kubelet/log-reader.ts";
import { type PodLogOptions, podLogs } from "../../shared/kubelet/logs.ts";
import { fakeClock, settled } from "../support/fake-clock.ts";
import { aWorkPod } from "../support/nodes.ts";

/** A stream that answers as CloudWatch Logs does: in small pages, with an empty one in between, and tokens that are positions. */
function logStore(pageSize = 3) {
  const streams = new Map<string, LogEvent[]>();
  const reader: LogReader = {
    getLogEvents: async ({ logGroupName, logStreamName, startFromHead, nextToken, startTime = 0, limit = pageSize }) => {
      const all = streams.get(`${logGroupName}:${logStreamName}`);
      if (!all) return undefined;
      const first = all.findIndex(({ timestamp }) => timestamp >= startTime);
      const floor = first < 0 ? all.length : first;
      const size = Math.min(limit, pageSize);
      const [direction, position] = nextToken
        ? [nextToken[0], Number(nextToken.slice(1))]
        : [startFromHead ? "f" : "b", startFromHead ? floor : all.length];
      const from = direction === "f" ? position : Math.max(floor, position - size);
      const to = direction === "f" ? Math.min(all.length, position + size) : position;
      return { events: all.slice(from, to), nextForwardToken: `f${to}`, nextBackwardToken: `b${from}` };
    },
  };
  return {
    reader,
    write(stream: string, ...lines: string[]) {
      const events = streams.get(`/pods:${stream}`) ?? [];
      streams.set(`/pods:${stream}`, events);
      for (const message of lines) events.push({ timestamp: Date.parse("2026-01-01T00:00:00Z") + events.length * 1_000, message });
    },
  };
}

const id = (task: string) => `ecs://${task}/app`;
const runningStatus: ContainerStatus = {
  name: "app",
  image: "",
  imageID: "",
  ready: true,
  restartCount: 1,
  containerID: id("t2"),
  state: { running: {} },
  lastState: { terminated: { exitCode: 1, containerID: id("t1") } },
};
const podWith = (status: Partial<ContainerStatus>): Pod =>
  aWorkPod({ nodeName: "node-1", status: { phase: "Running", containerStatuses: [{ ...runningStatus, ...status }] } });
const plain: PodLogOptions = { follow: false, previous: false, timestamps: false };

function world() {
  const clock = fakeClock();
  const store = logStore();
  const logs = podLogs({ logs: store.reader, config: { podLogGroup: "/pods" }, clock });
  const stop = new AbortController();
  return {
    clock,
    store,
    stop,
    open: (pod: Pod, options: Partial<PodLogOptions> = {}, newest?: () => Promise<Pod | undefined>) =>
      logs.open(pod, { ...plain, ...options }, stop.signal, newest),
  };
}

const lines = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`);

describe("the log of a container", () => {
  it("is the stream of its current task, to the end of many pages", async () => {
    const { store, open } = world();
    store.write("pods/app/t2", ...lines(8));
    expect(await text(await open(podWith({})))).toBe(`${lines(8).join("\n")}\n`);
  });

  it("is empty when nothing was written", async () => {
    const { open } = world();
    expect(await text(await open(podWith({})))).toBe("");
  });

  it("is empty while the Pod stands nowhere", async () => {
    const { open } = world();
    expect(await text(await open(aWorkPod()))).toBe("");
  });

  it("of the former run is the stream of the former task", async () => {
    const { store, open } = world();
    store.write("pods/app/t1", "before");
    store.write("pods/app/t2", "now");
    expect(await text(await open(podWith({}), { previous: true }))).toBe("before\n");
  });

  it.each([
    { name: "the last lines", options: { tailLines: 4 }, expected: ["line 5", "line 6", "line 7", "line 8"] },
    { name: "no lines", options: { tailLines: 0 }, expected: [] },
    { name: "more lines than there are", options: { tailLines: 100 }, expected: lines(8) },
    { name: "lines since a time", options: { sinceTime: new Date("2026-01-01T00:00:06Z") }, expected: ["line 7", "line 8"] },
    {
      name: "the last lines since a time",
      options: { sinceTime: new Date("2026-01-01T00:00:06Z"), tailLines: 5 },
      expected: ["line 7", "line 8"],
    },
    { name: "lines of the last seconds", options: { sinceSeconds: 3 }, expected: ["line 8"] },
  ])("gives $name", async ({ options, expected }) => {
    const { store, open, clock } = world();
    store.write("pods/app/t2", ...lines(8));
    await clock.advance(10_000);
    expect(await text(await open(podWith({}), options))).toBe(expected.map((line) => `${line}\n`).join(""));
  });

  it("writes times with nine digits", async () => {
    const { store, open } = world();
    store.write("pods/app/t2", "hello");
    expect(await text(await open(podWith({}), { timestamps: true }))).toBe("2026-01-01T00:00:00.000000000Z hello\n");
  });

  it("ends at the byte limit, in the middle of a line if need be", async () => {
    const { store, open } = world();
    store.write("pods/app/t2", "12345", "67890");
    expect(await text(await open(podWith({}), { limitBytes: 8 }))).toBe("12345\n67");
  });
});

describe("a log that is followed", () => {
  it("goes on with what is written later, and ends with its container", async () => {
    const { store, open, clock } = world();
    store.write("pods/app/t2", ...lines(5));
    let newest = podWith({});
    const whole = text(await open(podWith({}), { follow: true, tailLines: 1 }, async () => newest));
    await settled();
    store.write("pods/app/t2", "later");
    await clock.advance(1_000);
    newest = podWith({ state: { terminated: { exitCode: 0, containerID: id("t2") } } });
    await clock.advance(1_000);
    store.write("pods/app/t2", "last words");
    await clock.advance(10_000);
    expect(await whole).toBe("line 5\nlater\nlast words\n");
  });

  it("ends at once when its container ended long ago", async () => {
    const { store, open, clock } = world();
    store.write("pods/app/t2", "last words");
    const terminated = { exitCode: 0, containerID: id("t2"), finishedAt: "2026-01-01T00:00:01Z" };
    await clock.advance(6_000);
    expect(await text(await open(podWith({ state: { terminated } }), { follow: true }))).toBe("last words\n");
    const former = { state: { waiting: { reason: "CrashLoopBackOff" } }, lastState: { terminated } };
    expect(await text(await open(podWith(former), { follow: true, previous: true }))).toBe("last words\n");
  });

  it("begins before anything was written", async () => {
    const { store, open, clock, stop } = world();
    const whole = text(await open(podWith({}), { follow: true }));
    await settled();
    store.write("pods/app/t2", "first");
    await clock.advance(1_000);
    stop.abort();
    await clock.advance(1_000);
    expect(await whole).toBe("first\n");
  });
});

describe("a container without a log is refused in the kubelet's words", () => {
  it.each([
    { name: "no such container", pod: podWith({}), options: { container: "x" }, message: "container x is not valid for pod pod-1" },
    {
      name: "several to choose from",
      pod: aWorkPod({
        spec: {
          initContainers: [{ name: "i", image: "x" }],
          containers: [
            { name: "a", image: "x" },
            { name: "b", image: "x" },
          ],
        },
      }),
      options: {},
      message: "a container name must be specified for pod pod-1, choose one of: [i a b]",
    },
    {
      name: "no status yet",
      pod: aWorkPod({ nodeName: "node-1" }),
      options: {},
      message: 'container "app" in pod "pod-1" is not available',
    },
    {
      name: "never ran before",
      pod: podWith({ lastState: {} }),
      options: { previous: true },
      message: 'previous terminated container "app" in pod "pod-1" not found',
    },
    ...[
      ["ContainerCreating", "ContainerCreating"],
      ["ErrImagePull", "image can't be pulled"],
      ["ImagePullBackOff", "trying and failing to pull image"],
    ].map(([reason = "", words]) => ({
      name: reason,
      pod: podWith({ state: { waiting: { reason } }, lastState: {} }),
      options: {},
      message: `container "app" in pod "pod-1" is waiting to start: ${words}`,
    })),
  ])("$name", async ({ pod, options, message }) => {
    await expect(world().open(pod, options)).rejects.toMatchObject({ reason: "BadRequest", message });
  });

  it("while a restart is put off, the last run's log is shown", async () => {
    const { store, open } = world();
    store.write("pods/app/t1", "why I died");
    expect(await text(await open(podWith({ state: { waiting: { reason: "CrashLoopBackOff" } } })))).toBe("why I died\n");
  });
});
