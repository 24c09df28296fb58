import { describe, expect, it } from "vitest";
import { machineResolver, parseResolvConf } from "../../../local/dns/resolv-conf.ts";

describe("how a machine resolves names", () => {
  it("is in its resolv.conf", () => {
    const text = "# made by hand\nnameserver 192.0.2.1\nnameserver fe80::1\nsearch example.com corp.example.com ; ours\noptions ndots:2\n";
    expect(parseResolvConf(text)).toEqual({ nameservers: ["192.0.2.1", "fe80::1"], searches: ["example.com", "corp.example.com"] });
  });

  it("takes the last of several lists of domains, and no domain that is none", () => {
    expect(parseResolvConf("domain example.org\nsearch .\nnameserver nonsense\n")).toEqual({ nameservers: [], searches: [] });
  });

  it("is unknown where there is no such file", async () => {
    expect(await machineResolver("/nonexistent/resolv.conf")).toEqual({ nameservers: [], searches: [] });
  });
});
