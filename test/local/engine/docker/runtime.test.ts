/** The container runtime over real engines: podman and, where it is installed, Docker itself. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import packet from "dns-packet";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createResolver } from "../../../../local/dns/resolver.ts";
import { type DnsServer, startDnsServer } from "../../../../local/dns/server.ts";
import { upstream } from "../../../../local/dns/upstream.ts";
import { connect, type EngineApi } from "../../../../local/engine/docker/api.ts";
import { flavourOf } from "../../../../local/engine/docker/flavour.ts";
import type { ContainerLogs } from "../../../../local/engine/docker/log-follower.ts";
import { idOf } from "../../../../local/engine/docker/names.ts";
import { authOf } from "../../../../local/engine/docker/registry-auth.ts";
import { type DockerRuntime, dockerRuntime } from "../../../../local/engine/docker/runtime.ts";
import { tar } from "../../../../local/engine/docker/tar.ts";
import type { EngineContainer, EngineTask } from "../../../../local/engine/engine.ts";
import { dnsLabel, hostAliasesLabel, pullPolicyLabel, subdomainLabel } from "../../../../shared/kubelet/pod-tags.ts";
import { subPathsLabel, type VolumeFile, volumesLabel } from "../../../../shared/kubelet/volumes.ts";
import { systemClock } from "../../../../shared/runtime/clock.ts";
import { silentLog } from "../../../../shared/runtime/log.ts";
import { canRunDockerd, startDockerd } from "../../../support/dockerd.ts";
import { anEngineContainer, anEngineTask } from "../../../support/engine-tasks.ts";
import { type LocalRegistry, startLocalRegistry } from "../../../support/local-registry.ts";
import { aSlice, directoryOf } from "../../../support/names.ts";
import { canRunPodman, podmanStartMs, startPodman, type TestEngine } from "../../../support/podman.ts";
import { aService } from "../../../support/services.ts";

const possible = canRunPodman();
const engines = [
  { name: "podman", possible, start: async () => ({ ...(await startPodman()), stop: async () => {} }) },
  { name: "Docker", possible: possible && canRunDockerd(), start: async () => startDockerd(await startPodman()) },
];

/** Keeps lines by task and container. */
function memoryLogs(): ContainerLogs & { of(task: EngineTask, container?: string): readonly string[] } {
  const kept = new Map<string, { timestamp: number; message: string }[]>();
  const key = (task: EngineTask, { name }: Pick<EngineContainer, "name">) => `${task.taskArn} ${name}`;
  return {
    append: (task, container, lines) => void kept.set(key(task, container), [...(kept.get(key(task, container)) ?? []), ...lines]),
    position(task, container) {
      const timestamp = kept.get(key(task, container))?.at(-1)?.timestamp;
      if (timestamp === undefined) return undefined;
      return { timestamp, count: kept.get(key(task, container))?.filter((line) => line.timestamp === timestamp).length ?? 0 };
    },
    of: (task, name = "main") => kept.get(key(task, { name }))?.map(({ message }) => message) ?? [],
  };
}

