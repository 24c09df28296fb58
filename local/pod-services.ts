/** What Pods find at their network's gateway, which is this machine: the names of their cluster, and the API. */
import type { Feed } from "../shared/runtime/feed.ts";
import type { Log } from "../shared/runtime/log.ts";
import { clusterDomain } from "./dns/cluster-names.ts";
import { openDirectory } from "./dns/directory.ts";
import { machineResolver } from "./dns/resolv-conf.ts";
import { createResolver } from "./dns/resolver.ts";
import { startDnsServer } from "./dns/server.ts";
import { upstream } from "./dns/upstream.ts";
import type { PodDns } from "./engine/docker/pod-files.ts";
import type { ServedNetwork } from "./engine/docker/runtime.ts";

export interface PodServicesOptions {
  /** Binnacle cluster of the Pod with this address. */
  readonly clusterAt: (address: string) => string;
  readonly feed: (cluster: string) => Promise<Feed>;
  /** Ports of the API on the gateway; the first one is expected there. */
  readonly apiPorts: readonly number[];
  readonly listen: (host: string, port: number) => Promise<{ close(): Promise<void> }>;
  readonly random: () => number;
  readonly log: Log;
}

export interface PodServices {
  /** Call when the gateway is an address of this machine. Never rejects: what cannot be had is said, and Pods do without. */
  serve(network: ServedNetwork): Promise<PodDns>;
  close(): Promise<void>;
}

const dnsPort = 53;

export function podServices(options: PodServicesOptions): PodServices {
  const { clusterAt, feed, apiPorts, listen, random, log } = options;
  const open: { close(): Promise<void> }[] = [];
  const directories = new Map<string, ReturnType<typeof openDirectory>>();
  const directory = async (clientAddress: string) => {
    const cluster = clusterAt(clientAddress);
    const known = directories.get(cluster) ?? openDirectory(await feed(cluster));
    directories.set(cluster, known);
    return known();
  };
  const resolver = createResolver({
    directory,
    upstream: upstream({ nameservers: async () => (await machineResolver()).nameservers }),
    random,
  });

  /** @returns where Pods find the names; undefined when they cannot */
  const serveNames = async ({ gateway, contains, resolver: relay, relayResolver }: ServedNetwork): Promise<string | undefined> => {
    const common = { address: gateway, resolver, serves: contains, log };
    try {
      open.push(await startDnsServer({ ...common, port: dnsPort }));
      return gateway;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EACCES") {
        log.error(whyNoNames(error as NodeJS.ErrnoException), { address: gateway, port: dnsPort, error });
        return undefined;
      }
    }
    // Only root listens on port 53; anybody who may use the engine can let a container do it.
    try {
      const server = await startDnsServer({ ...common, port: 0, relay });
      open.push(server);
      return await relayResolver(server.port);
    } catch (error) {
      log.error(whyNoNames({ code: "EACCES" }), { address: gateway, port: dnsPort, error });
      return undefined;
    }
  };
  const serveApi = async ({ gateway }: ServedNetwork): Promise<void> => {
    for (const [index, port] of apiPorts.entries()) {
      try {
        open.push(await listen(gateway, port));
      } catch (error) {
        if (index === 0) log.error("Pods cannot reach the API", { address: gateway, port, error });
      }
    }
  };

  return {
    async serve(network) {
      const [nameserver] = await Promise.all([serveNames(network), serveApi(network)]);
      return { nameserver, clusterDomain, machine: await machineResolver() };
    },
    async close() {
      await Promise.all(open.splice(0).map((one) => one.close()));
    },
  };
}

function whyNoNames({ code }: Pick<NodeJS.ErrnoException, "code">): string {
  switch (code) {
    case "EACCES":
      return "Names of Services do not resolve in Pods: this user may not listen on port 53. Allow it with: sudo sysctl net.ipv4.ip_unprivileged_port_start=53";
    case "EADDRNOTAVAIL":
      return "Names of Services do not resolve in Pods, and probes by HTTP, TCP and gRPC fail: the Pods' network is not on this machine but on one that the engine runs in";
    case "EADDRINUSE":
      return "Names of Services do not resolve in Pods: another program listens on port 53 of every address";
    default:
      return "Names of Services do not resolve in Pods";
  }
}
