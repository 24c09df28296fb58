/** Starts the whole control plane in this process: what `npm start` does, and what end-to-end tests call. */
import { request } from "node:https";
import { join, resolve } from "node:path";
import type { Context } from "aws-lambda";
import { functions as deployed } from "../infra/functions.ts";
import { persistentVolumes } from "../shared/api/kinds.ts";
import { version } from "../shared/app/version.ts";
import { dynamoDbTable } from "../shared/aws/dynamodb-table.ts";
import { diskGibAttribute, internalIpAttribute, podSlotsAttribute } from "../shared/capacity/attributes.ts";
import { clusterOf } from "../shared/kubelet/ingest.ts";
import { podTokens } from "../shared/kubelet/pod-tokens.ts";
import { volumeSource } from "../shared/kubelet/volume-source.ts";
import type { VolumeSource } from "../shared/kubelet/volumes.ts";
import { systemClock } from "../shared/runtime/clock.ts";
import { jsonLog, type Log, type LogLevel } from "../shared/runtime/log.ts";
import { freeTurns } from "../shared/runtime/turns.ts";
import { openStore } from "../shared/store/open-store.ts";
import { localAccount } from "./account.ts";
import { addressesOf, inUrl, isLoopback, isWildcard, loopback, servedAddress, spareAddress } from "./addresses.ts";
import { type Cloud, createCloud } from "./cloud.ts";
import { credentials } from "./data/credentials.ts";
import { checkNotEmptied, type DataFolder, damaged, fullDisk, openDataFolder } from "./data/folder.ts";
import { checkKubeconfig, writeKubeconfig } from "./data/kubeconfig.ts";
import { removeAbandoned } from "./data/volume-folders.ts";
import { usualDisorder } from "./dispatcher/bus.ts";
import type { LocalFunction } from "./dispatcher/functions.ts";
import { createTable, type DynamoDbEngine, NoEngineError, startDynamoDb } from "./dynamodb/engine.ts";
import { chooseEngine } from "./engine/choose.ts";
import { ownerOf } from "./engine/docker/names.ts";
import { apply, localEnvironment } from "./environment.ts";
import { installAwsLambda } from "./gateway/awslambda.ts";
import { type Gateway, startGateway } from "./gateway/start-gateway.ts";
import { awslogs } from "./logs/awslogs.ts";
import { openLogStore } from "./logs/log-store.ts";
import { lastType, nodeDiskGib } from "./nodes/fleet.ts";
import { instanceTypes, usualType } from "./nodes/instance-types.ts";
import { type PodServices, podServices } from "./pod-services.ts";
import { claimPort } from "./ports.ts";
import { openRecords, RecordsLockedError } from "./state/records.ts";
import { UserError } from "./user-error.ts";

export interface LocalOptions {
  /** Port of the Kubernetes API; 0 takes a free one. */
  readonly port: number;
  /** Folder for all state. */
  readonly data: string;
  /** File; `kubeconfig` in the data folder when absent. */
  readonly kubeconfig?: string | undefined;
  readonly engine?: "docker" | "simulated" | undefined;
  readonly nodes?: number;
  /** What the machines were the last time, or what suits the engine, when absent. */
  readonly nodeType?: string | undefined;
  /** More addresses to listen on, and names to answer to. */
  readonly hosts?: readonly string[];
  readonly provisionAny?: boolean;
  readonly logLevel?: LogLevel;
  /** File of rules for the simulated engine. */
  readonly rulesFile?: string | undefined;
  /** Where log lines go; standard output when absent. */
  readonly write?: (line: string) => void;
}

export interface Local {
  /** `https://127.0.0.1:PORT` */
  readonly url: string;
  readonly kubeconfigPath: string;
  /** Of the emulated AWS services, for `aws --endpoint-url`. */
  readonly awsUrl: string;
  readonly dataPath: string;
  /** What runs containers, in a sentence. */
  readonly engineNotice: string;
  /** What runs DynamoDB. */
  readonly dynamoDbName: string;
  readonly cloud: Cloud;
  /** Settles when it can go on no longer. */
  readonly ended: Promise<Error>;
  stop(): Promise<void>;
}

