import { describe, expect, it } from "vitest";
import { hooksLabel } from "../../../shared/kubelet/hooks.ts";
import { addressVariablesLabel, endsWithLabel, namespaceTag, nameTag, sidecarLabel } from "../../../shared/kubelet/pod-tags.ts";
import { type ProbeSpec, probesLabel } from "../../../shared/kubelet/probes.ts";
import { VolumeNotReadyError, volumesLabel } from "../../../shared/kubelet/volumes.ts";
import { aContainer, cluster, type LocalEcs, localEcs, startedTask } from "../../support/local-ecs.ts";

const aProbe = (overrides: Partial<ProbeSpec> = {}): ProbeSpec => ({
  action: { type: "httpGet", scheme: "HTTP", port: 80, path: "/", headers: [] },
  initialDelaySeconds: 0,
  periodSeconds: 10,
  timeoutSeconds: 1,
  successThreshold: 1,
  failureThreshold: 3,
  ...overrides,
});
const probed = (probes: object, overrides: object = {}) =>
  aContainer({ dockerLabels: { [probesLabel]: JSON.stringify(probes) }, ...overrides });
const rule = (outcome: object, match: object = {}) => ({ rules: { rules: [{ name: "test", match, outcome }] } });
const verdict = ({ reports }: LocalEcs) => reports.at(-1)?.containers[0];
const containers = (local: LocalEcs, taskArn: string) => local.describe(taskArn).containers.map((one: any) => one.lastStatus);

describe("dependsOn", () => {
  const chain = [
    aContainer({ name: "init", essential: false, image: "busybox", command: ["true"] }),
    aContainer({ dependsOn: [{ containerName: "init", condition: "SUCCESS" }] }),
  ];

  it("SUCCESS: the container starts when the other has ended well, and the task runs only then", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local, { containerDefinitions: chain });
    await local.clock.advance(550);
    expect(containers(local, taskArn)).toEqual(["RUNNING", "PENDING"]);
    expect(local.describe(taskArn).lastStatus).toBe("PENDING");
    await local.clock.advance(1_000);
    expect(containers(local, taskArn)).toEqual(["STOPPED", "RUNNING"]);
    expect(local.describe(taskArn).lastStatus).toBe("RUNNING");
  });

  it("SUCCESS: a container that fails ends the task before the other ran", async () => {
    const local = localEcs(rule({ exit: { afterSeconds: 0.1, code: 1 } }, { role: "init" }));
    const { taskArn } = startedTask(local, { containerDefinitions: chain });
    await local.clock.advance(2_000);
    const task = local.describe(taskArn);
    expect(task).toMatchObject({
      lastStatus: "STOPPED",
      stopCode: "TaskFailedToStart",
      containers: [{ exitCode: 1 }, { lastStatus: "STOPPED" }],
    });
    expect(task.containers[1]).not.toHaveProperty("exitCode");
  });

  it("COMPLETE: a container that fails lets the other run", async () => {
    const local = localEcs(rule({ exit: { afterSeconds: 0.1, code: 1 } }, { role: "init" }));
    const { taskArn } = startedTask(local, {
      containerDefinitions: [chain[0], aContainer({ dependsOn: [{ containerName: "init", condition: "COMPLETE" }] })],
    });
    await local.clock.advance(2_000);
    expect(local.describe(taskArn).lastStatus).toBe("RUNNING");
  });

  it("HEALTHY: waits for the health check", async () => {
    const local = localEcs(rule({ health: { afterSeconds: 12 } }));
    const { taskArn } = startedTask(local, {
      containerDefinitions: [
        aContainer({ name: "db", healthCheck: { command: ["CMD", "check"], interval: 5 } }),
        aContainer({ dependsOn: [{ containerName: "db", condition: "HEALTHY" }] }),
      ],
    });
    await local.clock.advance(10_000);
    expect(containers(local, taskArn)).toEqual(["RUNNING", "PENDING"]);
    await local.clock.advance(10_000);
    expect(containers(local, taskArn)).toEqual(["RUNNING", "RUNNING"]);
    expect(local.describe(taskArn).healthStatus).toBe("HEALTHY");
  });

  it("is the reverse order of stopping", async () => {
    const local = localEcs({
      rules: { timingsMs: { attachNetworkInterface: 0, pull: 0, pullCached: 0, start: 10, stop: 1_000, detachNetworkInterface: 0 } },
    });
    const { taskArn } = startedTask(local, {
      containerDefinitions: [aContainer({ name: "db" }), aContainer({ dependsOn: [{ containerName: "db", condition: "START" }] })],
    });
    await local.clock.advance(500);
    local.call("StopTask", { cluster, task: taskArn });
    await local.clock.advance(1_500);
    expect(containers(local, taskArn)).toEqual(["RUNNING", "STOPPED"]);
    await local.clock.advance(1_000);
    expect(local.describe(taskArn).lastStatus).toBe("STOPPED");
  });
});

