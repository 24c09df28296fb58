import { describe, expect, it } from "vitest";
import { hosts, type PodDns, resolvConf } from "../../../../local/engine/docker/pod-files.ts";

const dns = (overrides: Partial<PodDns> = {}): PodDns => ({
  nameserver: "10.200.0.1",
  clusterDomain: "cluster.local",
  machine: { nameservers: ["127.0.0.53", "192.0.2.53"], searches: ["corp.example"] },
  ...overrides,
});

describe("a Pod's resolv.conf", () => {
  it("finds Services of its namespace by their bare names, then of others, then the machine's own", () => {
    expect(resolvConf(dns(), "shop")).toBe(
      "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\nnameserver 10.200.0.1\noptions ndots:5\n",
    );
  });

  it("knows no namespace for a task that runs no Pod", () => {
    expect(resolvConf(dns(), undefined)).toMatch(/^search svc\.cluster\.local cluster\.local corp\.example$/m);
  });

  it("adds what the Pod asks for; an option of its own replaces the usual one", () => {
    const text = resolvConf(dns(), "shop", {
      nameservers: ["192.0.2.1"],
      searches: ["example.com", "cluster.local"],
      options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
    });
    expect(text).toBe(
      "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example example.com\nnameserver 10.200.0.1\nnameserver 192.0.2.1\noptions ndots:2 edns0\n",
    );
  });

  it("None: holds nothing but what the Pod asks for", () => {
    expect(resolvConf(dns(), "shop", { policy: "None", nameservers: ["192.0.2.1"], searches: ["example.com"] })).toBe(
      "search example.com\nnameserver 192.0.2.1\n",
    );
  });

  it("Default: uses the machine's resolver, but none that is on its loopback address", () => {
    expect(resolvConf(dns(), "shop", { policy: "Default" })).toBe("search corp.example\nnameserver 192.0.2.53\n");
  });

  it("Default: goes through ours where the machine's is on its loopback address only", () => {
    const machine = { nameservers: ["127.0.0.53"], searches: [] };
    expect(resolvConf(dns({ machine }), "shop", { policy: "Default" })).toBe("nameserver 10.200.0.1\n");
  });

  it("uses the machine's resolver where ours cannot be", () => {
    expect(resolvConf(dns({ nameserver: undefined }), "shop")).toBe("search corp.example\nnameserver 192.0.2.53\n");
  });

  it("has no more servers than the C library reads", () => {
    expect(resolvConf(dns(), "shop", { nameservers: ["192.0.2.1", "192.0.2.2", "192.0.2.3"] }).match(/^nameserver/gm)).toHaveLength(3);
  });
});

describe("a Pod's hosts", () => {
  it("name the Pod itself, with its domain first, and its aliases", () => {
    const text = hosts({
      address: "10.200.0.7",
      hostname: "web-0",
      fqdn: "web-0.web.shop.svc.cluster.local",
      aliases: [{ ip: "192.0.2.1", hostnames: ["db", "db.example.com"] }],
    });
    expect(text).toMatch(/^127\.0\.0\.1\tlocalhost$/m);
    expect(text).toMatch(/^10\.200\.0\.7\tweb-0\.web\.shop\.svc\.cluster\.local\tweb-0$/m);
    expect(text).toMatch(/^192\.0\.2\.1\tdb\tdb\.example\.com$/m);
  });
});
