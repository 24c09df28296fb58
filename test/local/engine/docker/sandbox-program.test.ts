import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sandboxProgram } from "../../../../local/engine/docker/sandbox-program.ts";

const architecture = { x64: "amd64", arm64: "arm64" }[process.arch as string];

describe("the program of a sandbox", () => {
  it.each(["amd64", "arm64"])("is a small static executable for %s", (name) => {
    const program = sandboxProgram(name);
    expect(program?.subarray(0, 4).toString("latin1")).toBe("\x7fELF");
    expect(program?.length).toBeLessThan(200);
  });

  it("does not exist for other machines", () => {
    expect(sandboxProgram("riscv64")).toBeUndefined();
  });

  it.skipIf(process.platform !== "linux" || !architecture)("waits until it is killed", async () => {
    const folder = mkdtempSync(join(tmpdir(), "binnacle-sandbox-"));
    try {
      const path = join(folder, "sandbox");
      writeFileSync(path, sandboxProgram(architecture ?? "") ?? "", { mode: 0o755 });
      const child = spawn(path);
      const ended = new Promise<NodeJS.Signals | number | null>((resolve) => child.on("exit", (code, signal) => resolve(signal ?? code)));
      const early = await Promise.race([ended, new Promise<"waits">((resolve) => setTimeout(() => resolve("waits"), 200))]);
      expect(early).toBe("waits");
      child.kill("SIGTERM");
      expect(await ended).toBe("SIGTERM");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
