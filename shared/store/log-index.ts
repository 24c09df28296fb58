/** Which logs a cluster has: an item each, written before the log's first slot, so that upkeep finds them all. */
import { logIndexPartition } from "./keys.ts";
import { insist, type Patience } from "./retry.ts";
import type { Table } from "./table.ts";

export async function registerLog(table: Table, cluster: string, incarnation: number, storage: string, patience: Patience): Promise<void> {
  await insist(patience, () => table.put({ pk: logIndexPartition(cluster, incarnation), sk: storage, incarnation }, { type: "absent" }));
}

export async function readLogIndex(table: Table, cluster: string, incarnation: number, patience: Patience): Promise<readonly string[]> {
  const query = { pk: logIndexPartition(cluster, incarnation), consistent: true };
  const storages: string[] = [];
  let page = await insist(patience, () => table.query(query));
  for (;;) {
    storages.push(...page.items.map(({ sk }) => sk));
    const { cursor } = page;
    if (!cursor) return storages;
    page = await insist(patience, () => table.query({ ...query, cursor }));
  }
}

export async function unregisterLog(
  table: Table,
  cluster: string,
  incarnation: number,
  storage: string,
  patience: Patience,
): Promise<void> {
  const condition = { type: "equals", attribute: "incarnation", value: incarnation } as const;
  await insist(patience, () => table.delete({ pk: logIndexPartition(cluster, incarnation), sk: storage }, condition));
}
