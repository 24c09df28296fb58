/** Deleting everything that a list selects: not atomic, as upstream. */
import type { AnyObject } from "../api/kind.ts";
import { StatusError } from "../errors/status-error.ts";
import { type Deletion, deleteObject } from "./delete.ts";
import type { ListAnswer } from "./registry.ts";

/** Deletions under way at a time; those of one log share its slots. */
const atOnce = 100;

export async function deleteListed({ items }: ListAnswer, deletionOf: (object: AnyObject) => Deletion): Promise<void> {
  for (let start = 0; start < items.length; start += atOnce) {
    const group = items.slice(start, start + atOnce).map(async (object) => {
      try {
        await deleteObject(deletionOf(object));
      } catch (error) {
        // Somebody else was faster: that is what was wanted.
        if (!(error instanceof StatusError) || error.reason !== "NotFound") throw error;
      }
    });
    const failed = (await Promise.allSettled(group)).find((result) => result.status === "rejected");
    if (failed) throw failed.reason;
  }
}
