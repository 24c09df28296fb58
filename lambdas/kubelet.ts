/** Turns bound Pods into ECS tasks and tasks into Pod status. Deployed by `infra/binnacle-stack.ts`. */
import middy from "@middy/core";
import { createKubelet } from "../shared/app/kubelet.ts";
import { ecsTaskEngine } from "../shared/aws/ecs-task-engine.ts";
import { consumerHandler } from "./consumer-handler.ts";
import { core } from "./core.ts";
import { wakeUps } from "./wake-ups.ts";

export const handler = middy(consumerHandler("kubelet", createKubelet({ core, wakeUps, tasks: ecsTaskEngine() })));
