/** Everything Binnacle needs of the world around it. On AWS and on a laptop the same adapters stand behind these ports. */
import type { Authenticator } from "../auth/auth.ts";
import type { LogReader } from "../kubelet/log-reader.ts";
import type { TaskEngine } from "../kubelet/task-engine.ts";
import type { Clock } from "../runtime/clock.ts";
import type { ConsumerInvoker, WakeUps } from "../runtime/consumer.ts";
import type { Log } from "../runtime/log.ts";
import type { Table } from "../store/table.ts";
import type { Config } from "./config.ts";

export interface Platform {
  readonly config: Config;
  readonly table: Table;
  readonly clock: Clock;
  readonly log: Log;
  readonly authenticator: Authenticator;
  readonly tasks: TaskEngine;
  readonly logs: LogReader;
  readonly invoker: ConsumerInvoker;
  readonly wakeUps: WakeUps;
}
