/** Runs controllers and scheduler until nothing more changes. Deployed by `infra/binnacle-stack.ts`. */
import middy from "@middy/core";
import { createReconciler } from "../shared/app/reconciler.ts";
import { consumerHandler } from "./consumer-handler.ts";
import { core } from "./core.ts";
import { wakeUps } from "./wake-ups.ts";

export const handler = middy(consumerHandler("reconciler", createReconciler({ core, wakeUps })));