describe.each(engines)("containers of $name", { timeout: 60_000 }, ({ possible: isPossible, start }) => {
  describe.skipIf(!isPossible)("where it is installed", () => {
    let engine: TestEngine & { stop(): Promise<void> };
    let api: EngineApi;
    let folder: string;
    let runtime: DockerRuntime;
    const logs = memoryLogs();
    const never = new AbortController().signal;
    const owner = `test${process.pid}`;
    const tasks: EngineTask[] = [];
    let addresses = 4;

    let registry: LocalRegistry;

    const ownRegistry = (host: string) => (host === registry.host ? registry.login : undefined);
    const open = (of = owner) =>
      dockerRuntime({
        api,
        owner: of,
        folder,
        logs,
        ownRegistry,
        serve: async ({ gateway }) => ({ nameserver: gateway, clusterDomain: "cluster.local", machine: { nameservers: [], searches: [] } }),
        clock: systemClock,
        log: silentLog,
      });

    beforeAll(async () => {
      engine = await start();
      api = await connect(engine.dockerHost, engine.socket, 5_000);
      folder = mkdtempSync(join(tmpdir(), "binnacle-pods-"));
      registry = await startLocalRegistry({ clock: systemClock });
      runtime = await open();
    }, podmanStartMs);
    afterEach(async () => {
      await Promise.all(tasks.splice(0).map((task) => runtime.closeSandbox(task)));
    });
    afterAll(async () => {
      await runtime?.close();
      await registry?.stop();
      await engine?.stop();
      if (folder) rmSync(folder, { recursive: true, force: true });
    }, 60_000);

    const shell = (script: string, overrides: Partial<EngineContainer> = {}): EngineContainer =>
      anEngineContainer({ image: engine.image, entryPoint: ["sh", "-c", script], ...overrides });
    /** A task with its sandbox. */
    const opened = async (...[overrides, pod]: Parameters<typeof anEngineTask>): Promise<EngineTask> => {
      const task = anEngineTask({ privateIpv4Address: `10.200.9.${addresses++}`, ...overrides }, pod);
      tasks.push(task);
      await runtime.openSandbox(task, never);
      return task;
    };
    /** Runs a container to its end. */
    const run = async (task: EngineTask, container: EngineContainer) => {
      const running = await runtime.start(task, container, never);
      return { ...(await running.exited), output: logs.of(task, container.name) };
    };
    const runScript = async (script: string, overrides: Partial<EngineContainer> = {}) => run(await opened(), shell(script, overrides));

    it("have the address of their task, which this machine and other Pods reach", async () => {
      const server = await opened();
      const { privateIpv4Address: address = "" } = await runtime.openSandbox(server, never);
      expect(address.split(".").slice(2)).toEqual(server.privateIpv4Address?.split(".").slice(2));
      expect(runtime.network.contains(address)).toBe(true);
      expect(runtime.clusterAt(address)).toBe(server.clusterArn);
      const gateways = Object.values(networkInterfaces()).flatMap((all) => all?.map(({ address: own }) => own) ?? []);
      expect(gateways).toContain(runtime.network.gateway);

      const serving = await runtime.start(server, shell("mkdir /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www"), never);
      const get = { type: "httpGet", scheme: "HTTP", port: 8080, path: "/", headers: [] } as const;
      await expect
        .poll(() => serving.check({ purpose: "readiness", action: get, timeoutMs: 1_000 }), { timeout: 10_000 })
        .toEqual({ success: true, output: "hello\n" });
      expect(await runScript(`wget -q -O- http://${address}:8080/`)).toMatchObject({ exitCode: 0, output: ["hello"] });
    });

    it("of one task share the network, but see each other's processes only when the task says so", async () => {
      const task = await opened();
      await runtime.start(task, shell("exec nc -l -p 9000 -e echo from beside", { name: "server" }), never);
      await expect
        .poll(async () => (await run(task, shell("nc 127.0.0.1 9000", { name: `client${addresses++}` }))).output, { timeout: 10_000 })
        .toEqual(["from beside"]);
      const first = "tr '\\0' ' ' < /proc/1/cmdline";
      expect((await run(task, shell(first, { name: "alone" }))).output).not.toEqual(["/sandbox "]);
      expect((await run(await opened({ pidMode: "task" }), shell(first))).output).toEqual(["/sandbox "]);
    });

    it("end with their exit code, and their output is kept whole", async () => {
      const result = await runScript("echo one; echo two >&2; printf unfinished; exit 3");
      expect(result.exitCode).toBe(3);
      expect(result.output.toSorted()).toEqual(["one", "two", "unfinished"]);
      const long = await runScript("head -c 40000 /dev/zero | tr '\\0' x; echo");
      expect(long.output.map(({ length }) => length)).toEqual([40_000]);
    });

    it("run as they are told to: user, folder, variables, capabilities, read-only root", async () => {
      const { output } = await runScript(
        'id -u; id -g; pwd; echo "$GREETING"; grep CapBnd /proc/self/status; touch /file || echo read-only; grep NoNewPrivs /proc/self/status',
        {
          user: "1234:5678",
          workingDirectory: "/tmp/work",
          environment: [{ name: "GREETING", value: "hello, $(world) = 1" }],
          linuxParameters: { capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] } },
          readonlyRootFilesystem: true,
          dockerSecurityOptions: ["no-new-privileges"],
        },
      );
      expect(output).toEqual(
        expect.arrayContaining([
          "1234",
          "5678",
          "/tmp/work",
          "hello, $(world) = 1",
          "CapBnd:\t0000000000001000",
          "read-only",
          "NoNewPrivs:\t1",
        ]),
      );
    });

    it("may serve on port 80 without being root", async () => {
      const { output } = await runScript("(nc -l -p 80 -e echo served &) ; sleep 0.2; nc 127.0.0.1 80", { user: "1000" });
      expect(output).toEqual(["served"]);
    });

    it("are limited in their memory, and it is said that this ended them", async () => {
      const { exitCode, reason } = await runScript("x=a; while true; do x=$x$x; done", { memory: 16 });
      expect({ exitCode, reason }).toEqual({ exitCode: 137, reason: "OutOfMemoryError: Container killed due to memory usage" });
    });

    it("get SIGTERM and SIGKILL, and that is no lack of memory", async () => {
      const task = await opened();
      const polite = await runtime.start(
        task,
        shell("trap 'echo bye; exit 5' TERM; while true; do sleep 0.1; done", { name: "polite" }),
        never,
      );
      const stubborn = await runtime.start(
        task,
        shell("trap '' TERM; while true; do sleep 0.1; done", { name: "stubborn", memory: 64 }),
        never,
      );
      await expect
        .poll(() => polite.check({ purpose: "health", action: { type: "exec", command: ["true"] }, timeoutMs: 5_000 }), { timeout: 10_000 })
        .toMatchObject({ success: true });
      await polite.signal("SIGTERM");
      expect(await polite.exited).toEqual({ exitCode: 5 });
      await stubborn.signal("SIGKILL");
      expect(await stubborn.exited).toEqual({ exitCode: 137 });
      await polite.signal("SIGTERM");
    });

    it("that cannot start say why, and can be tried again", async () => {
      const task = await opened();
      const broken = anEngineContainer({ image: engine.image, entryPoint: ["/no/such/program"] });
      await expect(runtime.start(task, broken, never)).rejects.toMatchObject({
        name: "StartError",
        message: expect.stringMatching(/^CannotStartContainerError: .*\/no\/such\/program/),
      });
      await expect(runtime.start(task, anEngineContainer({ image: `${engine.registry}/nothing:here` }), never)).rejects.toThrow(
        /^CannotCreateContainerError: .*no such image/i,
      );
      expect(await run(task, shell("echo now it does"))).toMatchObject({ exitCode: 0, output: ["now it does"] });
    });

    it("need a task with a network interface of its own", async () => {
      const task = anEngineTask({ networkMode: "bridge" });
      await expect(runtime.openSandbox(task, never)).rejects.toThrow(/^ResourceInitializationError: .*awsvpc/);
    });

    it("get their image from its registry, or it is said why not", async () => {
      const task = await opened();
      const always = { [pullPolicyLabel]: "Always" };
      expect(await runtime.pull(task, shell("true", { dockerLabels: always }), never)).toEqual({
        digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
      });
      const pull = (image: string) => runtime.pull(task, anEngineContainer({ image, dockerLabels: always }), never);
      await expect(pull(`${engine.registry}/nothing:here`)).rejects.toThrow(/^CannotPullContainerError: .*manifest unknown/);
      await expect(pull("127.0.0.1:1/nothing:here")).rejects.toThrow(/^CannotPullContainerError: .*connection refused/);
    });

    it("are probed by commands", async () => {
      const running = await runtime.start(await opened(), shell("sleep 60"), never);
      const check = (command: readonly string[], timeoutMs = 10_000) =>
        running.check({ purpose: "liveness", action: { type: "exec", command }, timeoutMs });
      expect(await check(["echo", "fine"])).toEqual({ success: true, output: "fine\n" });
      expect(await check(["sh", "-c", "echo out; echo err >&2; exit 1"])).toMatchObject({
        success: false,
        output: expect.stringMatching(/out[^]*err|err[^]*out/),
      });
      expect(await check(["/no/such/program"])).toMatchObject({ success: false, output: expect.stringMatching(/no\/such\/program/) });
      expect(await check(["sleep", "5"], 300)).toEqual({ success: false, output: 'command timed out: "sleep 5" timed out after 0.3s' });
    });

    it("know their Pod's name and whom it wants to find", async () => {
      const labels = {
        [subdomainLabel]: "web",
        [hostAliasesLabel]: JSON.stringify([{ ip: "192.0.2.1", hostnames: ["db"] }]),
        [dnsLabel]: JSON.stringify({ options: [{ name: "ndots", value: "2" }] }),
      };
      const task = await opened({ containers: [anEngineContainer({ dockerLabels: labels })] }, { name: "web-0" });
      const { privateIpv4Address: address } = await runtime.openSandbox(task, never);
      const { output } = await run(task, shell("hostname; cat /etc/hosts /etc/resolv.conf"));
      expect(output[0]).toBe("web-0");
      expect(output).toEqual(
        expect.arrayContaining([
          `${address}\tweb-0.web.shop.svc.cluster.local\tweb-0`,
          "192.0.2.1\tdb",
          "search shop.svc.cluster.local svc.cluster.local cluster.local",
          `nameserver ${runtime.network.gateway}`,
          "options ndots:2",
        ]),
      );
    });

    describe("volumes", () => {
      const mount = (sourceVolume: string, containerPath: string, subPath?: string) => ({
        mountPoints: [{ sourceVolume, containerPath }],
        ...(subPath !== undefined && { dockerLabels: { [subPathsLabel]: JSON.stringify({ [containerPath]: subPath }) } }),
      });
      const withScratch = () => opened({ volumes: [{ name: "scratch", host: {} }] });

      it("that begin empty are shared by the task's containers, whoever they run as, and hide what the image has there", async () => {
        const task = await withScratch();
        expect(
          (
            await run(
              task,
              shell("ls /bin | wc -l", { name: "hidden", ...mount("scratch", "/root"), entryPoint: ["sh", "-c", "ls /root"] }),
            )
          ).output,
        ).toEqual([]);
        await run(task, shell("echo from user > /data/file", { name: "writer", user: "1000", ...mount("scratch", "/data") }));
        expect((await run(task, shell("cat /other/file", { name: "reader", ...mount("scratch", "/other") }))).output).toEqual([
          "from user",
        ]);
      });

      it("can be mounted in part; the part is made where it is missing", async () => {
        const task = await withScratch();
        await run(task, shell("echo inside > /part/file", { name: "writer", user: "1000", ...mount("scratch", "/part", "deep/er") }));
        expect((await run(task, shell("cat /whole/deep/er/file", { name: "reader", ...mount("scratch", "/whole") }))).output).toEqual([
          "inside",
        ]);
      });

      it("do not lead out of themselves", async () => {
        const task = await withScratch();
        await run(task, shell("ln -s / /data/out", { name: "evil", ...mount("scratch", "/data") }));
        for (const subPath of ["out", "out/etc", "../../etc"]) {
          await expect(runtime.start(task, shell("true", mount("scratch", "/mnt", subPath)), never)).rejects.toThrow(
            /^CannotCreateContainerError: the path/,
          );
        }
      });

      it("that are filled show their files, change as a whole, and cannot be written to", async () => {
        const volume = { name: "config", defaultMode: 0o644, contents: [] };
        const container = shell(
          "cat /config/colour; touch /config/file 2>&1 | grep -o 'Read-only.*'; while ! grep -q green /config/colour; do sleep 0.1; done; cat /config/colour",
          {
            ...mount("config", "/config"),
          },
        );
        const labelled = { ...container, dockerLabels: { [volumesLabel]: JSON.stringify([volume]) } };
        const task = await opened({ containers: [labelled], volumes: [{ name: "config", host: {} }] });
        const file = (content: string): VolumeFile => ({ path: "colour", content: Buffer.from(content), mode: 0o644 });
        await runtime.fillVolume?.(task, volume, [file("blue\n")]);
        const running = await runtime.start(task, labelled, never);
        await expect.poll(() => logs.of(task).length, { timeout: 10_000 }).toBe(2);
        await runtime.fillVolume?.(task, volume, [file("green\n")]);
        expect(await running.exited).toEqual({ exitCode: 0 });
        expect(logs.of(task)).toEqual(["blue", "Read-only file system", "green"]);
        const single = shell("cat /file", { name: "single", ...mount("config", "/file", "colour") });
        expect((await run(task, single)).output).toEqual(["green"]);
        await expect(runtime.start(task, shell("true", { name: "none", ...mount("config", "/file", "missing") }), never)).rejects.toThrow(
          /^CannotCreateContainerError: failed to prepare subPath for volumeMount "config"/,
        );
      });
    });

    describe("another process", () => {
      it("adopts what runs and what has ended, and takes up its log without a line twice", async () => {
        const task = await opened();
        const ticking = shell("i=0; while true; do i=$((i+1)); echo $i; sleep 0.05; done", { name: "ticking" });
        const ending = shell("echo last words; exit 4", { name: "ending" });
        const first = await runtime.start(task, ticking, never);
        const ended = await runtime.start(task, ending, never);
        await expect.poll(() => logs.of(task, "ticking").length, { timeout: 10_000 }).toBeGreaterThan(5);
        await ended.exited;
        await runtime.close();

        runtime = await open();
        expect(await runtime.openSandbox(task, never)).toEqual({ privateIpv4Address: expect.any(String) });
        const adopted = await runtime.adopt(task, ticking, { lastStatus: "RUNNING", runtimeId: first.runtimeId });
        expect(adopted).toMatchObject({ runtimeId: first.runtimeId, startedAt: first.startedAt });
        const over = await runtime.adopt(task, ending, { lastStatus: "RUNNING", runtimeId: ended.runtimeId });
        expect(await over?.exited).toEqual({ exitCode: 4 });
        await expect.poll(() => logs.of(task, "ticking").length, { timeout: 10_000 }).toBeGreaterThan(40);
        expect(logs.of(task, "ticking")).toEqual(logs.of(task, "ticking").map((_, index) => String(index + 1)));
        expect(logs.of(task, "ending")).toEqual(["last words"]);
      });

      it("does not start again what an earlier one had started and could not say so", async () => {
        const task = await opened();
        const container = shell("echo started; sleep 60");
        const { runtimeId } = await runtime.start(task, container, never);
        await runtime.close();
        runtime = await open();
        await runtime.openSandbox(task, never);
        expect((await runtime.start(task, container, never)).runtimeId).toBe(runtimeId);
      });

      it("starts a container anew when it has seen its end", async () => {
        const task = await opened();
        const container = shell("echo again");
        const first = await runtime.start(task, container, never);
        await first.exited;
        const second = await runtime.start(task, container, never);
        await second.exited;
        expect(second.runtimeId).not.toBe(first.runtimeId);
        expect(logs.of(task)).toEqual(["again", "again"]);
      });

      it("knows nothing of a container that was removed", async () => {
        const task = await opened();
        const running = await runtime.start(task, shell("sleep 60"), never);
        await api.call("DELETE", `/containers/${running.runtimeId}`, { query: { force: true } });
        expect(await running.exited).toMatchObject({ exitCode: 137 });
        expect(await runtime.adopt(task, shell("sleep 60"), { lastStatus: "RUNNING", runtimeId: running.runtimeId })).toBeUndefined();
      });
    });

    it("find names by a relay, where this user may not listen on port 53", async () => {
      const names = directoryOf([aService({}, { namespace: "shop" })], [aSlice("web", [{ addresses: ["10.200.0.5"] }])]);
      const clients: string[] = [];
      let server: DnsServer | undefined;
      let relay = "";
      const relaying = await dockerRuntime({
        api,
        owner: `${owner}r`,
        folder,
        logs,
        ownRegistry,
        async serve({ gateway, resolver: address, contains, relayResolver }) {
          const directory = async (client: string) => {
            clients.push(client);
            return names;
          };
          const resolver = createResolver({ directory, upstream: { ask: async () => undefined }, random: () => 0 });
          server = await startDnsServer({ address: gateway, port: 0, resolver, serves: contains, relay: address, log: silentLog });
          relay = await relayResolver(server.port);
          return { nameserver: relay, clusterDomain: "cluster.local", machine: { nameservers: [], searches: [] } };
        },
        clock: systemClock,
        log: silentLog,
      });
      const task = anEngineTask();
      try {
        const { privateIpv4Address: address } = await relaying.openSandbox(task, never);
        const ask = shell("for i in $(seq 50); do nslookup web.shop.svc.cluster.local && break; sleep 0.1; done");
        await (await relaying.start(task, ask, never)).exited;
        expect(logs.of(task)).toContain("Address: 10.200.0.5");
        expect(new Set(clients)).toEqual(new Set([address]));
        // From here, too: over both transports.
        const query = packet.encode({ type: "query", id: 1, flags: 0, questions: [{ name: "web.shop.svc.cluster.local", type: "A" }] });
        for (const transport of ["udp", "tcp"] as const) {
          const answer = await upstream({ nameservers: async () => [relay] }).ask(query, transport);
          expect(answer && packet.decode(answer)).toMatchObject({ answers: [{ data: "10.200.0.5" }] });
        }
      } finally {
        await relaying.closeSandbox(task);
        await relaying.close();
        await server?.close();
      }
      const all = await api.call<readonly { readonly Names: readonly string[] }[]>("GET", "/containers/json", { query: { all: true } });
      expect(all.flatMap(({ Names }) => Names).filter((name) => name.includes(`${owner}r`))).toEqual([]);
    });

    it("run from an image that was pushed to the account's own registry", async () => {
      await registry.call("CreateRepository", { repositoryName: "shop/web" });
      const name = `${registry.host}/shop/web`;
      const headers = { "X-Registry-Auth": authOf(registry.host, registry.login) };
      const shellAlone = tar([{ name: "bin/sh", mode: 0o755, content: readFileSync("/bin/busybox") }]);
      await flavourOf(api).importImage(`${name}:v1`, shellAlone);
      await (api.engine === "podman"
        ? api.libpod("POST", `/images/${name}:v1/push`, { query: { destination: `${name}:v1`, tlsVerify: false }, headers })
        : api.call("POST", `/images/${name}/push`, { query: { tag: "v1" }, headers }));
      await api.call("DELETE", `/images/${name}:v1`);
      const { imageIds } = await registry.call("ListImages", { repositoryName: "shop/web" });
      expect(imageIds).toMatchObject([{ imageTag: "v1" }]);

      const task = await opened();
      const container = shell("echo from the registry", { image: `${name}:v1`, dockerLabels: { [pullPolicyLabel]: "Always" } });
      expect(await runtime.pull(task, container, never)).toEqual({ digest: imageIds[0].imageDigest });
      expect((await run(task, container)).output).toEqual(["from the registry"]);
      const byDigest = { ...container, image: `${name}@${imageIds[0].imageDigest}` };
      expect(await runtime.pull(task, byDigest, never)).toEqual({ digest: imageIds[0].imageDigest });
      const missing = runtime.pull(task, { ...container, image: `${name}:v2` }, never);
      await expect(missing).rejects.toThrow(/^CannotPullContainerError: /u);
    });

    describe("removal", () => {
      const left = async (task: EngineTask) => {
        const query = { all: true, filters: { label: [`com.amazonaws.ecs.task-arn=${task.taskArn}`] } };
        const { Volumes } = await api.call<{ Volumes: readonly unknown[] | null }>("GET", "/volumes", { query });
        return {
          containers: (await api.call<readonly unknown[]>("GET", "/containers/json", { query })).length,
          volumes: Volumes?.length ?? 0,
          folder: existsSync(join(folder, idOf(task))),
        };
      };
      const nothing = { containers: 0, volumes: 0, folder: false };

      it("takes everything of a task, and is the same twice", async () => {
        const task = await opened({ volumes: [{ name: "scratch", host: {} }] });
        await runtime.start(task, shell("sleep 60"), never);
        expect(await left(task)).toEqual({ containers: 2, volumes: 1, folder: true });
        await runtime.closeSandbox(task);
        expect(await left(task)).toEqual(nothing);
        await runtime.closeSandbox(task);
      });

      it("takes what is left of tasks that nobody knows any more, but never another control plane's", async () => {
        const [known, forgotten] = [await opened(), await opened({ volumes: [{ name: "scratch", host: {} }] })];
        const stranger = await open(`${owner}b`);
        const theirs = anEngineTask();
        await stranger.openSandbox(theirs, never);
        // Of a task that ended without its folder being removed.
        symlinkSync(folder, join(folder, "0123456789abcdef"));
        runtime.keepOnly?.(new Set([known.taskArn]));
        await runtime.openSandbox(known, never);
        expect(await left(forgotten)).toEqual(nothing);
        expect((await left(known)).containers).toBe(1);
        expect((await left(theirs)).containers).toBe(1);
        expect(existsSync(join(folder, "0123456789abcdef"))).toBe(false);
        await stranger.closeSandbox(theirs);
        await stranger.close();
        const networks = () => api.call<readonly { readonly Name: string }[]>("GET", "/networks");
        expect((await networks()).map(({ Name }) => Name)).not.toContain(`binnacle-${owner}b`);
      });
    });
  });
});
