import {
  CloudWatchLogsClient,
  DescribeLogStreamsCommand,
  GetLogEventsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-cloudwatch-logs";
import {
  ClientException,
  ClusterNotFoundException,
  CreateServiceCommand,
  DescribeContainerInstancesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListContainerInstancesCommand,
  RegisterTaskDefinitionCommand,
  StartTaskCommand,
} from "@aws-sdk/client-ecs";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { awslogs } from "../../../local/logs/awslogs.ts";
import { openLogStore } from "../../../local/logs/log-store.ts";
import { cloudWatchLogs } from "../../../local/logs/logs.ts";
import { type AwsServer, startAwsServer } from "../../../local/wire/server.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { aTaskDefinition, cluster, type LocalEcs, localEcs, startInput } from "../../support/local-ecs.ts";
import { requireProgram } from "../../support/tools.ts";

const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const servers: AwsServer[] = [];

async function served(local: LocalEcs = localEcs({ nodes: 2 })) {
  const store = openLogStore(":memory:");
  store.createGroup("/binnacle/pods", 0);
  const server = await startAwsServer({
    port: 0,
    services: [local.ecs.service, cloudWatchLogs({ store, account: local.account, clock: local.clock })],
    log: silentLog,
  });
  servers.push(server);
  const options = { endpoint: server.url, region: "us-east-1", credentials, maxAttempts: 1 };
  const ecs = new ECSClient(options);
  const logs = new CloudWatchLogsClient(options);
  onTestFinished(() => [ecs, logs].forEach((client) => client.destroy()));
  return { local, server, ecs, logs, store };
}

afterEach(() => Promise.all(servers.splice(0).map((server) => server.stop())));

describe("the AWS SDK", () => {
  it("registers, starts and describes, with dates as Dates", async () => {
    const { local, ecs } = await served();
    const { taskDefinition } = await ecs.send(new RegisterTaskDefinitionCommand(aTaskDefinition() as any));
    expect(taskDefinition?.registeredAt).toBeInstanceOf(Date);
    const { tasks } = await ecs.send(new StartTaskCommand(startInput(local, taskDefinition?.taskDefinitionArn ?? "") as any));
    await local.clock.advance(2_000);
    const described = await ecs.send(new DescribeTasksCommand({ cluster, tasks: [tasks?.[0]?.taskArn ?? ""] }));
    expect(described.tasks?.[0]?.lastStatus).toBe("RUNNING");
    expect(described.tasks?.[0]?.startedAt).toEqual(expect.any(Date));
    const { containerInstanceArns = [] } = await ecs.send(new ListContainerInstancesCommand({ cluster }));
    const { containerInstances } = await ecs.send(
      new DescribeContainerInstancesCommand({ cluster, containerInstances: containerInstanceArns }),
    );
    expect(containerInstances?.map(({ runningTasksCount }) => runningTasksCount).toSorted()).toEqual([0, 1]);
  });

  it("sees the service's own exceptions", async () => {
    const { local, ecs } = await served();
    await expect(ecs.send(new ListContainerInstancesCommand({ cluster: "nope" }))).rejects.toBeInstanceOf(ClusterNotFoundException);
    await expect(ecs.send(new StartTaskCommand(startInput(local, "nope:1") as any))).rejects.toBeInstanceOf(ClientException);
  });

  it("gets a throttle that it takes for one", async () => {
    const { ecs } = await served();
    const calls = Array.from({ length: 101 }, () => ecs.send(new ListContainerInstancesCommand({ cluster })));
    const failures = (await Promise.allSettled(calls)).flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatchObject({ name: "ThrottlingException", message: "Rate exceeded" });
  });

  it("gets UnknownOperationException for what is not emulated", async () => {
    const { ecs } = await served();
    await expect(ecs.send(new CreateServiceCommand({ serviceName: "s" }))).rejects.toMatchObject({ name: "UnknownOperationException" });
  });

  it("pages through a log stream, and learns by the token that there is nothing new", async () => {
    const { local, logs, store } = await served();
    const at = local.clock.now().getTime();
    const task = { taskArn: "arn:aws:ecs:us-east-1:0:task/c/abc" } as any;
    const container = {
      name: "main",
      logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "/binnacle/pods", "awslogs-stream-prefix": "web" } },
    } as any;
    for (let line = 0; line < 5; line += 1) awslogs(store).write(task, container, `line ${line}`, at + Math.floor(line / 2));
    const input = { logGroupName: "/binnacle/pods", logStreamName: "web/main/abc", startFromHead: true, limit: 3 };
    const first = await logs.send(new GetLogEventsCommand(input));
    expect(first.events?.map(({ message }) => message)).toEqual(["line 0", "line 1", "line 2"]);
    const second = await logs.send(new GetLogEventsCommand({ ...input, nextToken: first.nextForwardToken }));
    expect(second.events?.map(({ message }) => message)).toEqual(["line 3", "line 4"]);
    const third = await logs.send(new GetLogEventsCommand({ ...input, nextToken: second.nextForwardToken }));
    expect(third.events).toEqual([]);
    expect(third.nextForwardToken).toBe(second.nextForwardToken);
    const last = await logs.send(new GetLogEventsCommand({ ...input, startFromHead: false, limit: 2 }));
    expect(last.events?.map(({ message }) => message)).toEqual(["line 3", "line 4"]);
    const before = await logs.send(new GetLogEventsCommand({ ...input, nextToken: last.nextBackwardToken }));
    expect(before.events?.map(({ message }) => message)).toEqual(["line 0", "line 1", "line 2"]);
    const { logStreams } = await logs.send(new DescribeLogStreamsCommand({ logGroupName: "/binnacle/pods" }));
    expect(logStreams?.map(({ logStreamName }) => logStreamName)).toEqual(["web/main/abc"]);
    await expect(logs.send(new GetLogEventsCommand({ ...input, logStreamName: "nope" }))).rejects.toBeInstanceOf(ResourceNotFoundException);
  });
});

