/** The content of a slot: its changes as one text, in the item if they fit, else in chunks (rule 22). */
import type { Draft } from "./draft.ts";
import { packText } from "./encoding.ts";
import type { ResourceLog } from "./resource-log.ts";
import type { ChunkRef } from "./slot.ts";
import type { PackedChanges } from "./slot-item.ts";

/** Chunks that were written for a draft which lost its slot: good for the same changes in another one. */
interface Kept {
  readonly text: string;
  readonly content: ChunkRef;
  readonly bytes: number;
  readonly members: number;
}

export class Packer {
  readonly #log: ResourceLog;
  readonly #newId: () => string;
  #kept: Kept | undefined;

  constructor(log: ResourceLog, newId: () => string) {
    this.#log = log;
    this.#newId = newId;
  }

  /** How many members the next draft may have: a batch with chunks keeps its own, so that they need not be written again. */
  get bound(): number {
    return this.#kept?.members ?? Infinity;
  }

  async pack(draft: Draft): Promise<PackedChanges> {
    const { chunkSlots, inlineBytes } = this.#log.parts.settings;
    const text = `[${draft.texts.join(",")}]`;
    const packed = { count: draft.changes.length, exact: draft.exact, size: text.length };
    const kept = this.#kept;
    if (kept?.text === text && draft.head.next - kept.content.born <= chunkSlots) {
      return { ...packed, content: kept.content, bytes: kept.bytes };
    }
    const content = packText(text);
    const bytes = content.length;
    if (bytes <= inlineBytes) return { ...packed, content, bytes };
    const ref = await this.#log.chunks.write(this.#newId(), text, draft.head.slot, draft.exact);
    this.#kept = { text, content: ref, bytes, members: draft.members.length };
    return { ...packed, content: ref, bytes };
  }

  /** The draft was answered: its chunks are in a slot, or nobody's. */
  forget(): void {
    this.#kept = undefined;
  }
}
