/** The doorway that all consumers share: an invocation's event and deadline become one run. */
import type { Context } from "aws-lambda";
import type { Consumer, ConsumerEvent } from "../shared/runtime/consumer.ts";
import type { ConsumerRunner } from "../shared/runtime/run-consumer.ts";
import { core } from "./core.ts";

/** A schedule's event names no cluster: it means all of them. */
type IncomingEvent = Partial<ConsumerEvent>;

export const consumerHandler = (consumer: Consumer, runner: ConsumerRunner) => async (event: IncomingEvent, context: Context) => {
  // Somebody may have made the table a global one since: looked at as often as anything is looked at by itself.
  if (event.sweep) await core.platform.checkTable();
  const clusters = event.cluster === undefined ? await core.clusters() : [event.cluster];
  for (const cluster of clusters) {
    const ran = await runner.run(
      { cluster, consumer, ...(event.sweep && { sweep: true }) },
      { remainingMs: () => context.getRemainingTimeInMillis(), signal: new AbortController().signal },
    );
    core.platform.log.debug("consumer ran", { cluster, consumer, ...ran });
  }
};
