/** `npm start`: reads the command line, starts everything, says when it is ready, and stops on Ctrl-C. */
import { setFlagsFromString } from "node:v8";
import type { LogLevel } from "../shared/runtime/log.ts";
import { help, readOptions } from "./cli/options.ts";
import { startLocal } from "./start.ts";
import { UserError } from "./user-error.ts";

const say = (text: string) => process.stdout.write(`${text}\n`);
const complain = (text: string) => process.stderr.write(`${text}\n`);

function readLogLevel(level = "warn"): LogLevel {
  if (level === "debug" || level === "info" || level === "warn" || level === "error") return level;
  throw new UserError(`BINNACLE_LOG_LEVEL must be debug, info, warn or error, not ${level}.`);
}

/**
 * The heap is collected when it has grown by this much, in percent, since the last time. Left to itself the engine lets it become four
 * times as large where memory is plenty; on a laptop others want that memory, too.
 */
const heapGrowthPercent = 60;

async function main(): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
  const options = readOptions(process.argv.slice(2));
  if (options === "help") return void say(help.trimEnd());

  let stop: (() => Promise<void>) | undefined;
  let stopping = false;
  const end = (signal: NodeJS.Signals) => {
    // The second time, or before there is anything to stop, it ends at once.
    if (stopping || !stop) process.exit(signal === "SIGINT" ? 130 : 143);
    stopping = true;
    say("Stopping; once more to end at once.");
    void stop().then(() => process.exit(0));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  // A function that fails beside its promise ends its environment on AWS; here it must not end everything.
  process.on("unhandledRejection", (error) => complain(`unhandled rejection: ${error instanceof Error ? error.stack : String(error)}`));

  const local = await startLocal({
    ...options,
    logLevel: readLogLevel(process.env.BINNACLE_LOG_LEVEL),
    rulesFile: process.env.BINNACLE_SIMULATED_RULES,
  });
  stop = () => local.stop();
  say(local.engineNotice);
  say(
    `State: ${local.dataPath} (${local.dynamoDbName}). AWS services: aws --endpoint-url ${local.awsUrl} ecs list-tasks --cluster binnacle-default`,
  );
  say(`Binnacle is ready at ${local.url} (export KUBECONFIG=${local.kubeconfigPath})`);
  const why = await local.ended;
  if (stopping) return;
  stopping = true;
  complain(`Binnacle cannot go on: ${why.message}.`);
  await local.stop();
  process.exit(1);
}

main().catch((error: unknown) => {
  complain(
    error instanceof UserError ? error.message : `Binnacle could not start: ${error instanceof Error ? error.stack : String(error)}`,
  );
  process.exit(1);
});
