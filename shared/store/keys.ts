/**
 * Where the store's items stand in the table. Every partition key begins with the cluster's name and, but for the cluster's own
 * record, its incarnation, so that a cluster made again under an old name shares nothing with the old one (rule 5).
 */
import type { ItemKey } from "./table.ts";

/** The record that says which incarnation a cluster's name stands for now. */
export const clusterKey = (cluster: string): ItemKey => ({ pk: `${cluster}#cluster`, sk: "record" });

/** The logs of an incarnation: one small item each, written before the log's first slot. */
export const logIndexPartition = (cluster: string, incarnation: number): string => `${cluster}#${incarnation}#logs`;

/** The partitions of one log. */
export interface LogKeys {
  readonly cluster: string;
  readonly storage: string;
  /** Slots, by number. */
  readonly slots: string;
  /** Objects, by `namespace/name`. */
  readonly view: string;
  /** Watermark and floors. */
  readonly marks: string;
  /** The newest checkpoint. */
  readonly checkpoint: string;
  /** What chunks there are, by the head they were born at. */
  readonly chunkIndex: string;
  /** One blob's chunks: a partition each, so that they never heat the log's (rule 22). */
  chunks(id: string): string;
}

export function logKeys(cluster: string, incarnation: number, storage: string): LogKeys {
  const prefix = `${cluster}#${incarnation}#${storage}`;
  return {
    cluster,
    storage,
    slots: `${prefix}#log`,
    view: `${prefix}#view`,
    marks: `${prefix}#marks`,
    checkpoint: `${prefix}#checkpoint`,
    chunkIndex: `${prefix}#chunks`,
    chunks: (id) => `${prefix}#chunk#${id}`,
  };
}
