import { describe, expect, it } from "vitest";
import type { Service } from "../../shared/api/generated/types.ts";
import type { JsonObject } from "../../shared/api/objects.ts";
import { bootstrap } from "../../shared/registry/bootstrap.ts";
import { inProcessClient } from "../../shared/registry/client.ts";
import { addressAt, contains, parseRange, pickAddress, type Range } from "../../shared/registry/services/ranges.ts";
import { aRegistry, driven, refusal, type TestRegistry } from "../support/registry.ts";

const service = (name: string, spec: JsonObject = {}): JsonObject => ({
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
});

const create = async (api: TestRegistry, name: string, spec: JsonObject = {}): Promise<Service> =>
  (await api.create("services", service(name, spec))) as unknown as Service;

const range = (text: string): Range => {
  const parsed = parseRange(text);
  if (parsed === undefined) throw new Error(`no range ${text}`);
  return parsed;
};

describe("a Service's cluster address", () => {
  it("is allocated from the cluster's range, and stays", async () => {
    const api = await aRegistry();
    const { spec } = await create(api, "a");
    expect(spec).toMatchObject({ clusterIPs: [spec?.clusterIP], ipFamilies: ["IPv4"], ipFamilyPolicy: "SingleStack" });
    expect(contains(range("10.96.0.0/12"), spec?.clusterIP ?? "")).toBe(true);
    const changed = await api.patch("services", "a", { type: "merge", body: { spec: { ports: [{ port: 81 }] } } });
    expect(changed).toMatchObject({ spec: { clusterIP: spec?.clusterIP } });
    const replaced = await api.update("services", service("a"));
    expect(replaced).toMatchObject({ spec: { clusterIP: spec?.clusterIP } });
  });

  it("is the first of the range for the API's own Service, and for no other", async () => {
    const api = await aRegistry({ random: () => 0 });
    expect((await create(api, "kubernetes")).spec?.clusterIP).toBe("10.96.0.1");
    expect((await create(api, "a")).spec?.clusterIP).not.toBe("10.96.0.1");
  });

  it("can be asked for, if it is free and in the range", async () => {
    const api = await aRegistry();
    expect((await create(api, "a", { clusterIP: "10.96.0.10" })).spec?.clusterIPs).toEqual(["10.96.0.10"]);
    expect((await refusal(create(api, "b", { clusterIP: "10.96.0.10" }))).message).toContain(
      "failed to allocate IP 10.96.0.10: provided IP is already allocated",
    );
    expect((await refusal(create(api, "c", { clusterIP: "192.168.0.1" }))).message).toContain(
      "the provided IP (192.168.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/12",
    );
  });

  it("is free again when its Service is gone", async () => {
    const api = await aRegistry();
    await create(api, "a", { clusterIP: "10.96.0.10" });
    await api.remove("services", "a");
    expect((await create(api, "b", { clusterIP: "10.96.0.10" })).spec?.clusterIP).toBe("10.96.0.10");
  });

  it.each([
    { name: "a headless Service", spec: { clusterIP: "None" }, has: { clusterIP: "None", clusterIPs: ["None"], ipFamilies: ["IPv4"] } },
    {
      name: "a headless one without a selector",
      spec: { clusterIP: "None", selector: undefined },
      has: { clusterIPs: ["None"], ipFamilies: ["IPv4", "IPv6"], ipFamilyPolicy: "RequireDualStack" },
    },
  ])("$name has none", async ({ spec, has }) => {
    const api = await aRegistry();
    expect((await create(api, "a", spec)).spec).toMatchObject(has);
  });

  it("may not change once set, and is not looked for elsewhere first", async () => {
    const api = await aRegistry();
    const [a, b] = [await create(api, "a"), await create(api, "b")];
    for (const clusterIP of ["9.9.9.9", b.spec?.clusterIP])
      expect(await refusal(api.patch("services", "a", { type: "merge", body: { spec: { clusterIP } } }))).toMatchObject({
        code: 422,
        message: `Service "a" is invalid: spec.clusterIPs[0]: Invalid value: ["${clusterIP}"]: may not change once set`,
      });
    expect((await api.get("services", "a")).spec).toMatchObject({ clusterIP: a.spec?.clusterIP });
  });

  it("an ExternalName has none until it becomes something else", async () => {
    const api = await aRegistry();
    const made = await create(api, "a", { type: "ExternalName", externalName: "example.com" });
    expect(made.spec).not.toHaveProperty("clusterIP");
    const changed = await api.patch("services", "a", { type: "merge", body: { spec: { type: "ClusterIP", externalName: null } } });
    expect((changed as unknown as Service).spec?.clusterIP).toMatch(/^10\./);
  });

  it("an ExternalName forgets how traffic reached it", async () => {
    const api = await aRegistry();
    const made = await create(api, "a", {});
    expect(made.spec).toMatchObject({ internalTrafficPolicy: "Cluster" });
    const spec = { type: "ExternalName", externalName: "example.com" };
    const changed = await api.patch("services", "a", { type: "merge", body: { spec } });
    expect(changed.spec).not.toHaveProperty("internalTrafficPolicy");
  });

  it("comes from the ranges that ServiceCIDRs name, of both families where there are both", async () => {
    const api = await aRegistry();
    await bootstrap(inProcessClient(api.registry, { cluster: "test", part: "bootstrap" }));
    await api.create("servicecidrs.networking.k8s.io", { metadata: { name: "six" }, spec: { cidrs: ["fd00:10::/112"] } });
    const { spec } = await create(api, "a", { ipFamilyPolicy: "PreferDualStack" });
    expect(spec).toMatchObject({
      ipFamilies: ["IPv4", "IPv6"],
      clusterIPs: [expect.stringMatching(/^10\./), expect.stringMatching(/^fd00:10::/)],
    });
  });

  it("two families cannot be had where the cluster has one", async () => {
    const api = await aRegistry();
    expect((await refusal(create(api, "a", { ipFamilyPolicy: "RequireDualStack" }))).message).toContain(
      "this cluster is not configured for dual-stack services",
    );
    expect((await create(api, "b", { ipFamilyPolicy: "PreferDualStack" })).spec?.ipFamilies).toEqual(["IPv4"]);
  });

  it("rule 24: a hundred Services made at once by two processes have a hundred addresses", async () => {
    // Every process would pick the same ones.
    const one = await aRegistry({ random: () => 0.25 });
    const other = await aRegistry({ table: one.table, clock: one.clock, random: () => 0.25 });
    const made = Array.from({ length: 100 }, (_, n) => create(n % 2 ? one : other, `s${n}`, { type: "NodePort" }));
    const services = await driven(one, Promise.all(made));
    expect(new Set(services.map(({ spec }) => spec?.clusterIP)).size).toBe(100);
    expect(new Set(services.map(({ spec }) => spec?.ports?.[0]?.nodePort)).size).toBe(100);
  });
});

