/**
 * Deliberately broken variants of the store, as changes to its sources. The suite that catches them knows nothing of them.
 *
 * The first ones are those that the rules of the log ask for, each the bug that a rule excludes; the others are modelled on bugs that
 * etcd and kine had.
 */

export interface Mutant {
  readonly name: string;
  /** What it does wrong. */
  readonly bug: string;
  readonly patches: readonly Patch[];
}

/** One change: `from` stands in the file exactly once. */
export interface Patch {
  /** In `shared/store`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const patch = (file: string, from: string, to: string): Patch => ({ file, from, to });

const ofTheRules: readonly Mutant[] = [
  {
    name: "no-condition",
    bug: "claims a slot whether or not it is taken",
    patches: [patch("claim.ts", `table.put(claim.item, { type: "absent" })`, "table.put(claim.item)")],
  },
  {
    name: "compact-deletes",
    bug: "compaction frees a slot's key at once, and leaves no stub",
    patches: [patch("compaction.ts", "table.put(item,", "table.delete(item,")],
  },
  {
    name: "compact-the-last",
    bug: "compaction takes the newest slot as well",
    patches: [
      patch("compaction.ts", "const { watermark, date } = marks;", "const { date } = marks;\n  const watermark = marks.watermark + 1;"),
    ],
  },
  {
    name: "head-from-rv",
    bug: "takes the next slot's number from a revision: as many changes as the last slot had, so many slots further",
    patches: [patch("slot.ts", "return this.slot + 1;", "return this.slot + Math.max(1, this.revision % 1_000);")],
  },
  {
    name: "pipeline",
    bug: "begins another slot while a claim is in flight",
    patches: [patch("committer.ts", "if (!this.#running) {", "if (this.#queue.length > 0) {")],
  },
  {
    name: "no-contiguity-check",
    bug: "believes that a page of slots has no hole",
    patches: [patch("tail.ts", "if (Number(item.sk) !== expected + index) return false;", "")],
  },
  {
    name: "ignore-LastEvaluatedKey",
    bug: "takes the first page of slots for all of them",
    patches: [patch("tail.ts", "} while (page.cursor && !enough());", "} while (!page);")],
  },
  {
    name: "eventual-head",
    bug: "reads the tail eventually",
    patches: [
      patch(
        "tail.ts",
        "...(page?.cursor && { cursor: page.cursor }),\n        consistent: true,",
        "...(page?.cursor && { cursor: page.cursor }),\n        consistent: false,",
      ),
    ],
  },
  {
    name: "eventual-view",
    bug: "reads the view eventually",
    patches: [
      patch(
        "view.ts",
        "const { item } = await insist(patience, () => table.get({ pk: keys.view, sk: key }, { consistent: true }));\n      if (!item) return undefined;",
        "const { item } = await insist(patience, () => table.get({ pk: keys.view, sk: key }, { consistent: false }));\n      if (!item) return undefined;",
      ),
      patch(
        "view.ts",
        "const query = { pk: keys.view, consistent: true } as const;",
        "const query = { pk: keys.view, consistent: false } as const;",
      ),
    ],
  },
  {
    name: "fresh-id-on-retry",
    bug: "does not know its own write again, and makes it once more",
    patches: [
      patch("claim.ts", "entry.changes.some(({ id }) => claim.ids.has(id))", "entry.changes.length === 0"),
      patch("claim.ts", `existing.time === time ? "us" : "others"`, `existing.time === time ? "others" : "others"`),
    ],
  },
  {
    name: "writer-id-only",
    bug: "takes any slot of its own process for the one that it claims",
    patches: [patch("claim.ts", "entry.changes.some(({ id }) => claim.ids.has(id))", "entry.writer === claim.item.writer")],
  },
  {
    name: "refuse-from-cache",
    bug: "refuses on the state that it happens to know",
    patches: [
      patch(
        "committer.ts",
        "const stale = draft.members.filter(({ arrival }) => !log.isFresh(arrival));",
        `const stale = draft.members.filter(({ arrival, decided }) => !log.isFresh(arrival) && decided?.verdict?.type !== "refused");`,
      ),
    ],
  },
  {
    name: "noop-from-cache",
    bug: "says that nothing is to be done on the state that it happens to know",
    patches: [
      patch(
        "committer.ts",
        "const stale = draft.members.filter(({ arrival }) => !log.isFresh(arrival));",
        `const stale = draft.members.filter(({ arrival, decided }) => !log.isFresh(arrival) && decided?.verdict?.type !== "unchanged");`,
      ),
    ],
  },
  {
    name: "compare-rv-only",
    bug: "keeps the outcome of a patch when its slot was lost, whatever the object is by then",
    patches: [patch("draft.ts", "decided !== undefined && decided.current === current &&", "decided !== undefined &&")],
  },
  {
    name: "batch-ignores-itself",
    bug: "judges a change without those before it in its slot",
    patches: [patch("draft.ts", "draft.overlay.has(key) ? draft.overlay.get(key) : objectIn(cache, key)", "objectIn(cache, key)")],
  },
  {
    name: "view-deletes",
    bug: "a deletion leaves no tombstone in the view",
    patches: [
      patch(
        "view.ts",
        `return table.put(item, { type: "absentOrLess"`,
        `return item.gone ? table.delete(item) : table.put(item, { type: "absentOrLess"`,
      ),
    ],
  },
  {
    name: "unconditional-apply",
    bug: "writes to the view whatever is there",
    patches: [patch("view.ts", `table.put(item, { type: "absentOrLess", attribute: "revision", value: revision })`, "table.put(item)")],
  },
  {
    name: "watermark-first",
    bug: "moves the watermark before the view is written",
    patches: [
      patch(
        "view.ts",
        `await this.write(changes, deadline, { written: this.#begun.written, unlessOvertaken });`,
        `await raiseMark(table, keys, "watermark", last.number, patience);\n        await this.write(changes, deadline, { written: this.#begun.written, unlessOvertaken });`,
      ),
    ],
  },
  {
    name: "head-before-view",
    bug: "names a list after a head that was read before the view's pages",
    patches: [
      patch(
        "resource-log.ts",
        "await this.fresh(this.arrive());\n    // Others may have learned from the view meanwhile, of what is after that head.\n    while (this.#cache === cache && cache.isBehindView && !cache.head.closed) await this.#nextRead();\n    if (this.#cache === cache) cache.completed();",
        "if (this.#cache === cache) cache.completed();",
      ),
    ],
  },
  {
    name: "compact-past-watermark",
    bug: "compaction does not wait for the view",
    patches: [
      patch(
        "compaction.ts",
        "const { watermark, date } = marks;",
        "const { date } = marks;\n  const watermark = (await log.fresh(log.arrive())).head.slot;",
      ),
      patch(
        "open-store.ts",
        "const { done } = await log.view.materialize(mayGoOn);",
        "await compact(log, mayGoOn);\n    const { done } = await log.view.materialize(mayGoOn);",
      ),
    ],
  },
  {
    name: "no-undo",
    bug: "changes do not say what was there before",
    patches: [patch("draft.ts", "const undo = current && undoOf(value, current.value);", "const undo = undefined;")],
  },
  {
    name: "boundary-off-by-one",
    bug: "forgets the last change of what compaction took",
    patches: [
      patch("history.ts", "changedAfter(entry, after)) throw", "changedAfter(entry, after) && entry.number > slot) throw"),
      patch("history.ts", "slot < floor; slot++", "slot < floor - 1; slot++"),
    ],
  },
  {
    name: "join-running-read",
    bug: "is content with a tail read that began before the request",
    patches: [
      patch("resource-log.ts", "this.#readBegan = began;", "this.#readBegan = this.arrive();"),
      patch("resource-log.ts", "    if (!this.#running) {", "    if (this.#running) return this.#running;\n    if (!this.#running) {"),
    ],
  },
  {
    name: "sweep-by-age",
    bug: "sweeps chunks that a slot may still come to refer to",
    patches: [patch("compaction.ts", "stubbed - settings.chunkSlots - 1", "stubbed + settings.chunkSlots")],
  },
  {
    name: "name-as-incarnation",
    bug: "a cluster made again under an old name goes on in the old one's logs",
    patches: [patch("keys.ts", "const prefix = `${cluster}#${incarnation}#${storage}`;", "const prefix = `${cluster}#${storage}`;")],
  },
];

const ofOthers: readonly Mutant[] = [
  {
    name: "late-win-believed",
    bug: "believes a claim of a key that compaction freed",
    patches: [patch("claim.ts", "if (date.getTime() - head.observed.getTime() <= settings.verifyAfterMs) return", "if (settings) return")],
  },
  {
    name: "head-cached-for-a-second",
    bug: "does without a tail read when the last one was a moment ago (stale reads after a pause: etcd-io/etcd#20418)",
    patches: [
      patch(
        "resource-log.ts",
        "return this.#cache !== undefined && this.#readBegan > since;",
        "return this.#cache !== undefined && (this.#readBegan > since || this.parts.patience.clock.now().getTime() - this.#cache.head.observed.getTime() < 1_000);",
      ),
    ],
  },
  {
    name: "conflict-for-a-lost-slot",
    bug: "calls it a conflict when somebody else took the slot",
    patches: [
      patch(
        "committer.ts",
        "this.#queue = this.#queue.filter(({ done }) => !done);",
        `for (const { resolve } of this.#queue) resolve({ type: "refused", error: new Error("Conflict") });\n    this.#queue = [];`,
      ),
    ],
  },
  {
    name: "progress-ahead-of-events",
    bug: "tells a watcher of progress that it has not delivered (etcd-io/etcd#15220)",
    patches: [
      patch(
        "watch.ts",
        `yield { type: "progress", revision };`,
        `yield { type: "progress", revision: (await log.fresh(log.arrive())).head.revision };`,
      ),
    ],
  },
  {
    name: "events-twice",
    bug: "begins a watch with the whole slot that its revision lies in (etcd-io/etcd#15271, #17247)",
    patches: [patch("watch.ts", "if (change.object.revision <= after || ", "if (")],
  },
  {
    name: "slow-reader-skipped",
    bug: "lets a slow watcher go on where memory begins (etcd-io/etcd#17529)",
    patches: [
      patch(
        "watch.ts",
        "if (!step.current && live === cache) throw new SlowReaderError(`the reader of ${log.parts.keys.slots} is too slow`);",
        "if (!step.current && live === cache) {\n        position = { after, slot: cache.windowStart + 1 };\n        continue;\n      }",
      ),
    ],
  },
  {
    name: "future-watch-gets-the-past",
    bug: "a watch from a revision in the future is told of what comes before it (etcd-io/etcd#20221)",
    patches: [
      patch(
        "watch.ts",
        "let position = positionAfter(after);",
        "let position = positionAfter(Math.min(after, log.cache?.head.revision ?? after));",
      ),
      patch("watch.ts", "if (change.object.revision <= after || ", "if (change.object.revision <= position.after || "),
    ],
  },
  {
    name: "deletion-at-the-old-revision",
    bug: "a deletion carries the revision of what it deletes",
    patches: [
      patch(
        "draft.ts",
        "const object: Stored = Object.freeze({ key: proposal.key, revision, value: decision.value });",
        "const object: Stored = Object.freeze({ key: proposal.key, revision: decision.deletes ? current!.revision : revision, value: decision.value });",
      ),
    ],
  },
  {
    name: "list-header-ahead",
    bug: "names a list after a head that was read after its items (k3s-io/kine#676)",
    patches: [
      patch(
        "resource-store.ts",
        "return { ...cutSnapshot(cache, query), revision: cache.head.revision };",
        "return { ...cutSnapshot(cache, query), revision: (await this.#log.fresh(this.#log.arrive())).head.revision };",
      ),
    ],
  },
  {
    name: "page-without-undo",
    bug: "the second page of a list is of another state than the first",
    patches: [
      patch(
        "resource-store.ts",
        "return { ...cutSnapshot(cache, query, overlay), revision };",
        "return { ...cutSnapshot(cache, query), revision };",
      ),
    ],
  },
  {
    name: "remaining-of-today",
    bug: "counts what remains of a page as it is now",
    patches: [patch("snapshot.ts", "remaining: keys.length - page.length", "remaining: Math.max(0, end - start - page.length)")],
  },
  {
    name: "clock-not-hybrid",
    bug: "slots have the wall clock's time, and it goes back",
    patches: [patch("hybrid-clock.ts", "if (micros > this.#newest) this.#newest = micros;", "")],
  },
  {
    name: "view-without-tail",
    bug: "a new process believes that the view is all there is",
    patches: [
      patch(
        "resource-log.ts",
        "this.#take(cache, born ? entries : entries.slice(1), date);",
        "this.#take(cache, born ? entries : [], date);",
      ),
    ],
  },
  {
    name: "empty-log-trusted",
    bug: "takes a log without a slot for one of a cluster that is still there",
    patches: [
      patch("resource-log.ts", "known.head.slot === this.parts.birth && this.parts.assertCurrent()", "false"),
      patch("resource-log.ts", "born && assertCurrent()", "false"),
    ],
  },
  {
    name: "former-life-created",
    bug: "hands out a cluster's former life where it is to make a new one",
    patches: [patch("open-store.ts", "if (opening && known?.incarnation !== incarnation) this.#forget(name, opening);", "")],
  },
  {
    name: "window-start-forgotten",
    bug: "believes that memory reaches back to where it began",
    patches: [patch("cache.ts", "if (last) this.#windowStartRevision = revisionAt(last.number, last.count);", "")],
  },
  {
    name: "shared-chunks-swept",
    bug: "sweeps chunks that only the view refers to",
    patches: [patch("compaction.ts", "if (viewed?.chunks !== id && !packed.has(id))", "if (!packed.has(id))")],
  },
  {
    name: "slot-after-checkpoint-skipped",
    bug: "begins one slot too late to read what a checkpoint does not have",
    patches: [patch("checkpoint.ts", "found.at + 1", "found.at + 2")],
  },
  {
    name: "newest-change-undone",
    bug: "undoes the last change of an object in place of the first one after a revision",
    patches: [patch("history.ts", "change.object.revision > revision && !overlay.has(key)", "change.object.revision > revision")],
  },
];

export const mutants: readonly Mutant[] = [...ofTheRules, ...ofOthers];
