/** Amazon ECS on a laptop: its operations with their throttles, and the side that the machines and the engine see. */
import type { ProbeReport } from "../../shared/kubelet/probes.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Account } from "../account.ts";
import type { Engine, EngineFactory } from "../engine/engine.ts";
import type { Vpc } from "../nodes/vpc.ts";
import type { Records } from "../state/records.ts";
import { type Input, stringMember } from "../wire/input.ts";
import type { JsonService } from "../wire/server.ts";
import { tokenBuckets } from "../wire/token-buckets.ts";
import { clusters } from "./clusters.ts";
import { type ContainerInstances, containerInstances } from "./container-instances.ts";
import { invalidParameter } from "./errors.ts";
import type { EventSink } from "./events.ts";
import { bucketOf, buckets } from "./limits.ts";
import type { Tag } from "./model.ts";
import { type EcsState, ecsState } from "./state.ts";
import { taskDefinitions } from "./task-definitions.ts";
import { tasks } from "./tasks.ts";

export interface Ecs {
  readonly service: JsonService;
  readonly engine: Engine;
  readonly state: EcsState;
  readonly instances: Pick<ContainerInstances, "register">;
  ensureCluster(name: string): void;
  /** Goes on with what an earlier process left over. Call once the instances are registered. */
  adopt(): void;
  /** Cuts a machine's agent off, or connects it again. Its tasks run on meanwhile, unseen. */
  setConnected(containerInstanceArn: string, connected: boolean): void;
  /** The machine is terminated: the instance leaves its cluster and its tasks stop. */
  terminate(containerInstanceArn: string): void;
}

export function createEcs(options: {
  readonly account: Account;
  readonly clock: Clock;
  readonly records: Records;
  readonly vpc: Vpc;
  readonly events: EventSink;
  readonly engine: EngineFactory;
  readonly probed: (report: ProbeReport) => void;
}): Ecs {
  const { account, clock, records, vpc, events, probed } = options;
  const state = ecsState(records, clock);
  const throttle = tokenBuckets(buckets, clock);
  const instances = containerInstances({ state, account, clock, events });
  const definitions = taskDefinitions({ state, account, clock });
  const cluster = clusters({ state, account });
  const task = tasks({
    state,
    account,
    clock,
    events,
    instances,
    definitions,
    vpc,
    engine: () => engine,
    probed,
    takeFargateTokens: (count) => throttle.take("fargateTasks", count),
  });
  const engine = options.engine(task.reports);

  const operations: Readonly<Record<keyof typeof bucketOf, (input: Input) => unknown>> = {
    ...cluster.operations,
    ...definitions.operations,
    ...instances.operations,
    ...task.operations,
    ListTagsForResource: (input) => ({ tags: tagsOf(state, stringMember(input, "resourceArn") ?? "") }),
  };
  return {
    service: {
      target: "AmazonEC2ContainerServiceV20141113",
      operations: Object.fromEntries(
        Object.entries(operations).map(([name, operation]) => [
          name,
          (input: Input) => {
            throttle.take(bucketOf[name as keyof typeof bucketOf]);
            state.expire();
            return operation(input);
          },
        ]),
      ),
    },
    engine,
    state,
    instances,
    ensureCluster: (name) => cluster.ensure(name),
    adopt: () => task.adopt(),
    setConnected(containerInstanceArn, connected) {
      instances.connected(containerInstanceArn, connected);
      if (connected) task.flush(containerInstanceArn);
    },
    terminate(containerInstanceArn) {
      instances.retire(containerInstanceArn);
      task.lose(containerInstanceArn);
    },
  };
}

function tagsOf(state: EcsState, resourceArn: string): readonly Tag[] {
  const name = resourceArn.split("/").at(-1) ?? "";
  const [, type] = /^arn:aws[^:]*:ecs:[^:]*:\d*:([a-z-]+)\//u.exec(resourceArn) ?? [];
  switch (type) {
    case "cluster":
      return state.clusters.get(name)?.tags ?? missing();
    case "task-definition":
      return state.taskDefinitions.get(name)?.tags ?? missing();
    case "task":
      return state.tasks.get(resourceArn)?.task.tags ?? missing();
    case "container-instance":
      return state.instances.get(resourceArn)?.instance.tags ?? missing();
    default:
      throw invalidParameter("Invalid identifier: Unexpected number of separators");
  }
}

function missing(): never {
  throw invalidParameter("The specified resource is not found.");
}
