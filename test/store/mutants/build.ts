/** Builds a store from the shipped sources with some changes, and loads it beside the shipped one. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import type { StoreBuild } from "../../support/simulation/build.ts";
import type { Patch } from "./mutants.ts";

const sources = join(import.meta.dirname, "../../../shared/store");

const entry = ["open-store.ts", "table.ts"].map((file) => `export * from ${JSON.stringify(join(sources, file))};`).join("\n");

/** @throws {Error} when a patch does not fit: the sources have changed, and the patch must follow them */
export async function buildStore(patches: readonly Patch[]): Promise<StoreBuild> {
  const byFile = Map.groupBy(patches, ({ file }) => file);
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: sources, loader: "ts" },
    bundle: true,
    write: false,
    platform: "node",
    format: "esm",
    target: "node24",
    logLevel: "silent",
    plugins: [
      {
        name: "patches",
        setup(builder) {
          builder.onLoad({ filter: /\/shared\/store\/[^/]+\.ts$/ }, ({ path }) => {
            const file = basename(path);
            const text = readFileSync(path, "utf8");
            const own = byFile.get(file) ?? [];
            byFile.delete(file);
            return { contents: own.reduce(apply, text), loader: "ts" };
          });
        },
      },
    ],
  });
  const [left] = byFile.keys();
  if (left !== undefined) throw new Error(`the store does not use ${left}`);
  return load(outputFiles[0]!.text);
}

function apply(text: string, { file, from, to }: Patch): string {
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} places with ${JSON.stringify(from)}, not one`);
  return parts.join(to);
}

async function load(code: string): Promise<StoreBuild> {
  const folder = mkdtempSync(join(tmpdir(), "store-"));
  try {
    const file = join(folder, "store.mjs");
    writeFileSync(file, code);
    return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as StoreBuild;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
