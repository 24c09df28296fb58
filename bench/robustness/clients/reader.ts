/** Reads what the traffic mix says, and holds each answer to nothing: the checks do that later. */
import { setTimeout as pause } from "node:timers/promises";
import { between, oneOf } from "../random.ts";
import { keys, nextRead, prefixes } from "../traffic.ts";
import { clientAt, type Desk } from "./desk.ts";
import { listInPages } from "./reflector.ts";
import { isExpectedEnd, watchJournaled } from "./watching.ts";

export async function runReader(desk: Desk, name: string): Promise<void> {
  const { random, resting, journal, known } = desk;
  const client = clientAt(desk, name);
  const keyOf = () => oneOf(random, known.all)?.key ?? oneOf(random, keys)!;
  let seen = 0;

  const steps = {
    async listAndWatch() {
      const prefix = oneOf(random, prefixes)!;
      const listed = await listInPages(client, random, prefix);
      if (!listed) return;
      seen = listed.revision;
      const signal = AbortSignal.any([resting, AbortSignal.timeout(Math.round(between(random, 50, 1_500)))]);
      const { error, revision } = await watchJournaled(desk, client.name, { prefix, after: listed.revision }, signal, () => true);
      seen = revision;
      if (error && !isExpectedEnd(error)) journal.write({ trouble: `watch after ${revision} ended with ${error.stack}` });
    },
    async getAtRevision() {
      // Also between revisions, a little too old, and a little ahead of everybody.
      const revision = Math.max(1, seen + Math.round(between(random, -30_000, 2_000)));
      if (random() < 0.5) await client.get(keyOf(), { exactly: revision });
      else await client.list({ prefix: oneOf(random, prefixes)!, at: { exactly: revision }, waitMs: 200 });
    },
    async get() {
      await client.get(random() < 0.8 ? keyOf() : oneOf(random, keys)!);
    },
    async staleList() {
      const at = random() < 0.5 ? "cached" : { notOlderThan: seen };
      await client.list({ prefix: oneOf(random, prefixes)!, at, waitMs: 500 });
    },
    async staleGet() {
      await client.get(keyOf(), random() < 0.5 ? "cached" : { notOlderThan: seen });
    },
  };

  while (!resting.aborted) {
    await steps[nextRead(random)]();
    await pause(between(random, 0, 50), undefined, { signal: resting }).catch(() => {});
  }
}
