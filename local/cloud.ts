/**
 * The AWS account on a laptop, put together: ECS with its machines and engine, CloudWatch Logs, ECR, Lambda, EventBridge and Scheduler,
 * all but the last two reachable over the wire at one endpoint. (DynamoDB is an engine of its own, see `dynamodb/`.)
 */
import { randomUUID } from "node:crypto";
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { type ProbeReport, probeReportDetailType, probeReportSource } from "../shared/kubelet/probes.ts";
import type { Clock } from "../shared/runtime/clock.ts";
import type { Log } from "../shared/runtime/log.ts";
import type { Account } from "./account.ts";
import { createBus, type Disorder } from "./dispatcher/bus.ts";
import { eventSourceMapping } from "./dispatcher/event-source-mapping.ts";
import { createFunctions, type Functions, functionArn, type LocalFunction } from "./dispatcher/functions.ts";
import { lambdaService } from "./dispatcher/lambda-service.ts";
import { schedulerService } from "./dispatcher/scheduler-service.ts";
import { createSchedules, type Schedules } from "./dispatcher/schedules.ts";
import { readStream, type StreamReader } from "./dispatcher/stream-reader.ts";
import { watchWrites } from "./dispatcher/write-hints.ts";
import { distribution } from "./ecr/distribution/serve.ts";
import { ecr } from "./ecr/ecr.ts";
import { openRegistry, type Registry } from "./ecr/registry.ts";
import { registryUser } from "./ecr/tokens.ts";
import { createEcs, type Ecs } from "./ecs/ecs.ts";
import type { Event } from "./ecs/events.ts";
import { clusterArn } from "./ecs/references.ts";
import type { EngineFactory } from "./engine/engine.ts";
import type { LogStore } from "./logs/log-store.ts";
import { cloudWatchLogs } from "./logs/logs.ts";
import { type Fleet, startFleet } from "./nodes/fleet.ts";
import type { Architecture } from "./nodes/instance-types.ts";
import { createVpc, type Vpc } from "./nodes/vpc.ts";
import type { Records } from "./state/records.ts";
import { type AwsServer, startAwsServer } from "./wire/server.ts";

export interface CloudOptions {
  readonly account: Account;
  readonly clock: Clock;
  readonly log: Log;
  /** Between 0 and 1. */
  readonly random: () => number;
  readonly records: Records;
  readonly logs: LogStore;
  /** Folder of the registry's images. */
  readonly images: string;
  readonly engine: EngineFactory;
  readonly disorder: Disorder;
  /** Prefix of functions, ECS clusters and groups. */
  readonly deployment: string;
  /** The Binnacle cluster that the machines belong to. */
  readonly cluster: string;
  readonly nodes: {
    readonly size: number;
    readonly type: string;
    readonly architecture?: Architecture | undefined;
    readonly attributes: (node: { readonly privateIpv4Address: string }) => Readonly<Record<string, string>>;
  };
  /** By name, without the deployment's prefix; `doorbell` and `ingest` among them. */
  readonly functions: Readonly<Record<string, LocalFunction>>;
}

export interface Cloud {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly ecs: Ecs;
  readonly registry: Registry;
  /** What the account's own registry lets in; undefined for the names of other registries. */
  readonly registryLogin: (host: string) => { readonly username: string; readonly password: string } | undefined;
  readonly vpc: Vpc;
  readonly fleet: Fleet;
  readonly functions: Functions;
  readonly schedules: Schedules;
  /** Full name of a function. */
  functionName(name: string): string;
  /** ARN of the functions without their names. */
  readonly functionArnPrefix: string;
  readonly scheduleGroup: string;
  readonly podLogGroup: string;
  /** Begins to run tasks and functions: what they read when they are loaded must be in place. */
  start(): void;
  /** Rings the doorbell for what is written to the table from now on. */
  followTable(table: { readonly endpoint: string; readonly tableName: string; readonly client: DynamoDBClient }): Promise<void>;
  stop(): Promise<void>;
}

/** How often a batch of the table's stream is tried again, as the stack's mapping says. */
const streamRetries = 3;
/** How long running functions may finish when everything stops. */
const stopGraceMs = 1_000;

