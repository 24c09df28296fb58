/**
 * Rebuilds `test/api/kinds/vectors/`: asks Kubernetes' own Go code (`main.go`, built here) what it makes of the cases in `cases/`.
 * Needs Go and its module proxy. Usage: node scripts/kind-vectors/main.ts [KIND…]
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parse } from "yaml";

type Json = Record<string, unknown>;

/** A case: an operation on an object, which is merged over the file's latest `base`. */
interface Case {
  readonly base?: Json;
  readonly name: string;
  readonly op: "default" | "create" | "update" | "status" | "table";
  readonly object?: Json;
  readonly old?: Json;
}

interface Answer {
  readonly error?: string;
  readonly object?: Json;
  readonly problems?: readonly { readonly message: string }[];
  readonly warnings?: readonly string[];
  readonly table?: { columnDefinitions: { name: string; type: string; priority?: number }[]; rows: { cells: unknown[] }[] };
}

const here = import.meta.dirname;
const vectors = join(here, "../../test/api/kinds/vectors");
const today = new Date().toISOString().slice(0, 10);

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** What `over` says wins; null removes. */
function merged(under: unknown, over: unknown): unknown {
  if (!isObject(under) || !isObject(over)) return over;
  const result: Json = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === null) delete result[key];
    else result[key] = key in under ? merged(under[key], value) : value;
  }
  return result;
}

/** Without nulls and times of today, which the Go code takes from the clock. */
function settled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(settled);
  if (!isObject(value)) return value;
  const kept = Object.entries(value).filter(([, one]) => one !== null && !(typeof one === "string" && one.startsWith(today)));
  return Object.fromEntries(kept.map(([key, one]) => [key, settled(one)]));
}

function expected(op: Case["op"], { table, problems, object, warnings }: Answer): Json {
  if (op === "table" && table) {
    const columns = table.columnDefinitions.map(({ name, type, priority = 0 }) => [name, type, priority]);
    return { columns, cells: table.rows[0]?.cells.slice(0, columns.length) };
  }
  return {
    // The lines after the first hold Go's own way of printing a change.
    ...(problems
      ? { problems: problems.map((problem) => ({ ...problem, message: problem.message.split("\n")[0] })) }
      : { object: settled(object) }),
    ...(warnings?.length && { warnings }),
  };
}

const folder = mkdtempSync(join(tmpdir(), "kind-vectors-"));
try {
  const program = join(folder, "kind-vectors");
  execFileSync("go", ["build", "-o", program, "."], { cwd: here, stdio: "inherit" });
  const oracle = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: oracle.stdout })[Symbol.asyncIterator]();
  const ask = async (question: object): Promise<Answer> => {
    oracle.stdin.write(`${JSON.stringify(question)}\n`);
    return JSON.parse((await answers.next()).value ?? "{}");
  };
  const only = process.argv.slice(2);
  for (const file of readdirSync(join(here, "cases")).toSorted()) {
    const name = file.replace(/\.yaml$/, "");
    if (only.length > 0 && !only.includes(name)) continue;
    let base: Json = {};
    const lines: string[] = [];
    for (const one of parse(readFileSync(join(here, "cases", file), "utf8")) as Case[]) {
      if (one.base) {
        base = one.base;
        continue;
      }
      const object = merged(base, one.object ?? {}) as Json;
      const old = one.op === "update" || one.op === "status" ? (merged(base, one.old ?? {}) as Json) : undefined;
      if (old) for (const each of [object, old]) each.metadata = { resourceVersion: "1", ...(each.metadata as Json) };
      const answer = await ask({ op: one.op === "status" ? "update" : one.op, object, old: old ?? null, sub: one.op === "status" ? 1 : 0 });
      if (answer.error) throw new Error(`${name}, ${one.name}: ${answer.error}`);
      lines.push(JSON.stringify({ name: one.name, op: one.op, object, ...(old && { old }), expected: expected(one.op, answer) }));
    }
    writeFileSync(join(vectors, `${name}.jsonl`), `${lines.join("\n")}\n`);
    console.log(name, lines.length);
  }
  oracle.stdin.end();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