const deployment = "binnacle";
const firstCluster = "default";
const httpsPort = 443;
/** Functions that consume the cluster's changes, and are started once with everything to look at. */
const sweepers = ["capacity", "kubelet", "reconciler"] as const;
const sweepIntervalMs = 60 * 60_000;
/** Function logs are kept this long, as the stack's log groups keep them. */
const logRetentionMs = 30 * 24 * 60 * 60_000;
const readyTimeoutMs = 60_000;
const nodesPatienceMs = 1_000;

/** The functions read their settings when they are loaded, and a process loads a module once. */
let startedBefore = false;

/** @throws {UserError} for what the user can put right */
export async function startLocal(options: LocalOptions): Promise<Local> {
  if (startedBefore) throw new Error("startLocal() can be called once in a process: start another process for another control plane");
  startedBefore = true;
  const log = jsonLog(options.write ?? ((line) => process.stdout.write(`${line}\n`)), options.logLevel ?? "warn", { part: "local" });
  const { addresses, names } = addressesOf(options.hosts ?? []);
  const port = await claimPort(addresses[0] ?? loopback, options.port);
  for (const address of addresses.slice(1)) await claimPort(address, port);

  const undo: (() => void | Promise<void>)[] = [];
  const stop = async () => {
    for (const step of undo.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        log.error("could not stop cleanly", { error });
      }
    }
  };
  try {
    const folder = openDataFolder(options.data, version);
    undo.push(() => folder.release());
    const kubeconfigPath = resolve(options.kubeconfig ?? folder.file("kubeconfig"));
    checkKubeconfig(kubeconfigPath);
    const logs = openFile(folder, "logs.sqlite", openLogStore);
    undo.push(() => logs.close());
    // Set below, before the first Pod can ask for anything.
    let services: PodServices | undefined;
    let registryLogin: Cloud["registryLogin"] | undefined;
    const engine = await chooseEngine({
      engine: options.engine,
      rulesFile: options.rulesFile,
      clock: systemClock,
      log,
      lines: awslogs(logs),
      volumes: localVolumes(),
      docker: {
        owner: ownerOf(folder.path),
        folder: folder.file("pods"),
        serve: async (network) => {
          if (!services) throw new Error("the functions are not there yet");
          return services.serve(network);
        },
        ownRegistry: (registry) => registryLogin?.(registry),
      },
    });
    const podGateway = engine.docker?.network.gateway;
    const own = podGateway === undefined && addresses.every(isLoopback) ? await spareAddress(port) : undefined;
    const known = [...names, ...[podGateway, own].filter((address) => address !== undefined)];
    const secrets = await credentials(folder, known, systemClock.now());
    const account = localAccount(process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || "us-east-1");
    const records = openFile(folder, "aws.sqlite", openRecords);
    undo.push(() => records.close());

    // What containers really run on, as Amazon ECS names it. Where nothing runs, a machine may be what it likes.
    const architecture = engine.docker && (engine.docker.architecture === "amd64" ? "x86_64" : engine.docker.architecture);
    const nodeType = options.nodeType ?? lastType(records) ?? usualType[architecture ?? "arm64"];
    const eniSlots = instanceTypes[nodeType]?.eniSlots;
    if (eniSlots === undefined) throw new UserError(`unknown node type ${nodeType}`);

    const ownDynamoDb = Boolean(process.env.AWS_ENDPOINT_URL_DYNAMODB || process.env.AWS_ENDPOINT_URL || process.env.DYNAMODB_ENDPOINT);
    if (!ownDynamoDb) checkNotEmptied(folder, records);
    const dynamoDb = await startEngine(folder, log);
    undo.push(() => dynamoDb.stop());
    const tableClient = dynamoDb.client();
    undo.push(() => tableClient.destroy());
    const tableName = `${deployment}-local`;

    const cloud = await createCloud({
      account,
      clock: systemClock,
      log,
      random: Math.random,
      records,
      logs,
      images: folder.file("images"),
      engine: engine.factory,
      disorder: usualDisorder,
      deployment,
      cluster: firstCluster,
      nodes: {
        size: options.nodes ?? 3,
        type: nodeType,
        architecture,
        attributes: ({ privateIpv4Address }) => ({
          [internalIpAttribute]: privateIpv4Address,
          [diskGibAttribute]: String(nodeDiskGib),
          [podSlotsAttribute]: String(eniSlots),
        }),
      },
      functions: localFunctions(),
    });
    undo.push(() => cloud.stop());
    registryLogin = cloud.registryLogin;

    const url = `https://${loopback}:${port}`;
    const volumeFolder = join(folder.path, "volumes");
    const publicHost = names.find((name) => name === options.hosts?.[0] && !isWildcard(name)) ?? podGateway ?? loopback;
    apply(
      localEnvironment(
        {
          region: account.region,
          awsUrl: cloud.url,
          dynamoDbEndpoint: dynamoDb.endpoint,
          ownDynamoDb,
          deployment,
          tableName,
          podLogGroup: cloud.podLogGroup,
          podSubnets: cloud.vpc.subnets.map(({ zone, subnetId }) => ({ zone, subnet: subnetId })),
          podSecurityGroups: [cloud.vpc.securityGroupId],
          functionArnPrefix: cloud.functionArnPrefix,
          scheduleGroup: cloud.scheduleGroup,
          schedulerRoleArn: `arn:aws:iam::${account.accountId}:role/${deployment}-scheduler`,
          adminTokenSha256: secrets.adminTokenSha256,
          publicUrl: `https://${inUrl(publicHost)}:${port}`,
          endpointUrl: `https://${inUrl(podGateway ?? own ?? servedAddress(addresses) ?? publicHost)}:${port}`,
          podApiAddress: podGateway === undefined ? undefined : `${inUrl(podGateway)}:${port}`,
          apiCa: secrets.authority,
          provisionAny: options.provisionAny ?? false,
          volumeFolder,
          logLevel: options.logLevel ?? "warn",
        },
        process.env,
      ),
    );
    await createTable(tableClient, tableName);
    await cloud.followTable({ endpoint: dynamoDb.endpoint, tableName, client: tableClient });

    // The folder's lock says that no function runs: whoever holds a turn was killed.
    const table = dynamoDbTable({ client: tableClient, tableName });
    for (const cluster of await openStore({ table, clock: systemClock, log }).clusters()) await freeTurns(table, cluster);

    installAwsLambda();
    const { handler } = await import("../lambdas/api.ts");
    for (const address of addresses) {
      const gateway: Gateway = await startGateway({ handler, host: address, port, tls: secrets.server, log });
      undo.push(() => gateway.close());
    }
    if (own !== undefined) {
      try {
        const gateway = await startGateway({ handler, host: own, port, tls: secrets.server, fromHereOnly: true, log });
        undo.push(() => gateway.close());
      } catch (error) {
        // Somebody took the port meanwhile. Nothing but what follows the endpoints of default/kubernetes misses it.
        log.warn("the API is not served at the address that default/kubernetes names", { address: own, port, error });
      }
    }
    services = podServices({
      clusterAt: (address) => clusterOf(engine.docker?.clusterAt(address) ?? "", deployment) ?? firstCluster,
      feed: async (cluster) => (await import("../lambdas/core.ts")).core.feed(cluster),
      // Clients in Pods also look for it at the port that its Service has. Where it listens everywhere it is there already.
      apiPorts: addresses.some(isWildcard) ? [] : [port, ...(port === httpsPort ? [] : [httpsPort])],
      listen: (host, podPort) => startGateway({ handler, host, port: podPort, tls: secrets.server, log }),
      random: Math.random,
      log,
    });
    undo.push(() => services?.close());
    await answersReady(url, secrets.authority, secrets.adminToken);
    cloud.start();
    // Nodes stand before it says that it is ready. Not longer: a turn goes on while a machine that is away may come back.
    const registered = cloud.functions.invoke(cloud.functionName("capacity"), { consumer: "capacity", sweep: true });
    await Promise.race([registered, systemClock.sleep(nodesPatienceMs)]).catch((error: unknown) => {
      log.error("nodes are not registered yet", { error });
    });
    registered.catch(() => {});
    const sweep = () => {
      for (const consumer of sweepers) cloud.functions.enqueue(cloud.functionName(consumer), { consumer, sweep: true });
      logs.expire(systemClock.now().getTime() - logRetentionMs);
      void removeAbandoned(volumeFolder, volumesOfAllClusters, log);
    };
    sweep();
    cloud.schedules.every(sweepIntervalMs, sweep);
    writeKubeconfig(kubeconfigPath, { url, ca: secrets.authority, token: secrets.adminToken });
    return {
      url,
      kubeconfigPath,
      awsUrl: cloud.url,
      dataPath: folder.path,
      engineNotice: cloud.ecs.engine.notice,
      dynamoDbName: dynamoDb.name,
      cloud,
      ended: dynamoDb.ended.then(() => new Error(`${dynamoDb.name} ended by itself`)),
      stop,
    };
  } catch (error) {
    await stop();
    // Who has a line of its own says which file it was about.
    throw (error instanceof UserError ? undefined : fullDisk(options.data, error)) ?? error;
  }
}

