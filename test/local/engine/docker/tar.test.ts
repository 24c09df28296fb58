import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { tar } from "../../../../local/engine/docker/tar.ts";

describe("an archive", () => {
  it("can be read by others", () => {
    const archive = tar([
      { name: "folder/", mode: 0o777 },
      { name: "folder/file", mode: 0o600, content: Buffer.from("content"), modified: new Date("2026-11-21T00:00:00Z") },
      { name: "empty", mode: 0o644 },
    ]);
    const listing = execFileSync("tar", ["--utc", "--full-time", "-tvf", "-"], { input: archive, encoding: "utf8" });
    expect(listing).toMatch(/^drwxrwxrwx \S+ +0 1970-01-01 00:00:00 folder\/$/m);
    expect(listing).toMatch(/^-rw------- \S+ +7 2026-11-21 00:00:00 folder\/file$/m);
    expect(execFileSync("tar", ["-xOf", "-", "folder/file"], { input: archive, encoding: "utf8" })).toBe("content");
  });

  it("is the same for the same content", () => {
    const make = () => tar([{ name: "file", mode: 0o755, content: Buffer.from("content") }]);
    expect(make().equals(make())).toBe(true);
  });

  it("refuses names that do not fit", () => {
    expect(() => tar([{ name: "x".repeat(101), mode: 0o644 }])).toThrow(RangeError);
  });
});