describe("probes", () => {
  it("a container with a readiness probe is ready after its initial delay, and reports it once", async () => {
    const local = localEcs();
    startedTask(local, { containerDefinitions: [probed({ readiness: aProbe({ initialDelaySeconds: 20 }) })] });
    await local.clock.advance(15_000);
    expect(verdict(local)).toMatchObject({ name: "main", started: true, ready: false });
    await local.clock.advance(10_000);
    expect(verdict(local)).toEqual({ name: "main", started: true, ready: true });
    const reported = local.reports.length;
    await local.clock.advance(600_000);
    expect(local.reports).toHaveLength(reported);
  });

  it("readiness is lost after failureThreshold failures in a row, and comes back", async () => {
    const local = localEcs(rule({ readiness: { untilSeconds: 30 } }));
    const { taskArn } = startedTask(local, { containerDefinitions: [probed({ readiness: aProbe() })] });
    await local.clock.advance(45_000);
    expect(verdict(local)?.ready).toBe(true);
    await local.clock.advance(10_000);
    expect(verdict(local)).toMatchObject({ ready: false, failing: "Readiness" });
    expect(local.describe(taskArn).lastStatus).toBe("RUNNING");
  });

  it("a startup probe holds the others back; its failure kills the container", async () => {
    const never = localEcs(rule({ startup: "never" }));
    const { taskArn } = startedTask(never, { containerDefinitions: [probed({ startup: aProbe(), readiness: aProbe() })] });
    await never.clock.advance(15_000);
    expect(verdict(never)).toMatchObject({ started: false, ready: false });
    await never.clock.advance(15_000);
    expect(never.describe(taskArn)).toMatchObject({ lastStatus: "STOPPED", stopCode: "EssentialContainerExited" });
    expect(never.reports.some(({ containers: [first] }) => first?.failing === "Startup")).toBe(true);

    const late = localEcs(rule({ startup: { afterSeconds: 25 } }));
    startedTask(late, { containerDefinitions: [probed({ startup: aProbe({ failureThreshold: 30 }), readiness: aProbe() })] });
    await late.clock.advance(25_000);
    expect(verdict(late)?.started).toBe(false);
    await late.clock.advance(10_000);
    expect(verdict(late)).toMatchObject({ started: true, ready: true });
  });

  it("liveness kills the container: SIGTERM, then SIGKILL after stopTimeout", async () => {
    const local = localEcs(rule({ liveness: { untilSeconds: 20 }, sigterm: "ignored" }));
    const { taskArn } = startedTask(local, { containerDefinitions: [probed({ liveness: aProbe() }, { stopTimeout: 5 })] });
    await local.clock.advance(43_000);
    expect(verdict(local)).toMatchObject({ ready: false, failing: "Liveness" });
    expect(local.describe(taskArn).lastStatus).toBe("RUNNING");
    await local.clock.advance(5_000);
    expect(local.describe(taskArn)).toMatchObject({ lastStatus: "STOPPED", containers: [{ exitCode: 137 }] });
  });

  it("an exec probe fails when its command would", async () => {
    const local = localEcs();
    startedTask(local, { containerDefinitions: [probed({ readiness: aProbe({ action: { type: "exec", command: ["/bin/false"] } }) })] });
    await local.clock.advance(60_000);
    expect(verdict(local)).toMatchObject({ ready: false, failing: "Readiness" });
  });

  it("a task without probes sends no reports, and costs no timer while it runs", async () => {
    const local = localEcs();
    startedTask(local);
    await local.clock.advance(1_000);
    expect(local.reports).toEqual([]);
    expect(local.clock.sleeping).toBe(0);
  });

  it("steady verdicts cost no timer either", async () => {
    const local = localEcs();
    startedTask(local, { containerDefinitions: [probed({ readiness: aProbe(), liveness: aProbe() })] });
    await local.clock.advance(60_000);
    expect(local.clock.sleeping).toBe(0);
  });
});

