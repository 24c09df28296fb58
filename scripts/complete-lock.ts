/**
 * Adds to package-lock.json the optional packages for other platforms that the registry at hand does not have: without an entry for
 * them, `npm ci` calls the lock out of step with package.json (npm 11 tries to load them, fails, and then misses them). They are never
 * installed there; where they can be had, npm finds their version, but no checksum, in the lock. Run it after each `npm install`.
 *
 * Usage: node scripts/complete-lock.ts && npm install --package-lock-only
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

interface Locked {
  readonly version?: string;
  readonly dev?: boolean;
  readonly license?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const systems = ["android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32", "aix"];
const processors = ["arm64", "arm", "x64", "ia32", "ppc64", "riscv64", "s390x", "loong64", "mips64el"];

const file = join(import.meta.dirname, "../package-lock.json");
const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, Locked> };
const isLocked = (name: string) => Object.keys(lock.packages).some((path) => path === name || path.endsWith(`node_modules/${name}`));

let added = 0;
for (const { dev, license, optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (isLocked(name)) continue;
    // Such packages are named for what they are for: `binding-linux-arm64-musl`.
    const words = name.slice(name.lastIndexOf("/") + 1).split("-");
    const os = systems.find((system) => words.includes(system));
    const cpu = processors.find((processor) => words.includes(processor));
    if (!os || !cpu) throw new Error(`${name} does not say which platform it is for: add it to package-lock.json by hand`);
    const libc = words.some((word) => word.startsWith("musl"))
      ? "musl"
      : words.some((word) => word.startsWith("gnu"))
        ? "glibc"
        : undefined;
    lock.packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      ...(dev && { dev }),
      ...(libc && { libc: [libc] }),
      ...(license && { license }),
      optional: true,
      os: [os],
    } as Locked;
    added++;
  }
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} packages added`);
