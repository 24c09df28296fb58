import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { hostFolder } from "../../../../local/engine/docker/host-folder.ts";

let machine: string;
beforeEach(() => {
  machine = mkdtempSync(join(tmpdir(), "binnacle-machine-"));
});
afterEach(() => rmSync(machine, { recursive: true, force: true }));

describe("a folder of the machine", () => {
  it("is made when it is not there, for everybody to write to", async () => {
    const path = await hostFolder(join(machine, "volumes", "data"), undefined);
    expect(path).toBe(join(machine, "volumes", "data"));
    expect(statSync(path).mode & 0o777).toBe(0o777);
  });

  it("is left as it is when it is there", async () => {
    mkdirSync(join(machine, "data"), { mode: 0o750 });
    await hostFolder(join(machine, "data"), undefined);
    expect(statSync(join(machine, "data")).mode & 0o777).toBe(0o750);
  });

  it("may be a file", async () => {
    writeFileSync(join(machine, "file"), "");
    await expect(hostFolder(join(machine, "file"), undefined)).resolves.toBe(join(machine, "file"));
  });

  it.runIf(process.platform === "linux")("is refused where none can be made", async () => {
    await expect(hostFolder("/proc/binnacle/data", undefined)).rejects.toThrow("CannotCreateVolumeError: /proc/binnacle/data: ENOENT");
  });

  it("has paths inside, which are made, too", async () => {
    const path = await hostFolder(join(machine, "data"), "a/./b");
    expect(path).toBe(join(machine, "data", "a", "b"));
    expect(statSync(path).isDirectory()).toBe(true);
  });

  it.each([
    { name: "by its name", subPath: "../other", prepare: () => undefined },
    { name: "by a link that a container left", subPath: "link/etc", prepare: () => symlinkSync("/", join(machine, "data", "link")) },
  ])("is not left $name", async ({ subPath, prepare }) => {
    mkdirSync(join(machine, "data"));
    prepare();
    await expect(hostFolder(join(machine, "data"), subPath)).rejects.toThrow(/^CannotCreateContainerError: the path/);
  });
});
