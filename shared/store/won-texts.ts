/** JSON of objects that this process just wrote to the log and the view has yet to get, so that it is written out once. Bounded. */
import type { LoggedChange } from "./slot.ts";
import type { Revision } from "./store.ts";

/** Length of all that is kept; what comes beyond it is made again from the object. */
const mostBytes = 8 * 1024 * 1024;

export class WonTexts {
  /** By object: an older state of it is not wanted any more. */
  readonly #texts = new Map<string, { readonly revision: Revision; readonly text: string }>();
  #bytes = 0;

  keep({ object: { key, revision }, type }: LoggedChange, text: string | undefined): void {
    this.#drop(key);
    if (type === "delete" || text === undefined || this.#bytes + text.length > mostBytes) return;
    this.#texts.set(key, { revision, text });
    this.#bytes += text.length;
  }

  /** Gives away the text of a change, and forgets what was known of states before it. */
  take({ object: { key, revision } }: LoggedChange): string | undefined {
    const kept = this.#texts.get(key);
    if (!kept || kept.revision > revision) return undefined;
    this.#drop(key);
    return kept.revision === revision ? kept.text : undefined;
  }

  #drop(key: string): void {
    this.#bytes -= this.#texts.get(key)?.text.length ?? 0;
    this.#texts.delete(key);
  }
}
