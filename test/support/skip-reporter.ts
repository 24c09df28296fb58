/** Says at the end of a test run what was left out here, and why: tests announce it with a line that begins with "skipped: ". */
import type { UserConsoleLog } from "vitest";
import type { Reporter } from "vitest/node";

export default class SkipReporter implements Reporter {
  readonly #reasons = new Set<string>();

  onUserConsoleLog({ content }: UserConsoleLog): void {
    for (const line of content.split("\n")) if (line.startsWith("skipped: ")) this.#reasons.add(line.slice("skipped: ".length));
  }

  onTestRunEnd(): void {
    if (this.#reasons.size === 0) return;
    console.log(" Left out here; CI runs it all:");
    for (const reason of [...this.#reasons].toSorted((one, other) => (one < other ? -1 : 1))) console.log(`   skipped: ${reason}`);
    console.log();
  }
}
