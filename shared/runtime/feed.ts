/** Where listers learn what exists and what changed: a port over the change logs, implemented by the registry. */
import type { KindRef } from "../api/client.ts";
import type { KubeObject } from "../api/objects.ts";
import type { Observed } from "./controller.ts";

/** Everything of a kind, or what changed since the revision that was asked for; both are true at `revision`. */
export type Fed<T extends KubeObject = KubeObject> =
  | { readonly all: readonly T[]; readonly revision: number }
  /** Oldest first; each change once. */
  | { readonly changes: readonly Observed<T>[]; readonly revision: number };

export interface Feed {
  /**
   * Objects are frozen and shared.
   * @param after revision of the last answer; undefined for the first time. When the changes since then are gone, the answer is `all`.
   * @param options.consistent true: the log's tail is read after this call began (`log-rules.md` 8). false: what this process knows
   * already, its own commits included
   * @throws {StatusError} NotFound when the kind is not served (any more)
   */
  read<T extends KubeObject>(kind: KindRef<T>, after: number | undefined, options: { readonly consistent: boolean }): Promise<Fed<T>>;
}