describe("a Pod that is not restarted as a whole", () => {
  it("goes on until all its containers have stopped, and stops sidecars last", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local, {
      containerDefinitions: [
        aContainer({ name: "quick", image: "busybox", command: ["sleep", "2"], dockerLabels: { [endsWithLabel]: "all" } }),
        aContainer({ name: "slow", image: "busybox", command: ["sleep", "10"] }),
        aContainer({ name: "sidecar", dockerLabels: { [sidecarLabel]: "true" } }),
      ],
    });
    await local.clock.advance(5_000);
    expect(containers(local, taskArn)).toEqual(["STOPPED", "RUNNING", "RUNNING"]);
    await local.clock.advance(10_000);
    expect(local.describe(taskArn)).toMatchObject({ lastStatus: "STOPPED", stopCode: "EssentialContainerExited" });
  });
});

const restarting = (policy: object) => [
  aContainer({ image: "busybox", command: ["sh", "-c", "sleep 90; exit 1"], restartPolicy: { enabled: true, ...policy } }),
];

describe("a volume with content from the API", () => {
  const withVolume = [
    aContainer({ dockerLabels: { [volumesLabel]: JSON.stringify([{ name: "settings", defaultMode: 420, contents: [] }]) } }),
  ];
  const tags = [
    { key: namespaceTag, value: "default" },
    { key: nameTag, value: "web" },
  ];

  it("holds its task back until what it needs is there, and says what is missing", async () => {
    let there = false;
    const local = localEcs({
      volumes: {
        files: async ({ name }) => {
          if (!there) throw new VolumeNotReadyError(`configmap "settings" of ${name} not found`);
          return [];
        },
      },
    });
    const { taskArn } = startedTask(local, { containerDefinitions: withVolume }, { tags, startedBy: "uid" });
    await local.clock.advance(30_000);
    expect(local.describe(taskArn)).toMatchObject({
      lastStatus: "PENDING",
      containers: [{ reason: 'configmap "settings" of web not found' }],
    });
    there = true;
    await local.clock.advance(31_000);
    expect(local.describe(taskArn).lastStatus).toBe("RUNNING");
  });

  it("does not hold back what ran already when another process goes on with it", async () => {
    const first = localEcs({ volumes: { files: async () => [] } });
    const { taskArn } = startedTask(first, { containerDefinitions: withVolume }, { tags, startedBy: "uid" });
    await first.clock.advance(1_000);
    await first.ecs.engine.close();
    const gone = { files: () => Promise.reject(new VolumeNotReadyError("gone")) };
    const second = localEcs({ records: first.records, clock: first.clock, volumes: gone });
    second.call("StopTask", { cluster, task: taskArn });
    await second.clock.advance(1_000);
    expect(second.describe(taskArn)).toMatchObject({ lastStatus: "STOPPED", containers: [{ exitCode: 0 }] });
  });
});

describe("restartPolicy", () => {
  it("starts a container again that ran long enough", async () => {
    const local = localEcs();
    const { taskArn } = startedTask(local, { containerDefinitions: restarting({ restartAttemptPeriod: 60 }) });
    await local.clock.advance(200_000);
    expect(local.describe(taskArn).lastStatus).toBe("RUNNING");
  });

  it.each([
    ["that ended too soon", {}],
    ["whose exit code is ignored", { restartAttemptPeriod: 60, ignoredExitCodes: [1] }],
  ])("lets one end %s", async (_name, policy) => {
    const local = localEcs();
    const { taskArn } = startedTask(local, { containerDefinitions: restarting(policy) });
    await local.clock.advance(200_000);
    expect(local.describe(taskArn).lastStatus).toBe("STOPPED");
  });
});

describe("another process with the same records", () => {
  it("goes on with the tasks that ran, without a new state or address", async () => {
    const first = localEcs();
    const { taskArn } = startedTask(first, { containerDefinitions: [aContainer({ image: "busybox", command: ["sleep", "60"] })] });
    await first.clock.advance(10_000);
    const before = first.describe(taskArn);
    await first.ecs.engine.close();
    await first.clock.advance(20_000);

    const second = localEcs({ records: first.records, clock: first.clock });
    await second.clock.advance(0);
    expect(second.describe(taskArn)).toEqual(before);
    expect(second.fleet.nodes()).toEqual(first.fleet.nodes());
    await second.clock.advance(35_000);
    expect(second.describe(taskArn)).toMatchObject({ lastStatus: "STOPPED", containers: [{ exitCode: 0 }] });
    expect(second.describe(taskArn).version).toBeGreaterThan(before.version);
  });

  it("goes on with a task that was only beginning, and with one that was stopping", async () => {
    const first = localEcs({ ...rule({ sigterm: "ignored" }) });
    const beginning = startedTask(first);
    await first.clock.advance(1_000);
    const stopping = startedTask(first);
    await first.clock.advance(1_000);
    first.call("StopTask", { cluster, task: stopping.taskArn });
    const third = startedTask(first);
    await first.clock.advance(100);
    await first.ecs.engine.close();

    const second = localEcs({ records: first.records, clock: first.clock, ...rule({ sigterm: "ignored" }) });
    await second.clock.advance(40_000);
    expect(second.describe(beginning.taskArn).lastStatus).toBe("RUNNING");
    expect(second.describe(third.taskArn).lastStatus).toBe("RUNNING");
    expect(second.describe(stopping.taskArn)).toMatchObject({ lastStatus: "STOPPED", containers: [{ exitCode: 137 }] });
  });

  it("does not take readiness away from a Pod that was ready", async () => {
    const first = localEcs();
    startedTask(first, { containerDefinitions: [probed({ readiness: aProbe() })] });
    await first.clock.advance(30_000);
    const { version = 0 } = first.reports.at(-1) ?? {};
    await first.ecs.engine.close();
    const second = localEcs({ records: first.records, clock: first.clock });
    await second.clock.advance(30_000);
    expect(second.reports.every(({ containers: [one] }) => one?.ready)).toBe(true);
    expect(second.reports.every((report) => report.version > version)).toBe(true);
  });
});

