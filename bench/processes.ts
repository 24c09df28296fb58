/** What a process and its children use, read from /proc (Linux). */
import { readdirSync, readFileSync } from "node:fs";

const ticksPerSecond = 100;
const pageKib = 4;

interface Usage {
  /** User and system time, seconds. */
  readonly cpuSeconds: number;
  readonly rssMib: number;
}

/** Sum over a process and everything below it. */
export function usageOf(root: number): Usage {
  const parents = new Map<number, { parent: number; cpu: number; rss: number }>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const text = readFileSync(`/proc/${name}/stat`, "utf8");
      const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
      parents.set(Number(name), { parent: Number(fields[1]), cpu: Number(fields[11]) + Number(fields[12]), rss: Number(fields[21]) });
    } catch {
      // It ended while we looked.
    }
  }
  const family = new Set([root]);
  for (let grew = true; grew; ) {
    grew = false;
    for (const [pid, { parent }] of parents) {
      if (family.has(parent) && !family.has(pid)) {
        family.add(pid);
        grew = true;
      }
    }
  }
  let cpu = 0;
  let rss = 0;
  for (const pid of family) {
    cpu += parents.get(pid)?.cpu ?? 0;
    rss += parents.get(pid)?.rss ?? 0;
  }
  return { cpuSeconds: cpu / ticksPerSecond, rssMib: (rss * pageKib) / 1024 };
}
