import packet, { type Record as DnsRecord, type Packet } from "dns-packet";
import { describe, expect, it } from "vitest";
import type { Directory } from "../../../local/dns/cluster-names.ts";
import { createResolver } from "../../../local/dns/resolver.ts";
import type { Upstream } from "../../../local/dns/upstream.ts";
import type { Service } from "../../../shared/api/generated/types.ts";
import { aSlice, directoryOf } from "../../support/names.ts";
import { aService } from "../../support/services.ts";

const web = aService({}, { namespace: "shop" });
const addresses = (count: number) => Array.from({ length: count }, (_, index) => `10.200.${index >> 8}.${index & 255}`);
const slice = (count: number) =>
  aSlice(
    "web",
    addresses(count).map((address) => ({ addresses: [address] })),
  );
const name = "web.shop.svc.cluster.local";

interface Options {
  readonly directory?: Directory;
  readonly upstream?: Upstream["ask"];
  readonly random?: () => number;
}

const resolver = ({ directory = directoryOf([web], [slice(2)]), upstream = async () => undefined, random = () => 0.999 }: Options = {}) =>
  createResolver({ directory: async () => directory, upstream: { ask: upstream }, random });

const query = (asked: string, type = "A", additionals: DnsRecord[] = []): Buffer =>
  packet.encode({ type: "query", id: 4711, flags: packet.RECURSION_DESIRED, questions: [{ name: asked, type }], additionals });

async function ask(options: Options, message: Buffer, transport: "udp" | "tcp" = "udp"): Promise<Packet> {
  const answer = await resolver(options).resolve(message, "10.200.0.9", transport);
  if (!answer) throw new Error("no answer");
  return packet.decode(answer);
}

const large: DnsRecord = { type: "OPT", name: ".", udpPayloadSize: 4_096, flags: 0, options: [] };
const isTruncated = ({ flags }: Packet) => (flags & packet.TRUNCATED_RESPONSE) !== 0;

describe("an answer", () => {
  it("has the question's id, the question, and the records", async () => {
    const answer = await ask({}, query(name));
    expect(answer).toMatchObject({ id: 4711, type: "response", rcode: "NOERROR", questions: [{ name, type: "A" }] });
    expect(answer.answers).toMatchObject([
      { name, type: "A", ttl: 5, data: "10.200.0.0" },
      { name, type: "A", ttl: 5, data: "10.200.0.1" },
    ]);
  });

  it("has another order each time, so that clients spread", async () => {
    const answer = await ask({ random: () => 0 }, query(name));
    expect(answer.answers?.map((record) => "data" in record && record.data)).toEqual(["10.200.0.1", "10.200.0.0"]);
  });

  it.each([
    { why: "there is no such name", asked: "other.shop.svc.cluster.local", type: "A", rcode: "NXDOMAIN" },
    { why: "there is no record of that type", asked: name, type: "AAAA", rcode: "NOERROR" },
  ])("says how long it may be remembered that $why", async ({ asked, type, rcode }) => {
    expect(await ask({}, query(asked, type))).toMatchObject({
      rcode,
      answers: [],
      authorities: [{ type: "SOA", name: "cluster.local", ttl: 5 }],
    });
  });

  it("is cut where UDP carries no more, and marked", async () => {
    const answer = await ask({ directory: directoryOf([web], [slice(100)]) }, query(name));
    expect(isTruncated(answer)).toBe(true);
    expect(answer.answers?.length).toBeGreaterThan(3);
  });

  it("is longer for a client that takes more, and whole over TCP", async () => {
    const directory = directoryOf([web], [slice(100)]);
    const [short, longer] = await Promise.all([ask({ directory }, query(name)), ask({ directory }, query(name, "A", [large]))]);
    expect(longer.answers?.length).toBeGreaterThan(short.answers?.length ?? 0);
    const whole = await ask({ directory }, query(name), "tcp");
    expect(whole.answers).toHaveLength(100);
    expect(isTruncated(whole)).toBe(false);
  });

  it("leaves additional records away before it is cut", async () => {
    const answer = await ask({ directory: directoryOf([web], [slice(4)]) }, query(`_http._tcp.${name}`, "SRV"));
    expect(isTruncated(answer)).toBe(false);
    expect(answer.answers).toHaveLength(4);
    expect(answer.additionals).toEqual([]);
  });
});

describe("names that are none of the cluster's", () => {
  it("are asked of the machine's resolver, and its answer is passed on as it is", async () => {
    const asked: Buffer[] = [];
    const bytes = Buffer.from("whatever it says");
    const message = query("example.com");
    const answer = await resolver({
      upstream: async (question) => {
        asked.push(question);
        return bytes;
      },
    }).resolve(message, "10.200.0.9", "udp");
    expect(answer).toBe(bytes);
    expect(asked).toEqual([message]);
  });

  it("do not exist on a machine without a resolver", async () => {
    expect(await ask({}, query("example.com"))).toMatchObject({ rcode: "NXDOMAIN" });
  });

  it("fail while no resolver answers", async () => {
    const upstream = async () => {
      throw new Error("no answer");
    };
    expect(await ask({ upstream }, query("example.com"))).toMatchObject({ rcode: "SERVFAIL" });
  });
});

describe("an ExternalName Service", () => {
  const external = (externalName: string): Service => ({
    ...web,
    metadata: { ...web.metadata, name: "db" },
    spec: { type: "ExternalName", externalName },
  });
  const asked = "db.shop.svc.cluster.local";

  it("is followed within the cluster", async () => {
    const answer = await ask({ directory: directoryOf([web, external(name)], [slice(1)]) }, query(asked));
    expect(answer.answers).toMatchObject([
      { type: "CNAME", name: asked, data: name },
      { type: "A", name, data: "10.200.0.0" },
    ]);
  });

  it("is followed out of the cluster", async () => {
    const upstream: Upstream["ask"] = async (message) => {
      const { id, questions } = packet.decode(message);
      const answers: DnsRecord[] = [{ type: "A", name: "db.example.com", ttl: 60, data: "192.0.2.1" }];
      return packet.encode({ type: "response", id, flags: 0, questions: [...(questions ?? [])], answers });
    };
    const answer = await ask({ directory: directoryOf([external("db.example.com")], []), upstream }, query(asked));
    expect(answer).toMatchObject({ rcode: "NOERROR", answers: [{ type: "CNAME" }, { type: "A", data: "192.0.2.1" }] });
  });

  it("that names itself comes to an end", async () => {
    const answer = await ask({ directory: directoryOf([external(asked)], []) }, query(asked));
    expect(answer.answers?.every(({ type }) => type === "CNAME")).toBe(true);
  });
});

describe("what is no question", () => {
  it.each([
    { what: "noise", message: Buffer.from("noise") },
    { what: "an answer", message: packet.encode({ type: "response", id: 1, flags: 0 }) },
  ])("$what gets no answer", async ({ message }) => {
    expect(await resolver().resolve(message, "10.200.0.9", "udp")).toBeUndefined();
  });

  it("a query without a question is a format error", async () => {
    expect(await ask({}, packet.encode({ type: "query", id: 1, flags: 0, questions: [] }))).toMatchObject({ rcode: "FORMERR" });
  });

  it("another operation is not implemented", async () => {
    const update = query(name);
    update.writeUInt16BE(5 << 11, 2);
    expect(await ask({}, update)).toMatchObject({ rcode: "NOTIMP" });
  });
});
