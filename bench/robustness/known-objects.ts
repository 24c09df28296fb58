/** What a process believes to exist in a log: fed by lists and watches, so always a little old, as the cache of a Kubernetes client is. */
import type { Change, Stored } from "../../shared/store/store.ts";
import type { KnownObject } from "./traffic.ts";

export class KnownObjects {
  readonly #revisions = new Map<string, number>();
  #listed = false;

  /** Whether anything is known at all. */
  get listed(): boolean {
    return this.#listed;
  }

  get all(): readonly KnownObject[] {
    return Array.from(this.#revisions, ([key, revision]) => ({ key, revision }));
  }

  /** Takes a list of everything. */
  replace(objects: readonly Stored[]): void {
    this.#listed = true;
    this.#revisions.clear();
    for (const { key, revision } of objects) this.#revisions.set(key, revision);
  }

  apply({ type, object: { key, revision } }: Pick<Change, "type" | "object">): void {
    if (type === "delete") this.#revisions.delete(key);
    else if (revision > (this.#revisions.get(key) ?? 0)) this.#revisions.set(key, revision);
  }
}
