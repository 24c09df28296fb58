/** The record that says which incarnation a cluster's name stands for now (rule 5). */
import { clusterKey } from "./keys.ts";
import { insist, type Patience } from "./retry.ts";
import { birthAt, type SlotNumber } from "./slot.ts";
import type { Item, Table } from "./table.ts";

export interface ClusterRecord {
  /** Number of the incarnation, and the head of its logs before their first slot. */
  readonly incarnation: SlotNumber;
  readonly state: ClusterState;
  /** Above every slot of every log of this incarnation and those before; known once it is deleted. */
  readonly highest: SlotNumber;
  /** Incarnations that are over, but not yet erased. */
  readonly former: readonly SlotNumber[];
}

/**
 * `closing`: its logs are being closed. `deleted`: all are closed, and the name may be used again. `restoring`: the logs of the former
 * incarnation are being closed, and its objects copied into this one.
 */
type ClusterState = "open" | "closing" | "deleted" | "restoring";

export async function readCluster(table: Table, name: string, patience: Patience): Promise<ClusterRecord | undefined> {
  const { item } = await insist(patience, () => table.get(clusterKey(name), { consistent: true }));
  return item && recordOf(item);
}

/** Makes the first incarnation of a name, or the next one of a deleted cluster. Somebody else may be faster, which is as good. */
export async function createClusterRecord(table: Table, name: string, patience: Patience): Promise<ClusterRecord> {
  for (;;) {
    const existing = await readCluster(table, name, patience);
    if (existing && existing.state !== "deleted") return existing;
    const incarnation = Math.max(birthAt(patience.clock.now()), existing ? existing.highest + 1 : 0);
    const record: ClusterRecord = {
      incarnation,
      state: "open",
      highest: incarnation,
      former: existing ? [...existing.former, existing.incarnation] : [],
    };
    await insist(patience, () => replaceCluster(table, name, record, existing));
  }
}

/** @returns whether the record was still as it was read */
export async function replaceCluster(
  table: Table,
  name: string,
  record: ClusterRecord,
  existing: ClusterRecord | undefined,
): Promise<boolean> {
  const item: Item = {
    ...clusterKey(name),
    cluster: name,
    incarnation: record.incarnation,
    state: record.state,
    highest: record.highest,
    former: JSON.stringify(record.former),
    version: versionOf(record),
  };
  const condition = existing
    ? ({ type: "equals", attribute: "version", value: versionOf(existing) } as const)
    : ({ type: "absent" } as const);
  return (await table.put(item, condition)).done;
}

/** Changes whenever the record does. */
const versionOf = ({ incarnation, state, highest, former }: ClusterRecord): string => JSON.stringify([incarnation, state, highest, former]);

const recordOf = (item: Item): ClusterRecord => ({
  incarnation: Number(item.incarnation),
  state: item.state as ClusterState,
  highest: Number(item.highest),
  former: JSON.parse(String(item.former)) as SlotNumber[],
});

const namePattern = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** A cluster's name is a DNS label: it stands in keys, paths and host names. */
export const isClusterName = (name: string): boolean => namePattern.test(name);
