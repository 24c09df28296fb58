/**
 * Reads a log's changes when it is rung, as the functions do that the doorbell starts; and without being rung at long intervals, since
 * rings get lost. What the ring says is not believed: it only says when to look.
 */
import { setTimeout as pause } from "node:timers/promises";
import { between } from "../random.ts";
import { clientAt, type Desk } from "./desk.ts";
import { journalChanges } from "./watching.ts";

const sweepMs = 2_000;

export class ConsumerClient {
  readonly #desk: Desk;
  #rung = Promise.withResolvers<void>();
  #revision = 0;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  get revision(): number {
    return this.#revision;
  }

  ring(): void {
    this.#rung.resolve();
  }

  async run(): Promise<void> {
    const { over, random, journal } = this.#desk;
    const client = clientAt(this.#desk, "consumer");
    while (!over.aborted) {
      this.#rung = Promise.withResolvers();
      try {
        if (this.#revision === 0) this.#revision = (await client.list({ prefix: "", at: "newest" }))?.revision ?? 0;
        else await this.#catchUp(client.name);
      } catch (error) {
        const { name, stack } = error as Error;
        if (name === "CompactedError") this.#revision = 0;
        else if (name !== "StoreBusyError") journal.write({ trouble: `changes after ${this.#revision} ended with ${stack}` });
        await pause(between(random, 5, 50));
        continue;
      }
      if (this.#revision > 0) await Promise.race([this.#rung.promise, pause(sweepMs, undefined, { signal: over }).catch(() => {})]);
    }
  }

  async #catchUp(client: string): Promise<void> {
    const after = this.#revision;
    const read = await this.#desk.store.changes(after);
    journalChanges(this.#desk, client, { after, ...read });
    this.#revision = read.revision;
  }
}