describe("a Service's node ports", () => {
  it("are allocated, kept, and given back", async () => {
    const api = await aRegistry();
    const { spec } = await create(api, "a", { type: "NodePort" });
    const port = spec?.ports?.[0]?.nodePort ?? 0;
    expect(port >= 30_000 && port <= 32_767).toBe(true);
    expect(await api.update("services", service("a", { type: "NodePort" }))).toMatchObject({ spec: { ports: [{ nodePort: port }] } });
    const plain = await api.patch("services", "a", { type: "merge", body: { spec: { type: "ClusterIP" } } });
    expect((plain as unknown as Service).spec?.ports?.[0]).not.toHaveProperty("nodePort");
    expect((await create(api, "b", { type: "NodePort", ports: [{ port: 80, nodePort: port }] })).spec?.ports?.[0]?.nodePort).toBe(port);
  });

  it("can be asked for, if they are free and in the range", async () => {
    const api = await aRegistry();
    await create(api, "a", { type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] });
    expect((await refusal(create(api, "b", { type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] }))).message).toContain(
      "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated",
    );
    expect((await refusal(create(api, "c", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] }))).message).toContain(
      "provided port is not in the valid range. The range of valid ports is 30000-32767",
    );
  });

  it("one number serves both protocols of a port", async () => {
    const api = await aRegistry();
    const ports = [
      { name: "tcp", port: 53, protocol: "TCP" },
      { name: "udp", port: 53, protocol: "UDP" },
    ];
    const { spec } = await create(api, "dns", { type: "NodePort", ports });
    expect(spec?.ports?.[0]?.nodePort).toBe(spec?.ports?.[1]?.nodePort);
  });

  it("a load balancer has them, and a port for health checks where traffic stays local", async () => {
    const api = await aRegistry();
    const { spec } = await create(api, "a", { type: "LoadBalancer", externalTrafficPolicy: "Local" });
    expect(spec?.ports?.[0]?.nodePort).toBeGreaterThan(0);
    expect(spec?.healthCheckNodePort).toBeGreaterThan(0);
    const without = await create(api, "b", { type: "LoadBalancer", allocateLoadBalancerNodePorts: false });
    expect(without.spec?.ports?.[0]).not.toHaveProperty("nodePort");
  });
});

describe("ranges of addresses", () => {
  it("leave the lower part to those who ask, until the rest is used up", () => {
    const small = range("10.0.0.0/27");
    const taken = new Set<string>();
    const picked: string[] = [];
    for (;;) {
      const address = pickAddress(
        small,
        (one) => taken.has(one),
        () => 0,
      );
      if (address === undefined) break;
      taken.add(address);
      picked.push(address);
    }
    expect(picked[0]).toBe("10.0.0.16");
    // All but the network's own, the API's and the broadcast address.
    expect(picked).toHaveLength(29);
    expect(new Set(picked).size).toBe(29);
  });

  it("know their addresses, also in IPv6", () => {
    expect(addressAt(range("10.96.0.0/12"), 257n)).toBe("10.96.1.1");
    expect(addressAt(range("fd00::/108"), 1n)).toBe("fd00::1");
    expect([
      contains(range("10.0.0.0/24"), "10.0.0.0"),
      contains(range("10.0.0.0/24"), "10.0.0.7"),
      contains(range("10.0.0.0/24"), "fd00::1"),
    ]).toEqual([false, true, false]);
  });
});
