import { describe, expect, it } from "vitest";
import { ApiError, type EngineApi } from "../../../../local/engine/docker/api.ts";
import type { Flavour } from "../../../../local/engine/docker/flavour.ts";
import { overlaps, podNetwork, routes } from "../../../../local/engine/docker/network.ts";

/** An engine that has some subnets already. */
function engine(used: readonly string[], networks: readonly object[] = []) {
  const made: string[] = [];
  const api = { call: async () => networks } as unknown as EngineApi;
  const flavour = {
    async createNetwork(_name: string, subnet: string) {
      if (used.includes(subnet)) throw new ApiError("Pool overlaps with other one on this address space", 403);
      made.push(subnet);
    },
  } as unknown as Flavour;
  return { api, flavour, made };
}

describe("the Pods' network", () => {
  it("takes the pretended VPC's own subnet if it is free: then addresses are the same", async () => {
    const { api, flavour, made } = engine([]);
    const network = await podNetwork({ api, flavour, owner: "me", taken: ["192.168.1.0/24"] });
    expect(made).toEqual(["10.200.0.0/16"]);
    expect(network).toMatchObject({ name: "binnacle-me", cidr: "10.200.0.0/16", gateway: "10.200.0.1" });
    expect(network.addressOf("10.200.64.7")).toBe("10.200.64.7");
  });

  it("keeps out of the way of the machine's networks and of the engine's", async () => {
    const { api, flavour, made } = engine(["10.201.0.0/16"]);
    const network = await podNetwork({ api, flavour, owner: "me", taken: ["10.200.3.0/24"] });
    expect(made).toEqual(["10.202.0.0/16"]);
    expect(network.addressOf("10.200.64.7")).toBe("10.202.64.7");
    expect([network.contains("10.202.1.1"), network.contains("10.200.1.1")]).toEqual([true, false]);
  });

  it("is the one that an earlier process made", async () => {
    const known = { Name: "binnacle-me", IPAM: { Config: [{ Subnet: "10.207.0.0/16", Gateway: "10.207.0.1" }] } };
    const { api, flavour, made } = engine([], [known]);
    expect(await podNetwork({ api, flavour, owner: "me", taken: [] })).toMatchObject({ cidr: "10.207.0.0/16" });
    expect(made).toEqual([]);
  });

  it("is an error when the engine fails for another reason", async () => {
    const { api } = engine([]);
    const flavour = {
      createNetwork: async () => {
        throw new ApiError("no space left on device", 500);
      },
    } as unknown as Flavour;
    await expect(podNetwork({ api, flavour, owner: "me", taken: [] })).rejects.toThrow("no space left on device");
  });
});

describe("subnets in use", () => {
  it.each([
    { cidr: "10.200.3.0/24", prefix: "10.200", expected: true },
    { cidr: "10.201.0.0/16", prefix: "10.200", expected: false },
    { cidr: "10.0.0.0/8", prefix: "10.200", expected: true },
    { cidr: "10.200.0.1/32", prefix: "10.200", expected: true },
    { cidr: "192.168.1.7/24", prefix: "10.200", expected: false },
  ])("$cidr and $prefix.0.0/16: $expected", ({ cidr, prefix, expected }) => {
    expect(overlaps(cidr, prefix)).toBe(expected);
  });

  it("are in the table of routes, but for the one that leads everywhere", () => {
    const table = [
      "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT",
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
      "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
      "tun0\t0000C80A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
      "",
    ].join("\n");
    expect(routes(table)).toEqual(["192.0.2.0/24", "10.200.0.0/16"]);
  });
});
