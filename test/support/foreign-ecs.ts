/** A cluster in somebody else's emulation of Amazon ECS, with a container instance made of an instance of its Amazon EC2. */
import { randomUUID } from "node:crypto";
import { CreateClusterCommand, DeleteClusterCommand, ECSClient, RegisterContainerInstanceCommand } from "@aws-sdk/client-ecs";
import { ecsTaskEngine } from "../../shared/aws/ecs-task-engine.ts";
import type { EcsCluster } from "./task-engine-suite.ts";

const region = "us-east-1";

/** @param endpoint such as `http://127.0.0.1:5000`; takes any credentials */
export async function foreignEcs(endpoint: string): Promise<EcsCluster> {
  const credentials = { accessKeyId: "local", secretAccessKey: "local" };
  const client = new ECSClient({ endpoint, region, credentials, maxAttempts: 1 });
  const cluster = `binnacle-${randomUUID()}`;
  await client.send(new CreateClusterCommand({ clusterName: cluster }));
  const instanceId = await ask(endpoint, { Action: "RunInstances", ImageId: "ami-12345678", MinCount: "1", MaxCount: "1" }, "instanceId");
  const { containerInstance } = await client.send(
    new RegisterContainerInstanceCommand({ cluster, instanceIdentityDocument: JSON.stringify({ instanceId, region }) }),
  );
  const subnet = await ask(endpoint, { Action: "DescribeSubnets" }, "subnetId");
  return {
    engine: ecsTaskEngine(client),
    cluster,
    containerInstanceArn: containerInstance?.containerInstanceArn ?? "",
    subnet,
    settle: async () => {},
    async stop() {
      await client.send(new DeleteClusterCommand({ cluster })).catch(() => {});
      client.destroy();
    },
  };
}

/** Amazon EC2's protocol, as far as two calls need it. @returns the text of the first element of that name */
async function ask(endpoint: string, parameters: Readonly<Record<string, string>>, element: string): Promise<string> {
  const scope = `Credential=local/20260101/${region}/ec2/aws4_request`;
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { Authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0` },
    body: new URLSearchParams({ Version: "2016-11-15", ...parameters }),
  });
  const text = await response.text();
  const found = new RegExp(`<${element}>([^<]+)<`).exec(text)?.[1];
  if (found === undefined) throw new Error(`${parameters.Action} answered ${response.status}: ${text}`);
  return found;
}
