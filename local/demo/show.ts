/** How the demo looks in a terminal. */
import { styleText } from "node:util";
import type { Node, Pod } from "../../shared/api/generated/types.ts";
import { toMilli } from "../../shared/api/quantity.ts";

export const say = (text: string): void => void process.stdout.write(`${text}\n`);
export const heading = (text: string): void => say(`\n${styleText("bold", text)}`);
export const step = (text: string, note = ""): void =>
  say(` ${styleText("green", "✓")} ${text}${note ? styleText("dim", `  ${note}`) : ""}`);
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const barWidth = 30;

/** One line per node: how much of its CPU is requested, and by how many Pods. */
export function nodeTable(nodes: readonly Node[], pods: readonly Pod[]): void {
  for (const node of nodes) {
    const own = pods.filter(({ spec }) => spec.nodeName === node.metadata.name);
    const requested = own.flatMap(({ spec }) => spec.containers).reduce((sum, { resources }) => sum + milli(resources?.requests?.cpu), 0);
    const share = requested / Math.max(1, milli(node.status?.allocatable?.cpu));
    const filled = Math.round(share * barWidth);
    const bar = styleText("cyan", "█".repeat(filled)) + styleText("dim", "░".repeat(Math.max(0, barWidth - filled)));
    say(`   ${node.metadata.name.padEnd(18)} ${bar} ${String(Math.round(share * 100)).padStart(3)} % of CPU, ${own.length} Pods`);
  }
}

const milli = (quantity: string | undefined): number => (quantity === undefined ? 0 : Number(toMilli(quantity)));

/** What was proved, as a table. */
export function summary(rows: readonly (readonly [what: string, value: string])[]): void {
  heading("What this showed");
  for (const [what, value] of rows) say(`   ${what.padEnd(30)} ${styleText("bold", value)}`);
  say("");
}
