/**
 * Rebuilds `test/api/vectors/kubernetes-1.36.jsonl`: what Kubernetes' own Go code says to the cases of `cases.ts`. The tests of
 * `shared/api` compare with it. Needs Go and its module proxy.
 *
 * Usage: node scripts/vectors/main.ts
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cases } from "./cases.ts";

const folder = import.meta.dirname;
const run = (args: readonly string[], input?: string): string =>
  execFileSync("go", args, { cwd: folder, encoding: "utf8", maxBuffer: 64 * 1024 * 1024, ...(input !== undefined && { input }) });

run(["mod", "tidy"]);
const answers = run(["run", "."], cases.map((each) => JSON.stringify(each)).join("\n"))
  .trimEnd()
  .split("\n");
const header = JSON.stringify({ generated: "by scripts/vectors/main.ts with k8s.io/apimachinery v0.36.2; do not edit" });
const lines = cases.map((each, index) => `${JSON.stringify(each).slice(0, -1)},"answer":${answers[index]}}`);
writeFileSync(join(folder, "../../test/api/vectors/kubernetes-1.36.jsonl"), `${[header, ...lines].join("\n")}\n`);
console.log(`${cases.length} cases`);