const post = (url: string, target: string, body: string) => fetch(url, { method: "POST", headers: { "X-Amz-Target": target }, body });

describe("the wire itself", () => {
  it("answers what is not JSON, too large, or for nobody", async () => {
    const { server } = await served();
    const ecs = "AmazonEC2ContainerServiceV20141113.ListClusters";
    expect(await (await post(server.url, ecs, "{")).json()).toMatchObject({ __type: "SerializationException" });
    expect((await post(server.url, ecs, " ".repeat(17 * 1_024 * 1_024))).status).toBe(413);
    expect(await (await post(server.url, "Nothing_20260101.Do", "{}")).json()).toMatchObject({ __type: "UnknownOperationException" });
    expect((await post(server.url, "AmazonEC2ContainerServiceV20141113.toString", "{}")).status).toBe(400);
    expect((await fetch(`${server.url}/nowhere`)).status).toBe(404);
  });
});

const hasAwsCli = await requireProgram("aws", ["--version"], "the AWS CLI against the emulated services");

describe.skipIf(!hasAwsCli)("the AWS CLI", () => {
  it("lists and describes", { timeout: 60_000 }, async () => {
    const { server, local } = await served();
    const aws = async (...args: readonly string[]) => {
      const { execFile } = await import("node:child_process");
      const env = {
        ...process.env,
        AWS_ACCESS_KEY_ID: "local",
        AWS_SECRET_ACCESS_KEY: "local",
        AWS_DEFAULT_REGION: "us-east-1",
        AWS_PAGER: "",
      };
      return new Promise<any>((resolve, reject) => {
        execFile("aws", ["--endpoint-url", server.url, "--output", "json", ...args], { env }, (error, stdout, stderr) =>
          error ? reject(new Error(stderr)) : resolve(JSON.parse(stdout)),
        );
      });
    };
    const { containerInstanceArns } = await aws("ecs", "list-container-instances", "--cluster", cluster);
    expect(containerInstanceArns).toHaveLength(2);
    expect((await aws("ecs", "describe-clusters", "--clusters", cluster)).clusters[0].registeredContainerInstancesCount).toBe(2);
    await expect(
      aws("ecs", "execute-command", "--cluster", cluster, "--task", "a".repeat(32), "--command", "sh", "--interactive"),
    ).rejects.toThrow();
    await expect(aws("ecs", "describe-tasks", "--cluster", "nope", "--tasks", "a".repeat(32))).rejects.toThrow("ClusterNotFoundException");
    expect(local.clock.sleeping).toBe(0);
  });
});