export async function createCloud(options: CloudOptions): Promise<Cloud> {
  const { account, clock, log, records, logs, deployment } = options;
  const functionName = (name: string) => `${deployment}-${name}`;
  const scheduleGroup = `${deployment}-wake-ups`;
  const podLogGroup = `/${deployment}/pods`;
  const clusterName = `${deployment}-${options.cluster}`;

  const functions = createFunctions({
    functions: Object.fromEntries(Object.entries(options.functions).map(([name, fn]) => [functionName(name), fn])),
    account,
    clock,
    log,
  });
  const schedules = createSchedules({
    records,
    clock,
    log,
    start: (target, event) => functions.enqueue(target.split(":").at(-1) ?? target, event),
  });
  const followed = new Set([clusterArn(account, clusterName)]);
  const bus = createBus({
    deliver(event) {
      if (followed.has(String(event.detail.clusterArn))) functions.enqueue(functionName("ingest"), event);
    },
    clock,
    random: options.random,
    disorder: options.disorder,
  });
  const vpc = createVpc(account);
  const ecs = createEcs({
    account,
    clock,
    records,
    vpc,
    events: bus,
    engine: options.engine,
    probed: (report) => bus.publish(probeEvent(account, report, clock.now())),
  });
  ecs.ensureCluster(clusterName);
  logs.createGroup(podLogGroup, clock.now().getTime());

  const registry = openRegistry({ records, account, clock, folder: options.images });
  const url = (): string => server.url;
  const server = await startServer(records, {
    services: [ecs.service, cloudWatchLogs({ store: logs, account, clock }), ecr({ registry, account, url })],
    streams: [distribution({ registry, url, log })],
    rest: [lambdaService(functions), schedulerService({ schedules, groups: [scheduleGroup], account, clock })],
    log,
  });
  const fleet = startFleet({ ecs, vpc, records, account, clusterName, ...options.nodes });
  let unwatch: (() => void) | undefined;
  let reader: StreamReader | undefined;
  let streams: DynamoDBStreamsClient | undefined;

  return {
    url: server.url,
    ecs,
    registry,
    registryLogin(host) {
      const { port, host: own } = new URL(server.url);
      if (host !== own && host !== `localhost:${port}`) return undefined;
      return { username: registryUser, password: registry.tokens.issue().password };
    },
    vpc,
    fleet,
    functions,
    schedules,
    functionName,
    functionArnPrefix: functionArn(account, functionName("")),
    scheduleGroup,
    podLogGroup,
    start() {
      functions.begin();
      ecs.adopt();
    },
    async followTable({ endpoint, tableName, client }) {
      const { Table: table } = await client.send(new DescribeTableCommand({ TableName: tableName }));
      const streamArn = table?.LatestStreamArn;
      if (streamArn === undefined) throw new Error(`the table ${tableName} has no stream`);
      streams = new DynamoDBStreamsClient({ endpoint, region: account.region, credentials: client.config.credentials });
      reader = await readStream({
        client: streams,
        streamArn,
        take: eventSourceMapping({
          streamArn,
          // Only slots and inbox items that concern somebody carry `ring`.
          filter: { dynamodb: { NewImage: { ring: { S: [{ exists: true }] } } } },
          invoke: (event) => functions.invoke(functionName("doorbell"), event),
          retries: streamRetries,
          clock,
          log,
        }),
        clock,
        log,
      });
      unwatch = watchWrites(endpoint, () => reader?.hint());
    },
    async stop() {
      unwatch?.();
      schedules.stop();
      bus.stop();
      await reader?.stop();
      await functions.stop(stopGraceMs);
      await ecs.engine.close();
      await server.stop();
      streams?.destroy();
    },
  };
}

/** Takes the port of the last time again if it is free, so that a copied `--endpoint-url` goes on working. */
async function startServer(records: Records, options: Omit<Parameters<typeof startAwsServer>[0], "port">): Promise<AwsServer> {
  const last = records.all<number>("local.port").get("aws") ?? 0;
  const server = await startAwsServer({ ...options, port: last }).catch(() => startAwsServer({ ...options, port: 0 }));
  records.put("local.port", "aws", Number(new URL(server.url).port));
  return server;
}

const probeEvent = (account: Account, report: ProbeReport, now: Date): Event => ({
  version: "0",
  id: randomUUID(),
  "detail-type": probeReportDetailType,
  source: probeReportSource,
  account: account.accountId,
  time: `${now.toISOString().slice(0, 19)}Z`,
  region: account.region,
  resources: [report.taskArn],
  detail: { ...report },
});
