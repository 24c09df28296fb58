/**
 * Lists and watches for as long as the process lives, and so keeps what the process knows up to date. Its watches break off now and then,
 * often in the middle of a slot, and go on from where they were; it is slow at times.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { ListResult } from "../../../shared/store/store.ts";
import { between, type Random } from "../random.ts";
import type { RecordedClient } from "../recorder.ts";
import { clientAt, type Desk } from "./desk.ts";
import { isExpectedEnd, watchJournaled } from "./watching.ts";

export class Reflector {
  readonly #desk: Desk;
  readonly #client: RecordedClient;
  #revision = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#client = clientAt(desk, "reflector");
  }

  /** Everything up to this revision was delivered. */
  get revision(): number {
    return this.#revision;
  }

  async run(): Promise<void> {
    const { over, random, known } = this.#desk;
    while (!over.aborted) {
      const listed = await listInPages(this.#client, random, "");
      if (!listed) {
        await pause(between(random, 5, 50));
        continue;
      }
      known.replace(listed.items);
      this.#revision = listed.revision;
      while (!over.aborted && (await this.#watch()));
    }
  }

  /** @returns whether it may go on from where it was */
  async #watch(): Promise<boolean> {
    const { over, random, known, journal, resting } = this.#desk;
    const { error, revision } = await watchJournaled(
      this.#desk,
      this.#client.name,
      { prefix: "", after: this.#revision },
      over,
      async (item) => {
        if (item.type === "change") known.apply(item.change);
        this.#revision = item.type === "progress" ? item.revision : item.change.object.revision;
        if (!resting.aborted && random() < 0.005) await pause(between(random, 10, 1_500));
        return resting.aborted || random() >= 0.02;
      },
    );
    this.#revision = revision;
    if (!error) return true;
    if (!isExpectedEnd(error)) journal.write({ trouble: `watch after ${revision} ended with ${error.stack}` });
    await pause(between(random, 5, 50));
    return error.name !== "CompactedError";
  }
}

/**
 * A list as kubectl makes it: the first page at the newest state, the others at that same state.
 * @returns undefined when a page failed
 */
export async function listInPages(
  client: RecordedClient,
  random: Random,
  prefix: string,
): Promise<Pick<ListResult, "items" | "revision"> | undefined> {
  const limit = random() < 0.5 ? 1 + Math.floor(random() * 6) : undefined;
  const first = await client.list({ prefix, at: "newest", ...(limit !== undefined && { limit }) });
  if (!first) return undefined;
  const items = [...first.items];
  for (let page: ListResult = first; page.remaining > 0; ) {
    const next = await client.list({ prefix, at: { exactly: first.revision }, after: items.at(-1)!.key, limit: limit ?? 1 });
    if (!next) return undefined;
    page = next;
    items.push(...page.items);
    if (random() < 0.2) await pause(between(random, 1, 300));
  }
  return { items, revision: first.revision };
}
