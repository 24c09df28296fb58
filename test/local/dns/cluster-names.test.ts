import { describe, expect, it } from "vitest";
import { type Answer, type Directory, lookUp } from "../../../local/dns/cluster-names.ts";
import type { Service } from "../../../shared/api/generated/types.ts";
import { aSlice, directoryOf } from "../../support/names.ts";
import { aService } from "../../support/services.ts";

const at = (directory: Directory, name: string, type = "A") => lookUp(directory, name, type);
const data = (answer: Answer) =>
  answer.type === "found" ? answer.answers.map((record) => ("data" in record ? record.data : undefined)) : answer.type;

const web: Service = aService({}, { namespace: "shop" });
const ready = aSlice("web", [{ addresses: ["10.200.0.5"] }, { addresses: ["10.200.0.6"], conditions: { ready: true } }]);

describe("the name of a Service", () => {
  const directory = directoryOf([web], [ready]);

  it("stands for its ready Pods: there is no address of its own", () => {
    expect(data(at(directory, "web.shop.svc.cluster.local"))).toEqual(["10.200.0.5", "10.200.0.6"]);
  });

  it("is the same in capitals, and answers in the words that were asked", () => {
    expect(at(directory, "WEB.shop.svc.Cluster.local")).toMatchObject({ answers: [{ name: "WEB.shop.svc.Cluster.local" }, {}] });
  });

  it("leaves out Pods that are not ready", () => {
    const slice = aSlice("web", [{ addresses: ["10.200.0.5"], conditions: { ready: false } }, { addresses: ["10.200.0.6"] }]);
    expect(data(at(directoryOf([web], [slice]), "web.shop.svc.cluster.local"))).toEqual(["10.200.0.6"]);
  });

  it("collects all slices, and names an address once", () => {
    const other = aSlice("web", [{ addresses: ["10.200.0.6"] }, { addresses: ["10.200.0.7"] }], { name: "web-2" });
    expect(data(at(directoryOf([web], [ready, other]), "web.shop.svc.cluster.local"))).toEqual(["10.200.0.5", "10.200.0.6", "10.200.0.7"]);
  });

  it("works for a Service without selector, by the slices that somebody else keeps", () => {
    const service: Service = { ...web, spec: { ports: web.spec.ports } };
    expect(data(at(directoryOf([service], [aSlice("web", [{ addresses: ["192.0.2.9"] }])]), "web.shop.svc.cluster.local"))).toEqual([
      "192.0.2.9",
    ]);
  });

  it("has AAAA records where slices are of IPv6, and none otherwise", () => {
    expect(data(at(directory, "web.shop.svc.cluster.local", "AAAA"))).toEqual([]);
    const six = aSlice("web", [{ addresses: ["fd00::5"] }], { addressType: "IPv6" });
    expect(data(at(directoryOf([web], [six]), "web.shop.svc.cluster.local", "AAAA"))).toEqual(["fd00::5"]);
  });

  it.each([
    { name: "is there without an address when nobody is ready", clusterIP: "10.96.0.1", answer: [] },
    { name: "is not there when it is headless and nobody is ready", clusterIP: "None", answer: "unknown" },
  ])("$name", ({ clusterIP, answer }) => {
    expect(data(at(directoryOf([aService({ clusterIP }, { namespace: "shop" })], []), "web.shop.svc.cluster.local"))).toEqual(answer);
  });

  it.each(["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"])("%s is there and has no records", (name) => {
    expect(data(at(directory, name))).toEqual([]);
  });

  it.each([
    "web.other.svc.cluster.local",
    "other.shop.svc.cluster.local",
    "other.svc.cluster.local",
    "a.b.c.web.shop.svc.cluster.local",
    "web.shop.cluster.local",
    "web.shop.svc.cluster.local.shop.svc.cluster.local",
    "example.com.svc.cluster.local",
  ])("%s is not there", (name) => {
    expect(at(directory, name)).toEqual({ type: "unknown" });
  });

  it.each(["example.com", "web", "web.shop", "notcluster.local", "xcluster.local"])("%s is none of the cluster's names", (name) => {
    expect(at(directory, name)).toEqual({ type: "elsewhere" });
  });
});

