/** What clients do: Kubernetes' mix of reads and optimistic writes, batches that share a slot, pages, and watches that break off. */
import { RecordedClient, type Recording, type Write } from "../../../bench/robustness/recorder.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { ResourceStore, Stored } from "../../../shared/store/store.ts";

export interface Traffic {
  readonly store: ResourceStore;
  /** Of the process. */
  readonly clock: Clock;
  readonly random: () => number;
  /** Of the history. */
  readonly now: () => number;
  readonly recording: Recording;
  readonly keys: readonly string[];
  /** The newest revision that anybody could know. */
  readonly head: () => number;
  readonly isOver: () => boolean;
}

/** A body that is large enough now and then to have chunks of its own, or to push its slot's changes into some. */
function bodyFrom(random: () => number): NonNullable<Write["body"]> {
  return (current) => {
    const length = random() < 0.1 ? 3_000 : random() * 200;
    const text = Array.from({ length }, () => Math.floor(random() * 36).toString(36)).join("");
    return { over: current?.revision ?? null, wanted: Math.floor(random() * 2), text };
  };
}

/** Works until it is over, or the store refuses for a reason that is thrown. */
export async function runClient(name: string, traffic: Traffic): Promise<void> {
  const { store, clock, random, now, recording, keys, head, isOver } = traffic;
  const client = (suffix = "") => new RecordedClient(`${name}${suffix}`, store, now, recording.note);
  const own = client();
  const team = ["x", "y", "z"].map(client);
  const body = bodyFrom(random);
  const anyKey = () => keys[Math.floor(random() * keys.length)]!;
  const think = async () => {
    if (random() < 0.1) await clock.sleep(random() * 30);
  };
  const past = () => head() - Math.floor(random() * 12) * (random() < 0.7 ? 1_000 : 1);
  let seen: readonly Stored[] = [];

  const anyWrite = (): Write => {
    const key = anyKey();
    const choice = random();
    const common = { key, think, volatile: random() < 0.2 };
    if (choice < 0.3) {
      const known = seen[Math.floor(random() * seen.length)];
      if (known) return { ...common, type: random() < 0.8 ? "update" : "delete", key: known.key, expected: known.revision, body };
    }
    if (choice < 0.5) return { ...common, type: "create", body };
    if (choice < 0.65) return { ...common, type: "delete" };
    const wanted = Math.floor(random() * 2);
    if (choice < 0.85) return { ...common, type: "update", body, isDone: (current) => current.value.wanted === wanted };
    return { ...common, type: "update", body };
  };

  const choices: readonly (readonly [share: number, act: () => Promise<unknown>])[] = [
    [0.15, async () => (seen = (await own.list({ prefix: "", at: "newest" }))?.items ?? seen)],
    [0.06, () => own.list({ prefix: "", at: "cached" })],
    [0.08, () => readPages(own, traffic)],
    [0.05, () => own.list({ prefix: random() < 0.5 ? "" : "a/", at: { exactly: past() }, waitMs: 100 })],
    [0.03, () => own.list({ prefix: "", at: { asOf: past() }, waitMs: 100 })],
    [0.02, () => own.list({ prefix: "", at: { notOlderThan: head() + Math.floor(random() * 3) * 1_000 }, waitMs: 100 })],
    [0.18, () => own.get(anyKey())],
    [0.03, () => own.get(anyKey(), "cached")],
    [0.05, () => own.get(anyKey(), { exactly: past() })],
    [0.12, () => Promise.all(team.map((each) => each.write(anyWrite())))],
    [0.06, async () => (await own.write(anyWrite()), (seen = (await own.list({ prefix: "", at: "newest" }))?.items ?? seen))],
    [0.17, () => own.write(anyWrite())],
  ];
  while (!isOver()) {
    let pick = random();
    const [, act] = choices.find(([share]) => (pick -= share) < 0) ?? choices.at(-1)!;
    await act();
    await clock.sleep(random() * 20);
  }
}

/** A function that starts, does one thing, and is gone. */
export async function runOnce(name: string, { store, random, now, recording, keys }: Traffic): Promise<void> {
  const client = new RecordedClient(name, store, now, recording.note);
  const key = keys[Math.floor(random() * keys.length)]!;
  const choice = random();
  if (choice < 0.4) {
    // Other requests ask for single objects while the type is loaded.
    const other = new RecordedClient(`${name}b`, store, now, recording.note);
    const loaded = new AbortController();
    const asking = async () => {
      while (!loaded.signal.aborted) await other.get(keys[Math.floor(random() * keys.length)]!);
    };
    await Promise.all([client.list({ prefix: "", at: "newest" }).finally(() => loaded.abort()), asking()]);
  } else if (choice < 0.7) await client.get(key);
  else if (choice < 0.85) await client.write({ type: "create", key, body: bodyFrom(random) });
  else await client.write({ type: "update", key, body: bodyFrom(random) });
}

/** Page after page at the first one's revision, while everything changes. */
async function readPages(client: RecordedClient, { clock, random }: Traffic): Promise<void> {
  const prefix = random() < 0.7 ? "" : "a/";
  let page = await client.list({ prefix, limit: 2, at: "newest" });
  while (page && page.remaining > 0) {
    await clock.sleep(random() * (random() < 0.1 ? 3_000 : 60));
    page = await client.list({
      prefix,
      limit: 1 + Math.floor(random() * 3),
      after: page.items.at(-1)!.key,
      at: { exactly: page.revision },
    });
  }
}

/** Errors after which a watcher goes on from its last revision. */
const transient = new Set(["SlowReaderError", "StoreBusyError", "StoreUnavailableError"]);

/** Watches on and on: breaks off, often in the middle of a slot, and goes on from its last revision; falls behind now and then. */
export async function runWatcher(name: string, traffic: Traffic): Promise<void> {
  const { store, clock, random, now, recording, head, isOver } = traffic;
  const client = new RecordedClient(name, store, now, recording.note);
  const prefix = random() < 0.6 ? "" : "a/";
  let after: number | undefined;
  while (!isOver()) {
    if (random() < 0.15) after = head() + Math.floor(1 + random() * 3) * 1_000;
    after ??= (await client.list({ prefix, at: "newest" }))?.revision;
    if (after === undefined) continue;
    const stop = new AbortController();
    const breakOff = 1 + Math.floor(random() * 20);
    let count = 0;
    void until(isOver, clock, stop);
    const ended: string | undefined = await client.watch({ prefix, after }, stop.signal, recording.noteWatch, async (item) => {
      after = item.type === "progress" ? item.revision : item.change.object.revision;
      if (random() < 0.03) await clock.sleep(random() * 600);
      return ++count < breakOff;
    });
    stop.abort();
    // Once in a while it is away for long enough to be refused.
    if (random() < 0.2) await clock.sleep(random() * 5_000);
    if (ended === "CompactedError") {
      // The log may have ended: then this is thrown.
      after = undefined;
    } else if (ended !== undefined && !transient.has(ended)) throw Object.assign(new Error(ended), { name: ended });
  }
}

/** Ends a watch when it is over. */
async function until(isOver: () => boolean, clock: Clock, stop: AbortController): Promise<void> {
  try {
    while (!isOver()) await clock.sleep(50, stop.signal);
    stop.abort();
  } catch {
    // The watch has ended by itself.
  }
}
