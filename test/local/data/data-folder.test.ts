import { spawn, spawnSync } from "node:child_process";
import { createPrivateKey, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { credentials } from "../../../local/data/credentials.ts";
import { checkNotEmptied, fullDisk, openDataFolder } from "../../../local/data/folder.ts";
import { writeKubeconfig } from "../../../local/data/kubeconfig.ts";
import { openRecords } from "../../../local/state/records.ts";
import { UserError } from "../../../local/user-error.ts";

const folders: string[] = [];
const aFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "binnacle-data-"));
  folders.push(folder);
  return folder;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const mode = (path: string) => statSync(path).mode & 0o777;

describe("the data folder", () => {
  it("is made for its user alone", () => {
    const path = join(aFolder(), "deep", "data");
    const folder = openDataFolder(path, "0.1.0");
    expect(mode(path)).toBe(0o700);
    expect(JSON.parse(readFileSync(join(path, "format.json"), "utf8"))).toEqual({ format: 1, madeBy: "0.1.0" });
    folder.release();
    expect(existsSync(join(path, "lock"))).toBe(false);
  });

  it("is used by one process at a time", () => {
    const path = aFolder();
    const first = openDataFolder(path, "0.1.0");
    expect(() => openDataFolder(path, "0.1.0")).toThrow(new RegExp(`in use by another Binnacle \\(process ${process.pid}\\)`, "u"));
    first.release();
    openDataFolder(path, "0.1.0").release();
  });

  it("is free again when its holder was killed, even if its pid lives on as another process", () => {
    const path = aFolder();
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    writeFileSync(join(path, "lock"), JSON.stringify({ pid, startedAt: "before" }));
    openDataFolder(path, "0.1.0").release();
    writeFileSync(join(path, "lock"), JSON.stringify({ pid: process.pid, startedAt: "another boot" }));
    openDataFolder(path, "0.1.0").release();
    writeFileSync(join(path, "lock"), "");
    openDataFolder(path, "0.1.0").release();
  });

  it("is refused when a newer version made it", () => {
    const path = aFolder();
    writeFileSync(join(path, "format.json"), JSON.stringify({ format: 99, madeBy: "7.0.0" }));
    expect(() => openDataFolder(path, "0.1.0")).toThrow(/made by a newer Binnacle \(7\.0\.0\)/u);
    expect(existsSync(join(path, "lock"))).toBe(false);
  });

  it("is refused when it is damaged, somebody else's, or a file", () => {
    const damaged = aFolder();
    writeFileSync(join(damaged, "format.json"), "{");
    expect(() => openDataFolder(damaged, "0.1.0")).toThrow(/damaged/u);
    const foreign = aFolder();
    writeFileSync(join(foreign, "thesis.tex"), "");
    expect(() => openDataFolder(foreign, "0.1.0")).toThrow(/holds other files \(thesis\.tex\)/u);
    expect(() => openDataFolder(join(foreign, "thesis.tex"), "0.1.0")).toThrow(/is not a folder/u);
  });

  it("is refused when it cannot be written", () => {
    // Not even root makes a folder there, nor inside a file.
    const paths = process.platform === "linux" ? ["/sys/binnacle", "/proc/binnacle"] : [join(import.meta.filename, "binnacle")];
    for (const path of paths) expect(() => openDataFolder(path, "0.1.0")).toThrow(UserError);
  });

  it("is let go of by kill -9", async () => {
    const path = aFolder();
    const script = `import { openDataFolder } from ${JSON.stringify(join(import.meta.dirname, "../../../local/data/folder.ts"))};
      openDataFolder(${JSON.stringify(path)}, "0.1.0"); console.log("held"); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    expect(() => openDataFolder(path, "0.1.0")).toThrow(/in use/u);
    child.kill("SIGKILL");
    await once(child, "exit");
    openDataFolder(path, "0.1.0").release();
  });
});

describe("an empty dynamodb.sqlite", () => {
  const withEmpty = () => {
    const folder = openDataFolder(aFolder(), "0.1.0");
    const records = openRecords(folder.file("aws.sqlite"));
    writeFileSync(folder.file("dynamodb.sqlite"), "");
    return { folder, records, check: () => checkNotEmptied(folder, records) };
  };
  const refusal = /dynamodb\.sqlite is empty, and a cluster was kept in it: the data folder is damaged\. Put a copy .* --data\.$/u;

  it("has lost its content where the account keeps something, and is refused", () => {
    const { records, check } = withEmpty();
    records.put("local.port", "aws", 1);
    expect(check).toThrow(UserError);
    expect(check).toThrow(refusal);
    records.close();
  });

  it("has lost its content where a start came to its end, and is refused", () => {
    const { folder, records, check } = withEmpty();
    writeFileSync(folder.file("kubeconfig"), "{}");
    expect(check).toThrow(refusal);
    records.close();
  });

  it("is what a first start may leave behind, and is filled by the next", async () => {
    const { folder, records, check } = withEmpty();
    await credentials(folder, ["127.0.0.1"], new Date());
    expect(check).not.toThrow();
    records.close();
  });

  it("is another thing than none, or one with content", () => {
    const { folder, records, check } = withEmpty();
    records.put("local.port", "aws", 1);
    writeFileSync(folder.file("dynamodb.sqlite"), "SQLite");
    expect(check).not.toThrow();
    rmSync(folder.file("dynamodb.sqlite"));
    expect(check).not.toThrow();
    records.close();
  });
});

describe("a disk without room", () => {
  const refusal = /^The disk that holds the data folder \/data is full\. Make room on it, or give another folder with --data\.$/u;
  it.each([
    { who: "the file system", error: Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }) },
    { who: "a quota", error: Object.assign(new Error("EDQUOT: disk quota exceeded, write"), { code: "EDQUOT" }) },
    { who: "SQLite", error: Object.assign(new Error("out of room"), { code: "ERR_SQLITE_ERROR", errcode: 13 }) },
    { who: "DynamoDB's engine", error: new Error("no", { cause: new Error("commit failed (backend: database or disk is full)") }) },
  ])("is named when $who says so", ({ error }) => {
    expect(fullDisk("/data", error)?.message).toMatch(refusal);
  });

  it("is not blamed for anything else", () => {
    expect(fullDisk("/data", Object.assign(new Error("no"), { code: "EACCES" }))).toBeUndefined();
    expect(fullDisk("/data", "ENOSPC")).toBeUndefined();
  });
});

describe("the secrets", () => {
  const hosts = ["localhost", "127.0.0.1", "::1"];
  const now = new Date();

  it("are kept, readable for their user alone", async () => {
    const folder = openDataFolder(aFolder(), "0.1.0");
    const first = await credentials(folder, hosts, now);
    expect(await credentials(folder, hosts, now)).toEqual(first);
    for (const name of ["ca.key", "server.key", "admin-token"] as const) expect(mode(folder.file(name))).toBe(0o600);
    expect(first.adminToken).toHaveLength(43);
    folder.release();
  });

  it("serve TLS for every host, to clients that trust the authority", async () => {
    const folder = openDataFolder(aFolder(), "0.1.0");
    const { authority, server } = await credentials(folder, [...hosts, "dev.example.test", "fd00::12:5"], now);
    const listener = createServer(server, (socket) => socket.end());
    await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    for (const servername of ["localhost", "dev.example.test"]) {
      const socket = connect({ host: "127.0.0.1", port, servername, ca: authority });
      await once(socket, "secureConnect");
      expect(socket.authorized).toBe(true);
      socket.destroy();
    }
    listener.close();
    const certificate = new X509Certificate(server.cert);
    for (const address of ["127.0.0.1", "::1", "fd00::12:5"]) expect(certificate.checkIP(address)).toBe(address);
    expect(certificate.checkIssued(new X509Certificate(authority))).toBe(true);
    expect(new X509Certificate(authority).ca).toBe(true);
    expect(certificate.ca).toBe(false);
    folder.release();
  });

  it("are renewed when they near their end or a host is new, under the same authority", async () => {
    const folder = openDataFolder(aFolder(), "0.1.0");
    const first = await credentials(folder, hosts, now);
    const later = await credentials(folder, hosts, new Date(now.getTime() + 340 * 24 * 3_600_000));
    expect(later.server.cert).not.toBe(first.server.cert);
    expect(later.authority).toBe(first.authority);
    const wider = await credentials(folder, [...hosts, "dev.test"], now);
    expect(new X509Certificate(wider.server.cert).checkHost("dev.test")).toBe("dev.test");
    folder.release();
  });
});

describe("secrets that are damaged", () => {
  const hosts = ["127.0.0.1"];
  const now = new Date();
  const noise = randomBytes(300);

  it.each(["server.crt", "server.key", "admin-token"] as const)("are made anew where nobody relies on them: %s", async (name) => {
    for (const content of ["", noise]) {
      const folder = openDataFolder(aFolder(), "0.1.0");
      const first = await credentials(folder, hosts, now);
      writeFileSync(folder.file(name), content);
      const again = await credentials(folder, hosts, now);
      expect(again.authority).toBe(first.authority);
      expect(again.adminToken).toHaveLength(43);
      expect(new X509Certificate(again.server.cert).checkPrivateKey(createPrivateKey(again.server.key))).toBe(true);
      expect(await credentials(folder, hosts, now)).toEqual(again);
      folder.release();
    }
  });

  it.each(["ca.crt", "ca.key"] as const)("are named, and left alone, where clients may trust them: %s", async (name) => {
    for (const content of ["", noise]) {
      const folder = openDataFolder(aFolder(), "0.1.0");
      await credentials(folder, hosts, now);
      writeFileSync(folder.file(name), content);
      await expect(credentials(folder, hosts, now)).rejects.toThrow(/ca\.crt or its key cannot be read: the data folder is damaged/u);
      expect(readFileSync(folder.file(name))).toEqual(Buffer.from(content));
      folder.release();
    }
  });
});

describe("the kubeconfig", () => {
  it("is a file of its own, readable for its user alone", () => {
    const path = join(aFolder(), "sub", "kubeconfig");
    writeKubeconfig(path, { url: "https://127.0.0.1:6443", ca: "PEM", token: "secret" });
    expect(mode(path)).toBe(0o600);
    const config = JSON.parse(readFileSync(path, "utf8"));
    expect(config.clusters[0].cluster).toEqual({
      server: "https://127.0.0.1:6443",
      "certificate-authority-data": Buffer.from("PEM").toString("base64"),
    });
    expect(config.users[0].user.token).toBe("secret");
    expect(config["current-context"]).toBe(config.contexts[0].name);
  });

  it("says where it could not be written", () => {
    const file = join(aFolder(), "file");
    writeFileSync(file, "");
    expect(() => writeKubeconfig(join(file, "kubeconfig"), { url: "", ca: "", token: "" })).toThrow(/cannot be written.*--kubeconfig/u);
  });
});
