/** Keeps Node objects in step with container instances. Deployed by `infra/binnacle-stack.ts`. */
import middy from "@middy/core";
import { createCapacity } from "../shared/app/capacity.ts";
import { ecsTaskEngine } from "../shared/aws/ecs-task-engine.ts";
import { consumerHandler } from "./consumer-handler.ts";
import { core } from "./core.ts";
import { wakeUps } from "./wake-ups.ts";

export const handler = middy(consumerHandler("capacity", createCapacity({ core, wakeUps, tasks: ecsTaskEngine() })));
