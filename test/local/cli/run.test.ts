import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DescribeTasksCommand, ECSClient, ListTasksCommand } from "@aws-sdk/client-ecs";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

const main = join(import.meta.dirname, "../../../local/main.ts");
let folder: string;
let kubeconfig: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "binnacle-run-"));
  kubeconfig = join(folder, "elsewhere", "kubeconfig");
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

function start(): Running {
  const args = [main, "--port", "0", "--data", join(folder, "data"), "--kubeconfig", kubeconfig, "--nodes", "2"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  children.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  return { child, output: () => output, exit: once(child, "exit").then(([code]) => code as number | null) };
}

const poll = async <T>(what: () => Promise<T | undefined> | T | undefined, ms = 20_000): Promise<T> => {
  const deadline = Date.now() + ms;
  for (;;) {
    const found = await what();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error("it did not happen in time");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

/** @returns the endpoint of the emulated services */
const ready = async (running: Running): Promise<string> => {
  await poll(() => {
    if (running.child.exitCode !== null) throw new Error(running.output());
    return /^Binnacle is ready/mu.test(running.output()) || undefined;
  });
  return /http:\/\/127\.0\.0\.1:\d+/u.exec(running.output())?.[0] ?? "";
};

/** A request as kubectl would send it, by the kubeconfig. */
const api = (method: string, path: string, body?: object): Promise<any> => {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, "utf8"));
  const { server, ...cluster } = clusters[0].cluster;
  const ca = Buffer.from(cluster["certificate-authority-data"], "base64");
  const headers = { Authorization: `Bearer ${users[0].user.token}`, "Content-Type": "application/json" };
  return new Promise((resolve, reject) => {
    const asking = request(`${server}${path}`, { method, ca, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => resolve(JSON.parse(text)));
    });
    asking.on("error", reject);
    asking.end(body && JSON.stringify(body));
  });
};

const tasks = async (endpoint: string) => {
  const client = new ECSClient({ endpoint, region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } });
  const { taskArns = [] } = await client.send(new ListTasksCommand({ cluster: "binnacle-default" }));
  const described =
    taskArns.length > 0 ? await client.send(new DescribeTasksCommand({ cluster: "binnacle-default", tasks: taskArns })) : { tasks: [] };
  client.destroy();
  return described.tasks ?? [];
};

const aPod = { apiVersion: "v1", kind: "Pod", metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "nginx:1.29" }] } };
const pods = "/api/v1/namespaces/default/pods";

describe("npm start", () => {
  it("serves until it is killed, refuses a second one, goes on where it was, and stops on Ctrl-C", { timeout: 90_000 }, async () => {
    const first = start();
    const endpoint = await ready(first);
    expect(first.output()).toMatch(/runs no containers/u);
    expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
    const { items: nodes } = await poll(async () => {
      const list = await api("GET", "/api/v1/nodes");
      return list.items.length === 2 ? list : undefined;
    });
    await poll(async () => ((await api("POST", pods, aPod)).kind === "Pod" ? true : undefined));
    const running = await poll(async () => (await tasks(endpoint)).find(({ lastStatus }) => lastStatus === "RUNNING"));
    await poll(async () => ((await api("GET", `${pods}/web`)).status.phase === "Running" ? true : undefined));

    const second = start();
    expect(await second.exit).toBe(1);
    expect(second.output()).toMatch(new RegExp(`in use by another Binnacle \\(process ${first.child.pid}\\)`, "u"));

    first.child.kill("SIGKILL");
    await first.exit;

    const third = start();
    const again = await ready(third);
    expect(again).toBe(endpoint);
    const pod = await api("GET", `${pods}/web`);
    expect(pod.status.phase).toBe("Running");
    expect((await tasks(again)).map(({ taskArn, lastStatus }) => ({ taskArn, lastStatus }))).toEqual([
      { taskArn: running.taskArn, lastStatus: "RUNNING" },
    ]);
    expect((await api("GET", "/api/v1/nodes")).items.map(({ metadata }: any) => metadata.uid)).toEqual(
      nodes.map(({ metadata }: any) => metadata.uid),
    );
    await api("DELETE", `${pods}/web`);
    await poll(async () => ((await tasks(again)).length === 0 ? true : undefined));

    third.child.kill("SIGINT");
    expect(await third.exit).toBe(0);
    expect(third.output()).toContain("Stopping");
  });
});
