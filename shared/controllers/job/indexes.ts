/** Completion indexes of an Indexed Job, and their short form in its status: `0,2-4`. */
import type { Pod } from "../../api/generated/types.ts";

export const indexAnnotation = "batch.kubernetes.io/job-completion-index";

/** The Pod's index; undefined when it has none. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation] ?? "";
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

export function parseIndexes(text: string | undefined): Set<number> {
  const found = new Set<number>();
  for (const range of (text ?? "").split(",").filter(Boolean)) {
    const [first = 0, last = first] = range.split("-").map(Number);
    for (let index = first; index <= last; index++) found.add(index);
  }
  return found;
}

export function formatIndexes(indexes: ReadonlySet<number>): string {
  const ranges: [first: number, last: number][] = [];
  for (const index of [...indexes].toSorted((one, other) => one - other)) {
    const current = ranges.at(-1);
    if (current && current[1] === index - 1) current[1] = index;
    else ranges.push([index, index]);
  }
  return ranges
    .map(([first, last]) => (first === last ? `${first}` : last === first + 1 ? `${first},${last}` : `${first}-${last}`))
    .join(",");
}