describe("the name of a Pod behind a Service", () => {
  const slice = aSlice("web", [
    { addresses: ["10.200.0.5"], hostname: "web-0" },
    { addresses: ["10.200.0.6"], hostname: "web-1", conditions: { ready: false } },
    { addresses: ["10.200.0.7"] },
  ]);
  const directory = directoryOf([aService({ clusterIP: "None" }, { namespace: "shop" })], [slice]);

  it.each([
    { pod: "web-0", answer: ["10.200.0.5"] },
    { pod: "web-1", answer: "unknown" },
    { pod: "web-2", answer: "unknown" },
    { pod: "10-200-0-7", answer: ["10.200.0.7"] },
  ])("$pod is $answer", ({ pod, answer }) => {
    expect(data(at(directory, `${pod}.web.shop.svc.cluster.local`))).toEqual(answer);
  });

  it("is found by its address", () => {
    expect(data(at(directory, "5.0.200.10.in-addr.arpa", "PTR"))).toEqual(["web-0.web.shop.svc.cluster.local"]);
    expect(at(directory, "9.0.200.10.in-addr.arpa", "PTR")).toEqual({ type: "elsewhere" });
  });

  it("can be made of its address without a Service", () => {
    expect(data(at(directory, "10-200-0-9.shop.pod.cluster.local"))).toEqual(["10.200.0.9"]);
    expect(at(directory, "10-200-0.shop.pod.cluster.local")).toEqual({ type: "unknown" });
    expect(at(directory, "10-200-0-9.other.pod.cluster.local")).toEqual({ type: "unknown" });
  });
});

describe("named ports", () => {
  const slice = aSlice("web", [{ addresses: ["10.200.0.5"], hostname: "web-0" }, { addresses: ["10.200.0.6"] }], {
    ports: [
      { name: "http", port: 8080, protocol: "TCP" },
      { name: "dns", port: 5353, protocol: "UDP" },
    ],
  });
  const directory = directoryOf([web], [slice]);

  it("SRV names a port of every ready Pod, and brings the addresses along", () => {
    expect(at(directory, "_http._tcp.web.shop.svc.cluster.local", "SRV")).toMatchObject({
      answers: [
        { type: "SRV", data: { port: 8080, weight: 50, target: "web-0.web.shop.svc.cluster.local" } },
        { type: "SRV", data: { port: 8080, weight: 50, target: "10-200-0-6.web.shop.svc.cluster.local" } },
      ],
      additionals: [
        { type: "A", name: "web-0.web.shop.svc.cluster.local", data: "10.200.0.5" },
        { type: "A", name: "10-200-0-6.web.shop.svc.cluster.local", data: "10.200.0.6" },
      ],
    });
  });

  it.each(["_http._udp", "_other._tcp", "http.tcp"])("%s is not there", (port) => {
    expect(at(directory, `${port}.web.shop.svc.cluster.local`, "SRV")).toEqual({ type: "unknown" });
  });
});

describe("an ExternalName Service", () => {
  it("is an alias", () => {
    const service: Service = { ...web, spec: { type: "ExternalName", externalName: "db.example.com" } };
    expect(at(directoryOf([service], []), "web.shop.svc.cluster.local")).toEqual({
      type: "alias",
      target: "db.example.com",
      record: { type: "CNAME", name: "web.shop.svc.cluster.local", ttl: 5, data: "db.example.com" },
    });
  });
});

it("says which version of the specification it keeps", () => {
  expect(data(at(directoryOf([], []), "dns-version.cluster.local", "TXT"))).toEqual(["1.1.0"]);
});
