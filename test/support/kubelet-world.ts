/** A kubelet at work: the fake API and the fake Amazon ECS, joined by the real inbox and the real manager, under a clock of the test's. */
import type { Pod } from "../../shared/api/generated/types.ts";
import * as kinds from "../../shared/api/kinds.ts";
import { kubeletController } from "../../shared/kubelet/controller.ts";
import { type EngineFeatures, helpedEngine } from "../../shared/kubelet/engine-features.ts";
import { createInbox } from "../../shared/kubelet/inbox.ts";
import { ingest } from "../../shared/kubelet/ingest.ts";
import { type ProbeReport, probeReportDetailType, probeReportSource } from "../../shared/kubelet/probes.ts";
import type { Controller } from "../../shared/runtime/controller.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { createManager, type Manager } from "../../shared/runtime/manager.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";
import { fakeApi } from "./fake-api.ts";
import { fakeClock, settled } from "./fake-clock.ts";
import { FakeTaskEngine } from "./fake-task-engine.ts";
import { aNode, aWorkPod, type WorkGiven } from "./nodes.ts";

export interface SaidEvent {
  readonly type: string;
  readonly reason: string;
  readonly message: string;
}

export function kubeletWorld({
  features = helpedEngine,
  start = "2026-01-01T00:00:00Z",
}: {
  readonly features?: EngineFeatures;
  readonly start?: string;
} = {}) {
  const clock = fakeClock(start);
  const api = fakeApi(clock);
  const engine = new FakeTaskEngine(clock);
  const table = memoryTable({ clock });
  const inbox = createInbox(table);
  const said: SaidEvent[] = [];
  const delivering: Promise<unknown>[] = [];
  const deliver = (source: string, detailType: string, detail: unknown) => {
    // As EventBridge would: JSON, so no dates and nothing shared.
    const event = { source, "detail-type": detailType, detail: JSON.parse(JSON.stringify(detail)) };
    delivering.push(ingest(event, { deployment: "binnacle", inbox }));
  };
  engine.onChange = (task) => deliver("aws.ecs", "ECS Task State Change", task);

  const config = {
    deployment: "binnacle",
    cluster: "default",
    region: "eu-west-1",
    podLogGroup: "/binnacle/pods",
    executionRoleArn: undefined,
    podRoleArn: undefined,
    podSubnetsByZone: { "eu-west-1a": ["subnet-a"] },
    podSecurityGroups: ["sg-pod"],
  };
  const controllerOf = (): Controller => kubeletController({ tasks: engine, inbox, config, clock, log: silentLog, features });
  const managerOf = (controllers: readonly Controller[]): Manager =>
    createManager({
      controllers,
      feed: api.feed,
      client: api.client,
      clock,
      log: silentLog,
      random: () => 1,
      events: {
        record: (_component, _about, type, reason, message) => void said.push({ type, reason, message }),
        flush: async () => {},
      },
    });
  let manager = managerOf([controllerOf()]);

  /** One turn of the kubelet, until it has nothing to do now. */
  async function run(options: { readonly sweep?: boolean } = {}): Promise<void> {
    await Promise.all(delivering.splice(0));
    const stop = new AbortController();
    const running = manager.run({
      sweep: options.sweep ?? false,
      deadline: new Date(clock.now().getTime() + 3_600_000),
      signal: stop.signal,
    });
    await settled();
    await settled();
    // What is left waits for a time.
    stop.abort(new Error("enough"));
    await running;
  }

  return {
    clock,
    api,
    engine,
    inbox,
    said,
    run,
    deliver,
    /** The reasons of all events so far, in order. */
    reasons: () => said.map(({ reason }) => reason),
    /** Time passes, and the kubelet looks. */
    async after(ms: number): Promise<void> {
      await clock.advance(ms);
      await run();
    },
    /** The process dies and another one begins: nothing is remembered. */
    crash(): void {
      manager = managerOf([controllerOf()]);
    },
    async node(given: Parameters<typeof aNode>[0] = {}): Promise<void> {
      const { metadata, spec, status } = aNode(given);
      const { uid: _uid, resourceVersion: _version, ...rest } = metadata;
      const node = await api.client.create(kinds.nodes, { metadata: rest, ...(spec && { spec }) });
      await api.client.updateStatus(kinds.nodes, { ...node, ...(status && { status }) });
    },
    /** A Pod that is bound to `node-1`. */
    async pod(given: WorkGiven = {}): Promise<Pod> {
      const { metadata, spec, status } = aWorkPod({ nodeName: "node-1", ...given });
      const { uid: _uid, resourceVersion: _version, ...rest } = metadata;
      return api.client.create(kinds.pods, { metadata: rest, spec, ...(status && { status }) });
    },
    get: (name = "pod-1") => api.get(kinds.pods, name),
    report(taskArn: string, version: number, containers: ProbeReport["containers"]): void {
      const report: ProbeReport = {
        taskArn,
        clusterArn: `arn:aws:ecs:eu-west-1:111122223333:cluster/${engine.cluster}`,
        version,
        containers,
      };
      deliver(probeReportSource, probeReportDetailType, report);
    },
  };
}

/** `kubectl get pods` in short: phase, and per container what it does. */
export function glance(pod: Pod | undefined): string {
  const { status } = pod ?? {};
  const containers = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(
    ({ name, state, restartCount }) => {
      const what = state?.running ? "running" : (state?.waiting?.reason ?? `${state?.terminated?.reason} ${state?.terminated?.exitCode}`);
      return `${name} ${what}${restartCount > 0 ? ` (${restartCount})` : ""}`;
    },
  );
  return [status?.phase, ...containers].join(", ");
}

export const conditionOf = (pod: Pod | undefined, type: string) => pod?.status?.conditions?.find((condition) => condition.type === type);
