/**
 * The adapter over the wire: against our own emulation of Amazon ECS, or against the endpoint that TEST_ECS_ENDPOINT names
 * (`npm run test:moto`, `npm run test:localstack`). TEST_ECS_LACKS lists what that is known to lack, joined by commas.
 */
import { ECSClient } from "@aws-sdk/client-ecs";
import { startAwsServer } from "../../local/wire/server.ts";
import { ecsTaskEngine } from "../../shared/aws/ecs-task-engine.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { foreignEcs } from "../support/foreign-ecs.ts";
import { cluster, localEcs } from "../support/local-ecs.ts";
import { describeTaskEngine, type EcsCluster, gaps } from "../support/task-engine-suite.ts";

async function ownEcs(): Promise<EcsCluster> {
  const local = localEcs({ nodes: 1 });
  const server = await startAwsServer({ port: 0, services: [local.ecs.service], log: silentLog });
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new ECSClient({ endpoint: server.url, region: "us-east-1", credentials, maxAttempts: 1 });
  return {
    engine: ecsTaskEngine(client),
    cluster,
    containerInstanceArn: local.fleet.nodes()[0]?.containerInstanceArn ?? "",
    subnet: local.vpc.subnets[0]?.subnetId ?? "",
    settle: () => local.clock.advance(5_000),
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

const endpoint = process.env.TEST_ECS_ENDPOINT;
const lacks = new Set(gaps.filter((gap) => process.env.TEST_ECS_LACKS?.split(",").includes(gap)));
if (endpoint) describeTaskEngine(endpoint, () => foreignEcs(endpoint), { lacks });
else describeTaskEngine("our own", ownEcs);
