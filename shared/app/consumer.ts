/** What all consumers have in common: turns over the table, a manager per cluster, events, wake-ups. */
import { randomUUID } from "node:crypto";
import type { Client, KindRef } from "../api/client.ts";
import type { Consumer, WakeUps } from "../runtime/consumer.ts";
import type { Controller } from "../runtime/controller.ts";
import { createEventRecorder } from "../runtime/event-recorder.ts";
import { createManager } from "../runtime/manager.ts";
import { type ConsumerRunner, createConsumerRunner } from "../runtime/run-consumer.ts";
import { createTurns } from "../runtime/turns.ts";
import type { Core } from "./core.ts";

export interface ConsumerParts {
  readonly core: Core;
  readonly wakeUps: WakeUps;
}

/** What controllers of one cluster are made from. */
export interface ClusterParts {
  readonly cluster: string;
  readonly client: Client;
  readonly resources: () => Promise<readonly KindRef[]>;
}

export function createConsumer(
  consumer: Consumer,
  { core, wakeUps }: ConsumerParts,
  controllers: (parts: ClusterParts) => readonly Controller[],
): ConsumerRunner {
  const { table, clock, log } = core.platform;
  return createConsumerRunner({
    turns: createTurns({ table, clock, log, holderId: randomUUID }),
    wakeUps,
    clock,
    log,
    async manager(cluster) {
      await core.ready();
      const client = core.client(cluster, consumer, consumer);
      return createManager({
        controllers: controllers({ cluster, client, resources: () => core.resources(cluster) }),
        feed: await core.feed(cluster),
        client,
        clock,
        log,
        events: createEventRecorder({ client, clock, log }),
      });
    },
  });
}
