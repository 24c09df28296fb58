/** Which clusters a table holds: an item each, so that a sweep finds them without reading anything else. */
import { insist, type Patience } from "./retry.ts";
import type { Table } from "./table.ts";

/** No cluster's keys begin like this: a cluster's name is a DNS label. */
const partition = "#clusters";

export async function registerCluster(table: Table, name: string, patience: Patience): Promise<void> {
  await insist(patience, () => table.put({ pk: partition, sk: name }, { type: "absent" }));
}

/** Names that were ever registered, those of deleted clusters included. */
export async function readClusterIndex(table: Table, patience: Patience): Promise<readonly string[]> {
  const query = { pk: partition, consistent: true };
  const names: string[] = [];
  for (let page = await insist(patience, () => table.query(query)); ; ) {
    names.push(...page.items.map(({ sk }) => sk));
    const { cursor } = page;
    if (!cursor) return names;
    page = await insist(patience, () => table.query({ ...query, cursor }));
  }
}
