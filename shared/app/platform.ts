/** What every function needs of the world around it. On AWS and on a laptop the same adapters stand behind these ports. */
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import type { Table } from "../store/table.ts";
import type { Config } from "./config.ts";

export interface CorePlatform {
  readonly config: Config;
  readonly table: Table;
  /** @throws {Error} when the table cannot keep the log's promises (`log-rules.md` 25) */
  readonly checkTable: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}
