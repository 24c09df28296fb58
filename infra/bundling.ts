/** How a function's code becomes files: for the stack, and for the benchmark that measures what the stack deploys. */
import { type BuildOptions, buildSync } from "esbuild";

/**
 * What only some requests need (`import()`) becomes a file of its own, which a function reads when it gets there: parsing code is most
 * of a cold start.
 */
const options = {
  bundle: true,
  splitting: true,
  platform: "node",
  format: "esm",
  target: "node24",
  minify: true,
  sourcemap: "external",
  // Packages' ECMAScript modules first: esbuild can leave out what nobody uses of them.
  mainFields: ["module", "main"],
  outExtension: { ".js": ".mjs" },
  chunkNames: "[name]-[hash]",
  // CommonJS dependencies inside an ES module still call require().
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  logLevel: "warning",
} as const satisfies BuildOptions;

/** Name of the file, without its ending, that exports the handler. */
export const mainFile = "index";

/** Bundles one function into a folder. @throws when the code does not compile; esbuild has said why */
export function bundle(entry: string, folder: string, more: Pick<BuildOptions, "nodePaths"> = {}): void {
  buildSync({ ...options, ...more, entryPoints: { [mainFile]: entry }, outdir: folder });
}
