import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { removeAbandoned } from "../../../local/data/volume-folders.ts";
import { silentLog } from "../../../shared/runtime/log.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "binnacle-volumes-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const kept = "pvc-11111111-1111-4111-8111-111111111111";
const deleted = "pvc-22222222-2222-4222-8222-222222222222";

describe("folders of volumes", () => {
  it("go with what is in them when their volume is gone; nothing else does", async () => {
    for (const name of [kept, deleted, "mine"]) {
      mkdirSync(join(folder, name, "inside"), { recursive: true });
      writeFileSync(join(folder, name, "inside", "file"), "data");
    }
    await removeAbandoned(folder, async () => new Set([kept]), silentLog);
    expect([kept, deleted, "mine"].map((name) => existsSync(join(folder, name, "inside", "file")))).toEqual([true, false, true]);
  });

  it("stay while nobody can say which volumes there are", async () => {
    mkdirSync(join(folder, deleted));
    await removeAbandoned(folder, () => Promise.reject(new Error("no table")), silentLog);
    expect(existsSync(join(folder, deleted))).toBe(true);
  });

  it("need not be there", async () => {
    await removeAbandoned(join(folder, "none"), () => Promise.reject(new Error("nobody asks")), silentLog);
  });
});
