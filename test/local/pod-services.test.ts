import packet from "dns-packet";
import { afterEach, describe, expect, it } from "vitest";
import { upstream } from "../../local/dns/upstream.ts";
import type { ServedNetwork } from "../../local/engine/docker/runtime.ts";
import { type PodServices, podServices } from "../../local/pod-services.ts";
import type { KindRef } from "../../shared/api/client.ts";
import type { KubeObject } from "../../shared/api/objects.ts";
import type { Fed, Feed } from "../../shared/runtime/feed.ts";
import { jsonLog } from "../../shared/runtime/log.ts";
import { aSlice } from "../support/names.ts";
import { aService } from "../support/services.ts";

let services: PodServices | undefined;
afterEach(() => services?.close());

const network = (gateway: string): ServedNetwork => ({
  name: "binnacle-test",
  cidr: "127.0.0.0/16",
  gateway,
  resolver: "127.0.0.2",
  addressOf: (address) => address,
  contains: () => true,
  removeIfEmpty: async () => {},
  relayResolver: async () => {
    throw new Error("no relay here");
  },
});

function world(listen: (host: string, port: number) => Promise<{ close(): Promise<void> }> = async () => ({ close: async () => {} })) {
  const said: string[] = [];
  const objects: Record<string, readonly KubeObject[]> = {
    services: [aService({}, { namespace: "shop" })],
    endpointslices: [aSlice("web", [{ addresses: ["10.200.0.5"] }])],
  };
  const feed: Feed = {
    read: async <T extends KubeObject>({ plural }: KindRef<T>) => ({ all: objects[plural] ?? [], revision: 1 }) as Fed as Fed<T>,
  };
  const asked: string[] = [];
  services = podServices({
    clusterAt: (address) => `cluster-of-${address}`,
    feed: async (cluster) => {
      asked.push(cluster);
      return feed;
    },
    apiPorts: [6443, 443],
    listen,
    random: () => 0,
    log: jsonLog((line) => said.push(line), "info"),
  });
  return { services, said, asked };
}

describe("what Pods are served", () => {
  it.skipIf(process.getuid?.() !== 0)("are names, each Pod those of its own cluster", async () => {
    const { services, asked } = world();
    expect(await services.serve(network("127.0.77.1"))).toMatchObject({ nameserver: "127.0.77.1", clusterDomain: "cluster.local" });
    const query = packet.encode({ type: "query", id: 1, flags: 0, questions: [{ name: "web.shop.svc.cluster.local", type: "A" }] });
    const answer = await upstream({ nameservers: async () => ["127.0.77.1"] }).ask(query, "udp");
    expect(answer && packet.decode(answer)).toMatchObject({ answers: [{ data: "10.200.0.5" }] });
    expect(asked).toEqual([expect.stringMatching(/^cluster-of-127\./)]);
  });

  it("is the API, at its own port and at that of its Service", async () => {
    const listened: string[] = [];
    const { services } = world(async (host, port) => {
      listened.push(`${host}:${port}`);
      return { close: async () => void listened.push(`closed ${port}`) };
    });
    await services.serve(network("192.0.2.1"));
    expect(listened).toEqual(["192.0.2.1:6443", "192.0.2.1:443"]);
    await services.close();
    expect(listened).toEqual(expect.arrayContaining(["closed 6443", "closed 443"]));
  });

  it("is said to be missing where the network is on another machine", async () => {
    const { services, said } = world(async () => {
      throw new Error("EADDRNOTAVAIL");
    });
    // An address for documentation: no machine has it.
    expect(await services.serve(network("192.0.2.1"))).toMatchObject({ nameserver: undefined });
    expect(said.map((line) => JSON.parse(line).message)).toEqual(
      expect.arrayContaining([
        "Pods cannot reach the API",
        expect.stringMatching(/^Names of Services do not resolve in Pods, and probes .*: the Pods' network is not on this machine/),
      ]),
    );
  });
});
