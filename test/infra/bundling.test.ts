import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, mainFile } from "../../infra/bundling.ts";
import { functions } from "../../infra/functions.ts";

const kib = 1024;
const lambdas = join(import.meta.dirname, "../../lambdas");

const sizeOf = (file: string): number => statSync(file).size;
const codeIn = (folder: string): string[] => readdirSync(folder).filter((file) => file.endsWith(".mjs"));

/** Files that are read before the handler is there. */
function readAtStart(folder: string, file = `${mainFile}.mjs`, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, name = ""] of readFileSync(join(folder, file), "utf8").matchAll(/(?:from|import)"\.\/([^"]+)"/g))
    readAtStart(folder, name, found);
  return found;
}

describe("bundles", () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "binnacle-bundles-"));
    for (const name of ["api", "reconciler"] as const) bundle(join(lambdas, functions[name].entry), join(folder, name));
  }, 60_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(["api", "reconciler"])("of %s are no larger than 2 MiB", (name) => {
    const sizes = codeIn(join(folder, name)).map((file) => sizeOf(join(folder, name, file)));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(2 * kib * kib);
  });

  it("let the api start with what a read needs", () => {
    const bundled = join(folder, "api");
    const atStart = [...readAtStart(bundled)];
    expect(atStart.reduce((sum, file) => sum + sizeOf(join(bundled, file)), 0)).toBeLessThanOrEqual(700 * kib);
    // Nine are the SDK's.
    expect(atStart.length).toBeLessThanOrEqual(14);
    const later = codeIn(bundled).filter((file) => !atStart.includes(file));
    for (const part of ["changes", "kinds", "less-often", "engine-parts", "yaml"]) expect(later.join(" ")).toContain(`${part}-`);
  });
});