describe("the simulated engine", () => {
  it("says in the logs that nothing runs", async () => {
    const local = localEcs();
    startedTask(local);
    await local.clock.advance(1_000);
    expect(local.lines).toEqual([expect.stringContaining("simulated engine: nothing runs here")]);
    expect(local.ecs.engine.notice).toContain("runs no containers");
  });

  it("sets the variables that hold the task's own address", async () => {
    // Nothing reads them where nothing runs; the definition must merely not be harmed.
    const local = localEcs();
    const { taskArn } = startedTask(local, {
      containerDefinitions: [aContainer({ dockerLabels: { [addressVariablesLabel]: '["POD_IP"]' } })],
    });
    await local.clock.advance(1_000);
    expect(local.describe(taskArn).lastStatus).toBe("RUNNING");
  });
});

describe("lifecycle hooks", () => {
  const hooked = (hooks: object, overrides: object = {}) =>
    aContainer({ dockerLabels: { [hooksLabel]: JSON.stringify(hooks) }, stopTimeout: 10, ...overrides });
  const stop = (local: LocalEcs, task: string) => local.call("StopTask", { cluster, task });
  const state = (local: LocalEcs, taskArn: string) => local.describe(taskArn).containers[0]?.lastStatus;

  it("preStop comes before SIGTERM, on the container's time", async () => {
    const local = localEcs(rule({ sigterm: "ignored" }));
    const { taskArn } = startedTask(local, { containerDefinitions: [hooked({ preStop: { type: "sleep", seconds: 6 } })] });
    await local.clock.advance(5_000);
    stop(local, taskArn);
    await local.clock.advance(9_900);
    expect(state(local, taskArn)).toBe("RUNNING");
    await local.clock.advance(200);
    expect(local.describe(taskArn).containers[0]).toMatchObject({ lastStatus: "STOPPED", exitCode: 137 });
  });

  it("preStop that takes too long leaves two seconds to end", async () => {
    const local = localEcs(rule({ sigterm: { code: 0 } }));
    const { taskArn } = startedTask(local, { containerDefinitions: [hooked({ preStop: { type: "sleep", seconds: 60 } })] });
    await local.clock.advance(5_000);
    stop(local, taskArn);
    await local.clock.advance(9_900);
    expect(state(local, taskArn)).toBe("RUNNING");
    await local.clock.advance(2_000);
    expect(local.describe(taskArn).containers[0]).toMatchObject({ lastStatus: "STOPPED", exitCode: 0 });
  });

  it("probes begin after postStart", async () => {
    const labels = {
      [hooksLabel]: JSON.stringify({ postStart: { type: "sleep", seconds: 20 } }),
      [probesLabel]: JSON.stringify({ readiness: aProbe() }),
    };
    const local = localEcs();
    startedTask(local, { containerDefinitions: [aContainer({ dockerLabels: labels })] });
    await local.clock.advance(15_000);
    expect(verdict(local)?.ready ?? false).toBe(false);
    await local.clock.advance(10_000);
    expect(verdict(local)?.ready).toBe(true);
  });

  it("a container whose postStart fails is ended", async () => {
    const local = localEcs(rule({ exit: { afterSeconds: 0, code: 1 } }, { command: "^warm$" }));
    const { taskArn } = startedTask(local, { containerDefinitions: [hooked({ postStart: { type: "exec", command: ["warm"] } })] });
    await local.clock.advance(5_000);
    expect(local.describe(taskArn)).toMatchObject({ lastStatus: "STOPPED", stopCode: "EssentialContainerExited" });
  });
});
