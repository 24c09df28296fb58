import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeVolume } from "../../../../local/engine/docker/filled-volume.ts";
import type { VolumeFile } from "../../../../shared/kubelet/volumes.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "binnacle-volume-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const file = (path: string, content: string, mode = 0o644): VolumeFile => ({ path, content: Buffer.from(content), mode });
const now = new Date("2026-11-21T00:00:00Z");
const later = new Date("2026-11-21T00:01:00Z");
const write = (files: readonly VolumeFile[], at = now) => writeVolume(folder, files, at);
const read = (path: string) => readFileSync(join(folder, path), "utf8");

describe("a volume that is filled", () => {
  it("is laid out as the kubelet does: links through ..data into a folder named for the time", async () => {
    await write([file("colour", "blue"), file("nested/deep/file", "here")]);
    const target = readlinkSync(join(folder, "..data"));
    expect(target).toMatch(/^\.\.2026_11_21_00_00_00\.[0-9a-f]{8}$/);
    expect(readdirSync(folder).toSorted()).toEqual([target, "..data", "colour", "nested"].toSorted());
    expect(readlinkSync(join(folder, "colour"))).toBe("..data/colour");
    expect(readlinkSync(join(folder, "nested"))).toBe("..data/nested");
    expect([read("colour"), read("nested/deep/file")]).toEqual(["blue", "here"]);
  });

  it("has the modes that were asked for, whatever the process' mask is", async () => {
    const mask = process.umask(0o077);
    try {
      await write([file("public", "a", 0o644), file("secret", "b", 0o400), file("nested/tool", "c", 0o755)]);
    } finally {
      process.umask(mask);
    }
    const mode = (path: string) => statSync(join(folder, path)).mode & 0o777;
    expect([mode("public"), mode("secret"), mode("nested/tool"), mode("nested"), mode(".")]).toEqual([0o644, 0o400, 0o755, 0o755, 0o755]);
  });

  it("changes as a whole, by one link", async () => {
    await write([file("colour", "blue"), file("size", "small")]);
    const before = readlinkSync(join(folder, "..data"));
    await write([file("colour", "green"), file("shape", "round")], later);
    expect(readdirSync(folder).toSorted()).toEqual([readlinkSync(join(folder, "..data")), "..data", "colour", "shape"].toSorted());
    expect(readlinkSync(join(folder, "..data"))).not.toBe(before);
    expect([read("colour"), read("shape")]).toEqual(["green", "round"]);
  });

  it.each([
    { what: "is the same", files: [file("colour", "blue", 0o600)], touched: false },
    { what: "has another mode", files: [file("colour", "blue", 0o644)], touched: true },
    { what: "has another content", files: [file("colour", "bleu", 0o600)], touched: true },
    { what: "has one more file", files: [file("colour", "blue", 0o600), file("size", "small")], touched: true },
    { what: "is gone", files: [], touched: true },
  ])("is touched only for news: what it should hold $what", async ({ files, touched }) => {
    await write([file("colour", "blue", 0o600)]);
    const before = readlinkSync(join(folder, "..data"));
    await write(files, later);
    expect(readlinkSync(join(folder, "..data")) !== before).toBe(touched);
  });

  it("clears away what a writer that was killed left behind", async () => {
    await write([file("colour", "blue")]);
    await write([file("colour", "green")], later);
    expect(readdirSync(folder).filter((name) => name.startsWith("..2026"))).toHaveLength(1);
    expect(lstatSync(join(folder, "..data")).isSymbolicLink()).toBe(true);
  });

  it("may be empty", async () => {
    await write([]);
    expect(readdirSync(join(folder, "..data"))).toEqual([]);
  });
});
