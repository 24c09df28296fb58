/**
 * Lets Pods ask for names on port 53 though this user may not listen there: a container on their network does, and hands on what it is
 * asked. It needs no image with a program in it: it runs the very Node that runs this process, with the libraries that it has loaded.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type EngineApi, isNotFound } from "./api.ts";
import type { Flavour } from "./flavour.ts";
import { ownerLabel, roleLabel } from "./names.ts";
import type { PodNetwork } from "./network.ts";
import { networkCheck } from "./probe-actions.ts";

export interface ResolverRelay {
  /**
   * Starts it anew.
   * @param port of the DNS server at the network's gateway
   * @returns its address @throws {ApiError} when the engine cannot run it: its machine may be another one
   */
  readonly start: (port: number) => Promise<string>;
  stop(): Promise<void>;
}

const program = join(import.meta.dirname, "../../dns/relay-program.ts");
/** Its name says that it is a module, wherever it lies. */
const programPath = "/relay.mts";
const nobody = "65534:65534";
const startMs = 10_000;
const retryMs = 50;
const memoryBytes = 256 * 1_024 * 1_024;

export function resolverRelay(options: {
  readonly api: EngineApi;
  readonly flavour: Flavour;
  readonly owner: string;
  readonly network: PodNetwork;
  /** Empty: it brings nothing of its own. */
  readonly image: string;
}): ResolverRelay {
  const { api, flavour, owner, network, image } = options;
  const name = `${network.name}-resolver`;
  const stop = async () => {
    try {
      await api.call("DELETE", `/containers/${name}`, { query: { force: true } });
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  };
  return {
    async start(port) {
      await stop();
      const address = network.resolver;
      const libraries = loadedLibraries();
      const folders = [...new Set(libraries.map((path) => path.slice(0, path.lastIndexOf("/"))))];
      const mounts = [...new Set([process.execPath, ...libraries])].map((path) => `${path}:${path}:ro`);
      const { Id: id } = await api.call<{ readonly Id: string }>("POST", "/containers/create", {
        query: { name },
        body: {
          Image: image,
          Entrypoint: [process.execPath, programPath],
          Cmd: [address, network.gateway, String(port)],
          Env: [`LD_LIBRARY_PATH=${folders.join(":")}`, "NODE_OPTIONS="],
          User: nobody,
          Labels: { [ownerLabel]: owner, [roleLabel]: "resolver" },
          HostConfig: {
            NetworkMode: network.name,
            ReadonlyRootfs: true,
            CapDrop: ["ALL"],
            SecurityOpt: ["no-new-privileges"],
            Sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
            Memory: memoryBytes,
            RestartPolicy: { Name: "on-failure", MaximumRetryCount: 5 },
            LogConfig: flavour.logConfig,
            Binds: [...mounts, `${program}:${programPath}:ro`],
          },
          NetworkingConfig: { EndpointsConfig: { [network.name]: { IPAMConfig: { IPv4Address: address } } } },
        },
      });
      await api.call("POST", `/containers/${id}/start`);
      await listens(address);
      return address;
    },
    stop,
  };
}

/** Resolves when it listens, over TCP as over UDP. @throws {Error} when it does not come to that */
async function listens(address: string): Promise<void> {
  const port = 53;
  const deadline = Date.now() + startMs;
  for (;;) {
    const { success, output } = await networkCheck({ type: "tcpSocket", port }, address, retryMs * 10);
    if (success) return;
    if (Date.now() > deadline) throw new Error(`the relay does not listen: ${output}`);
    await delay(retryMs);
  }
}

/** Files of this process' dynamic libraries, the loader among them. */
function loadedLibraries(): readonly string[] {
  const report: NodeJS.ProcessReport & { excludeNetwork?: boolean } = process.report;
  const before = report.excludeNetwork ?? false;
  // Else it looks up the names of everybody we talk to.
  report.excludeNetwork = true;
  const { sharedObjects } = report.getReport() as { readonly sharedObjects?: readonly string[] };
  report.excludeNetwork = before;
  return (sharedObjects ?? []).filter((path) => path.startsWith("/") && existsSync(path));
}
