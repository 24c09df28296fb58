/** The emulated Amazon ECS on a clock that tests move, with the simulated engine behind it and machines to run on. */
import { join } from "node:path";
import { type Account, localAccount } from "../../local/account.ts";
import { createEcs, type Ecs } from "../../local/ecs/ecs.ts";
import type { Event } from "../../local/ecs/events.ts";
import { agent } from "../../local/engine/agent/agent.ts";
import shippedRules from "../../local/engine/simulated/rules.json" with { type: "json" };
import { compileRules, type RulesFile } from "../../local/engine/simulated/rules.ts";
import { simulatedRuntime } from "../../local/engine/simulated/runtime.ts";
import { type Fleet, startFleet } from "../../local/nodes/fleet.ts";
import type { Architecture } from "../../local/nodes/instance-types.ts";
import { createVpc, type Vpc } from "../../local/nodes/vpc.ts";
import { openRecords, type Records } from "../../local/state/records.ts";
import { ServiceError } from "../../local/wire/service-error.ts";
import type { ProbeReport } from "../../shared/kubelet/probes.ts";
import type { VolumeSource } from "../../shared/kubelet/volumes.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { type FakeClock, fakeClock } from "./fake-clock.ts";

export interface LocalEcs {
  readonly ecs: Ecs;
  readonly clock: FakeClock;
  readonly account: Account;
  readonly fleet: Fleet;
  readonly vpc: Vpc;
  readonly records: Records;
  /** What went to EventBridge, in order. */
  readonly events: readonly Event[];
  readonly reports: readonly ProbeReport[];
  /** Lines that containers wrote. */
  readonly lines: readonly string[];
  /** Calls an operation as the wire would. @throws what the service throws */
  call(operation: string, input?: object): any;
  /** The name of the exception that an operation refuses with, and its message. */
  refusal(operation: string, input?: object): string;
  describe(taskArn: string): any;
}

export const cluster = "binnacle-default";

/** @param options.records of an earlier one, to go on with what it left */
export function localEcs(
  options: {
    readonly rules?: Partial<RulesFile>;
    readonly nodes?: number;
    readonly nodeType?: string;
    readonly architecture?: Architecture;
    readonly clock?: FakeClock;
    readonly records?: Records;
    readonly volumes?: VolumeSource;
  } = {},
): LocalEcs {
  const clock = options.clock ?? fakeClock();
  const account = localAccount("us-east-1");
  const records = options.records ?? openRecords(":memory:");
  const events: Event[] = [];
  const reports: ProbeReport[] = [];
  const lines: string[] = [];
  const vpc = createVpc(account);
  const rules = compileRules(shippedRules as RulesFile, options.rules);
  const runtime = simulatedRuntime({ rules, clock, lines: { write: (_task, _container, line) => lines.push(line) } });
  const ecs = createEcs({
    account,
    clock,
    records,
    vpc,
    events: { publish: (event) => events.push(event) },
    engine: agent({ runtime, ...(options.volumes && { volumes: options.volumes }), clock, log: silentLog }),
    probed: (report) => reports.push(report),
  });
  ecs.ensureCluster(cluster);
  const fleet = startFleet({
    ecs,
    vpc,
    records,
    account,
    clusterName: cluster,
    size: options.nodes ?? 1,
    type: options.nodeType ?? "m7g.large",
    architecture: options.architecture,
    attributes: () => ({}),
  });
  ecs.adopt();
  const call = (operation: string, input: object = {}): any => {
    const found = ecs.service.operations[operation];
    if (!found) throw new Error(`no operation ${operation}`);
    return structuredClone(found({ ...input }));
  };
  return {
    ecs,
    clock,
    account,
    fleet,
    vpc,
    records,
    events,
    reports,
    lines,
    call,
    refusal(operation, input) {
      try {
        call(operation, input);
      } catch (error) {
        if (error instanceof ServiceError) return `${error.type}: ${error.message}`;
        throw error;
      }
      return "";
    },
    describe: (taskArn) => call("DescribeTasks", { cluster, tasks: [taskArn] }).tasks[0],
  };
}

/** A container definition that is good as it is. */
export const aContainer = (overrides: object = {}) => ({
  name: "main",
  image: "nginx:1.29",
  essential: true,
  cpu: 256,
  memory: 128,
  ...overrides,
});

export const aTaskDefinition = (overrides: object = {}) => ({
  family: "web",
  networkMode: "awsvpc",
  requiresCompatibilities: ["EC2"],
  containerDefinitions: [aContainer()],
  ...overrides,
});

/** Registers a definition and starts one task of it on the first machine. @returns the task as StartTask answers it */
export function startedTask(local: LocalEcs, definition: object = {}, input: object = {}): any {
  const { taskDefinition } = local.call("RegisterTaskDefinition", aTaskDefinition(definition));
  const { tasks, failures } = local.call("StartTask", startInput(local, taskDefinition.taskDefinitionArn, input));
  if (failures.length > 0) throw new Error(JSON.stringify(failures));
  return tasks[0];
}

export const startInput = ({ fleet, vpc }: LocalEcs, taskDefinition: string, input: object = {}) => ({
  cluster,
  containerInstances: fleet
    .nodes()
    .slice(0, 1)
    .map(({ containerInstanceArn }) => containerInstanceArn),
  taskDefinition,
  networkConfiguration: { awsvpcConfiguration: { subnets: vpc.subnets.map(({ subnetId }) => subnetId) } },
  ...input,
});

export const repositoryRoot = join(import.meta.dirname, "../..");
