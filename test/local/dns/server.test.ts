import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import packet from "dns-packet";
import { afterEach, describe, expect, it } from "vitest";
import { createResolver } from "../../../local/dns/resolver.ts";
import { type DnsServer, startDnsServer } from "../../../local/dns/server.ts";
import { framed, type Upstream, upstream } from "../../../local/dns/upstream.ts";
import { silentLog } from "../../../shared/runtime/log.ts";
import { aSlice, directoryOf } from "../../support/names.ts";
import { aService } from "../../support/services.ts";

const loopback = "127.0.0.1";
const directory = directoryOf([aService({}, { namespace: "shop" })], [aSlice("web", [{ addresses: ["10.200.0.5"] }])]);
const query = (name: string) => packet.encode({ type: "query", id: 7, flags: 0, questions: [{ name, type: "A" }] });
const answers = (bytes: Buffer | undefined) =>
  bytes && packet.decode(bytes).answers?.map((record) => ("data" in record ? record.data : undefined));

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function server(
  options: { readonly serves?: (address: string) => boolean; readonly upstream?: Upstream; readonly relay?: string } = {},
): Promise<DnsServer> {
  const started = await startDnsServer({
    address: loopback,
    port: 0,
    resolver: createResolver({
      directory: async () => directory,
      upstream: options.upstream ?? { ask: async () => undefined },
      random: () => 0,
    }),
    serves: options.serves ?? (() => true),
    ...(options.relay && { relay: options.relay }),
    log: silentLog,
  });
  open.push(started);
  return started;
}

const client = (port: number, timeoutMs = 500) => upstream({ nameservers: async () => [loopback], port, timeoutMs });

describe("the DNS server", () => {
  it.each(["udp", "tcp"] as const)("answers over %s", async (transport) => {
    const { port } = await server();
    expect(answers(await client(port).ask(query("web.shop.svc.cluster.local"), transport))).toEqual(["10.200.0.5"]);
  });

  it.each(["udp", "tcp"] as const)("says nothing to strangers over %s", async (transport) => {
    const { port } = await server({ serves: () => false });
    await expect(client(port, 50).ask(query("web.shop.svc.cluster.local"), transport)).rejects.toThrow(
      /no resolver of this machine answers/,
    );
  });

  it("passes other names on over the transport they came by", async () => {
    const asked: string[] = [];
    const machine: Upstream = {
      async ask(message, transport) {
        asked.push(transport);
        return packet.encode({
          type: "response",
          id: packet.decode(message).id,
          flags: 0,
          answers: [{ type: "A", name: "example.com", ttl: 1, data: "192.0.2.7" }],
        });
      },
    };
    const { port } = await server({ upstream: machine });
    for (const transport of ["udp", "tcp"] as const) {
      expect(answers(await client(port).ask(query("example.com"), transport))).toEqual(["192.0.2.7"]);
    }
    expect(asked).toEqual(["udp", "tcp"]);
  });

  it("frees its port", async () => {
    const first = await server();
    await first.close();
    open.length = 0;
    const again = createServer();
    await new Promise<void>((resolve) => again.listen(first.port, loopback, resolve));
    open.push({ close: () => new Promise((resolve) => again.close(resolve)) });
  });

  it("refuses an address that is taken", async () => {
    const { port } = await server();
    await expect(
      startDnsServer({ address: loopback, port, resolver: { resolve: async () => undefined }, serves: () => true, log: silentLog }),
    ).rejects.toThrow(/EADDRINUSE/);
  });
});

describe("the DNS server behind a relay", () => {
  const relayed = Buffer.concat([Buffer.from([10, 200, 0, 9]), query("web.shop.svc.cluster.local")]);

  it("believes the relay for whom it asks, over UDP and TCP", async () => {
    const { port } = await server({ relay: loopback, serves: (address) => address === "10.200.0.9" });
    const answer = await new Promise<Buffer>((resolve) => {
      const socket = createSocket("udp4");
      socket.on("message", (message) => {
        socket.close();
        resolve(message);
      });
      socket.send(relayed, port, loopback);
    });
    expect(answers(answer)).toEqual(["10.200.0.5"]);
    const stream = connect({ host: loopback, port });
    open.push({ close: () => stream.destroy() });
    stream.write(Buffer.from([10, 200, 0, 9]));
    stream.write(framed(query("web.shop.svc.cluster.local")));
    const [chunk] = (await once(stream, "data")) as [Buffer];
    expect(answers(chunk.subarray(2))).toEqual(["10.200.0.5"]);
  });

  it("hears nobody else, and serves no stranger", async () => {
    const other = await server({ relay: "10.200.0.2" });
    await expect(client(other.port, 50).ask(relayed, "udp")).rejects.toThrow();
    const strangers = await server({ relay: loopback, serves: () => false });
    await expect(client(strangers.port, 50).ask(relayed, "udp")).rejects.toThrow();
  });
});

describe("the machine's resolver", () => {
  it("is asked one server after the other", async () => {
    const { port } = await server();
    // Nothing listens on the other address.
    const both = upstream({ nameservers: async () => ["127.0.0.2", loopback], port, timeoutMs: 200 });
    expect(answers(await both.ask(query("web.shop.svc.cluster.local"), "udp"))).toEqual(["10.200.0.5"]);
  });

  it("is not there on a machine that has none", async () => {
    expect(await upstream({ nameservers: async () => [] }).ask(query("example.com"), "udp")).toBeUndefined();
  });

  it("is not believed when it answers another question", async () => {
    const liar = createSocket("udp4");
    liar.on("message", (message, { port, address }) => {
      const wrong = Buffer.from(message);
      wrong.writeUInt16BE(1, 0);
      liar.send(wrong, port, address);
    });
    await new Promise<void>((resolve) => liar.bind(0, loopback, resolve));
    open.push({ close: () => new Promise<void>((resolve) => liar.close(() => resolve())) });
    await expect(client(liar.address().port, 50).ask(query("example.com"), "udp")).rejects.toThrow(/no resolver of this machine answers/);
  });
});
