/** `/version`: which Kubernetes this server speaks, and which Binnacle it is. */
import type { JsonObject } from "../api/objects.ts";

/** The Kubernetes release whose API is served. */
export const kubernetesVersion = { major: "1", minor: "36", patch: "2" } as const;

/** @param version Binnacle's own, as `package.json` has it; becomes build metadata, which clients ignore when comparing */
export function versionDocument(version: string): JsonObject {
  const { major, minor, patch } = kubernetesVersion;
  return {
    major,
    minor,
    // Nothing is emulated, and the release before is what may run beside this one.
    emulationMajor: major,
    emulationMinor: minor,
    minCompatibilityMajor: major,
    minCompatibilityMinor: String(Number(minor) - 1),
    gitVersion: `v${major}.${minor}.${patch}+binnacle-${version}`,
    gitCommit: "",
    gitTreeState: "clean",
    buildDate: "1970-01-01T00:00:00Z",
    goVersion: "",
    compiler: "node",
    platform: `${process.platform}/${process.arch === "x64" ? "amd64" : process.arch}`,
  };
}
