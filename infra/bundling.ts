/** How a function's code becomes one file: for the stack, and for benchmarks that measure what the stack deploys. */
import type { BuildOptions } from "esbuild";

/** ECMAScript modules have no `require`, but some packages in the bundle call it. */
export const banner = "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);";

export const target = "node24";

/** Packages' ECMAScript modules first: esbuild can leave out what nobody uses of them. */
export const mainFields = ["module", "main"];

/** The same in esbuild's own words. */
export const esbuildOptions = {
  bundle: true,
  platform: "node",
  format: "esm",
  target,
  minify: true,
  mainFields,
  banner: { js: banner },
} as const satisfies BuildOptions;
