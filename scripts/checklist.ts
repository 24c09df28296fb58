/**
 * Which test keeps which promise: the items of Kubernetes' compatibility checklist, the traps and the rules of the log, by the names of the
 * tests. A test says what it keeps by `checklist 12: …`, `trap 12: …` or `rule 12: …`, or several numbers: `checklist 9, 10: …`.
 *
 * Usage: node scripts/checklist.ts [checklist|trap|rule [NUMBER]]
 * Ends with 1 when an item has no test.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** How many there are of each that have to have a test. Traps above belong to parts that have numbers of their own. */
export const items = { checklist: 62, trap: 21, rule: 25 } as const;
export type List = keyof typeof items;

export interface NamedTest {
  readonly list: List;
  readonly number: number;
  /** `test/server/watch.test.ts:48` */
  readonly place: string;
  readonly name: string;
}

const root = join(import.meta.dirname, "..");
/** `checklist 9, 10`, `trap 8, checklist 53` */
const what = String.raw`(?:checklist|trap|rule) \d+(?:, (?:(?:checklist|trap|rule) )?\d+)*`;
/** A string that begins with items and a colon, or ends with them in parentheses. */
const names = new RegExp(String.raw`(["\`])(${what}(?: \(\w+\))?: .*?|[^"\`]*\(${what}\))\1`, "g");
const mentioned = /\b(checklist|trap|rule) (\d+(?:, \d+)*)/g;

/** The tests in a file that are named after an item. */
export function namedTests(file: string, source: string): NamedTest[] {
  return source.split("\n").flatMap((line, index) =>
    [...line.matchAll(names)].flatMap(([, , name = ""]) => {
      const [items] = new RegExp(`^${what}(?=: | \\()|(?<=\\()${what}(?=\\)$)`).exec(name) ?? [""];
      return [...items.matchAll(mentioned)].flatMap(([, list, numbers = ""]) =>
        numbers
          .split(", ")
          .map((number): NamedTest => ({ list: list as List, number: Number(number), place: `${file}:${index + 1}`, name })),
      );
    }),
  );
}

export const allNamedTests = (): NamedTest[] =>
  globSync("test/**/*.test.ts", { cwd: root })
    .toSorted()
    .flatMap((file) => namedTests(file, readFileSync(join(root, file), "utf8")));

/** `trap 7` */
export function withoutTest(tests: readonly NamedTest[]): string[] {
  const kept = new Set(tests.map(({ list, number }) => `${list} ${number}`));
  return Object.entries(items).flatMap(([list, count]) =>
    Array.from({ length: count }, (_, index) => `${list} ${index + 1}`).filter((item) => !kept.has(item)),
  );
}

if (import.meta.main) {
  const [wantedList, wantedNumber] = process.argv.slice(2);
  const tests = allNamedTests();
  for (const list of Object.keys(items).filter((one) => wantedList === undefined || one === wantedList)) {
    const ofList = tests.filter((test) => test.list === list && (wantedNumber === undefined || test.number === Number(wantedNumber)));
    for (const { number, place, name } of ofList.toSorted((one, other) => one.number - other.number))
      console.log(`${list} ${number}\t${place}\t${name}`);
  }
  const missing = withoutTest(tests);
  if (missing.length > 0) console.error(`without a test: ${missing.join(", ")}`);
  process.exitCode = missing.length > 0 ? 1 : 0;
}
