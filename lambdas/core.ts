/** What the functions of one process share: settings, table, store and registry. Each bundle carries its own copy (ADR 0004). */
import { readConfig } from "../shared/app/config.ts";
import { createCore } from "../shared/app/core.ts";
import { awsCore } from "../shared/aws/core.ts";

const config = readConfig(process.env);
export const core = createCore(awsCore(config));
