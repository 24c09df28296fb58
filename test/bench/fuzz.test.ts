import { describe, expect, it } from "vitest";
import { asCurl, hostileRequest } from "../../bench/fuzz/requests.ts";
import { fuzz } from "../../bench/fuzz/run.ts";

const minuteMs = 60_000;

describe("hostile requests", () => {
  it("are the same again for the same seed and number", () => {
    for (let number = 0; number < 200; number++) expect(hostileRequest(7, number)).toEqual(hostileRequest(7, number));
    expect(hostileRequest(7, 1)).not.toEqual(hostileRequest(8, 1));
  });

  it("never commit a write: each is a dry run", () => {
    for (let number = 0; number < 2_000; number++) {
      const { method, target } = hostileRequest(3, number);
      if (method !== "GET" && method !== "HEAD") expect(target).toContain("dryRun=All");
    }
  });

  it("can be sent by hand", () => {
    expect(asCurl({ method: "POST", target: "/api?x=1", headers: { a: "it's" }, body: Buffer.from("hi") })).toBe(
      "curl -X 'POST' -H 'a: it'\\''s' --data-binary @<(echo aGk= | base64 -d) 'https://127.0.0.1:6443/api?x=1'",
    );
  });

  it(
    "end in a Status below 500, and leave the data as it was",
    async () => {
      const { sent, failures, dataUnchanged } = await fuzz({
        seed: 1,
        requests: 1_000,
        from: 0,
        untilMs: Date.now() + minuteMs,
        begin: () => {},
      });
      expect({ failures, dataUnchanged }).toEqual({ failures: [], dataUnchanged: true });
      expect(sent).toBeGreaterThan(900);
    },
    2 * minuteMs,
  );
});