/** SQLite's own numbers for a file that it did not write, or that was overwritten in part. */
const damages = new Set([11, 26]);

function openFile<T>(folder: DataFolder, name: "aws.sqlite" | "logs.sqlite", open: (file: string) => T): T {
  const file = folder.file(name);
  try {
    return open(file);
  } catch (error) {
    if (error instanceof RecordsLockedError)
      throw new UserError(`The data folder ${folder.path} is in use by another process.`, { cause: error });
    if (damages.has((error as { errcode?: number }).errcode ?? 0)) throw damaged(file, error);
    throw error;
  }
}

async function startEngine(folder: DataFolder, log: Log): Promise<DynamoDbEngine> {
  try {
    return await startDynamoDb({ dataFolder: folder.path, log });
  } catch (error) {
    // The engine opens the file itself, and all that it says is a line of text.
    if (error instanceof NoEngineError && /not a valid SQLite database|malformed/u.test(error.message)) {
      throw damaged(folder.file("dynamodb.sqlite"), error);
    }
    if (error instanceof NoEngineError) throw new UserError(`DynamoDB could not be started: ${error.message}`, { cause: error });
    throw error;
  }
}

/** What volumes hold, from the functions' own store; loaded when first needed, as the functions are. */
function localVolumes(): VolumeSource {
  let loading: Promise<VolumeSource> | undefined;
  const load = async () => {
    const { core } = await import("../lambdas/core.ts");
    const client = (cluster: string) => core.client(cluster, "engine");
    return volumeSource({ deployment, client, token: podTokens({ client, clock: systemClock }) });
  };
  return {
    async files(pod, volume) {
      loading ??= load();
      return (await loading).files(pod, volume);
    },
  };
}

