import { createServer } from "node:net";
import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { addressesOf, ownAddress, servedAddress, spareAddress } from "../../local/addresses.ts";

const address = (text: string, internal = false): NetworkInterfaceInfo =>
  ({ address: text, family: text.includes(":") ? "IPv6" : "IPv4", internal }) as NetworkInterfaceInfo;

describe("the addresses of the API", () => {
  it.each([
    { hosts: [], addresses: ["127.0.0.1"] },
    { hosts: ["127.0.0.1"], addresses: ["127.0.0.1"] },
    { hosts: ["192.0.2.7", "box.example"], addresses: ["127.0.0.1", "192.0.2.7"] },
    { hosts: ["0.0.0.0"], addresses: ["0.0.0.0"] },
  ])("for $hosts are $addresses", ({ hosts, addresses }) => {
    const found = addressesOf(hosts);
    expect(found.addresses).toEqual(addresses);
    expect(found.names).toEqual(expect.arrayContaining(["localhost", "127.0.0.1", ...hosts.filter((host) => host !== "0.0.0.0")]));
    expect(found.names).not.toContain("0.0.0.0");
  });
});

describe("trap 19: the address that default/kubernetes names", () => {
  it("is one that was asked for", () => {
    expect(servedAddress(["127.0.0.1", "192.0.2.7"])).toBe("192.0.2.7");
    expect(servedAddress(["127.0.0.1"])).toBeUndefined();
    expect(servedAddress(["0.0.0.0"])).toBe(ownAddress());
  });

  it("is else the machine's own, never a loopback or link-local one", () => {
    const lo = [address("127.0.0.1", true), address("::1", true)];
    expect(ownAddress({ lo, usb0: [address("169.254.3.4")], eth0: [address("fe80::1"), address("192.0.2.7")] })).toBe("192.0.2.7");
    expect(ownAddress({ lo, none: undefined })).toBeUndefined();
  });

  it("is none where its port is taken", async () => {
    const own = ownAddress();
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, own, resolve));
    const { port } = other.address() as { port: number };
    expect(await spareAddress(port)).toBeUndefined();
    await new Promise((resolve) => other.close(resolve));
    expect(await spareAddress(port)).toBe(own);
  });
});