/** Names of all PersistentVolumes there are. */
async function volumesOfAllClusters(): Promise<ReadonlySet<string>> {
  const { core } = await import("../lambdas/core.ts");
  const lists = (await core.clusters()).map((cluster) => core.client(cluster, "engine").list(persistentVolumes));
  return new Set((await Promise.all(lists)).flatMap(({ items }) => items.map(({ metadata }) => metadata.name)));
}

type Handler = LocalFunction["handler"];

/** The deployed functions but `api`, which the gateway calls; each is loaded when it is first invoked, as Lambda does. */
function localFunctions(): Record<string, LocalFunction> {
  const modules = {
    doorbell: () => import("../lambdas/doorbell.ts"),
    reconciler: () => import("../lambdas/reconciler.ts"),
    kubelet: () => import("../lambdas/kubelet.ts"),
    ingest: () => import("../lambdas/ingest.ts"),
    capacity: () => import("../lambdas/capacity.ts"),
  };
  return Object.fromEntries(
    Object.entries(modules).map(([name, load]): [string, LocalFunction] => {
      const settings = deployed[name as keyof typeof modules];
      return [
        name,
        {
          handler: async (event: unknown, context: Context) => ((await load()).handler as unknown as Handler)(event, context),
          timeoutMs: settings.timeoutSeconds * 1_000,
          concurrency: settings.reservedConcurrency,
          memorySize: settings.memorySize,
        },
      ];
    }),
  );
}

/** Resolves when the API says that it is ready. */
async function answersReady(url: string, ca: string, token: string): Promise<void> {
  const deadline = Date.now() + readyTimeoutMs;
  for (;;) {
    const { status, body } = await ask(`${url}/readyz`, ca, token);
    if (status === 200) return;
    if (Date.now() > deadline) throw new Error(`the API does not become ready: ${status} ${body}`);
    await systemClock.sleep(100);
  }
}

const ask = (url: string, ca: string, token: string): Promise<{ readonly status: number | undefined; readonly body: string }> =>
  new Promise((resolve, reject) => {
    const asking = request(url, { ca, agent: false, headers: { Authorization: `Bearer ${token}` } }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        body += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    asking.on("error", reject);
    asking.end();
  });
