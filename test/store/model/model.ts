/** What a store must answer when it is asked one thing after the other: a list of revisions, and nothing of the store's own code. */

export type Value = { readonly [name: string]: unknown };

export interface State {
  readonly key: string;
  readonly revision: number;
  readonly value: Value;
}

export interface Version {
  readonly type: "put" | "delete";
  /** Of a deletion: the last state, at the deletion's revision. */
  readonly state: State;
  readonly previous: State | undefined;
}

/** What a client wants of one object, given as a function of what is there. */
export interface Wish {
  readonly key: string;
  /** What it comes to: a next value, a deletion, nothing to do, or a refusal. */
  readonly decide: (current: State | undefined) => Decision;
}

export type Decision =
  | { readonly type: "put"; readonly value: Value }
  | { readonly type: "delete" }
  | { readonly type: "unchanged" }
  | { readonly type: "refused"; readonly reason: string };

const byBytes = (one: State, other: State): number => Buffer.compare(Buffer.from(one.key), Buffer.from(other.key));

export class Model {
  readonly start: number;
  readonly versions: Version[] = [];
  /** Revisions before this one may be refused; a process that has not heard of the compaction may still know them. */
  oldest: number;

  constructor(start: number) {
    this.start = start;
    this.oldest = start;
  }

  get newest(): number {
    return this.versions.at(-1)?.state.revision ?? this.start;
  }

  /** Every revision that ever was, the beginning included. */
  get revisions(): readonly number[] {
    return [this.start, ...this.versions.map(({ state }) => state.revision)];
  }

  current(key: string, revision = Infinity): State | undefined {
    const last = this.versions.findLast(({ state }) => state.key === key && state.revision <= revision);
    return last?.type === "put" ? last.state : undefined;
  }

  list(prefix: string, revision: number): readonly State[] {
    const keys = new Set(this.versions.map(({ state }) => state.key).filter((key) => key.startsWith(prefix)));
    return [...keys].flatMap((key) => this.current(key, revision) ?? []).sort(byBytes);
  }

  after(revision: number, prefix = ""): readonly Version[] {
    return this.versions.filter(({ state }) => state.revision > revision && state.key.startsWith(prefix));
  }

  /** A wish came true at a revision. */
  apply({ key, decide }: Wish, revision: number): Version {
    const previous = this.current(key);
    const decision = decide(previous);
    if (decision.type !== "put" && decision.type !== "delete") throw new Error(`${key}: written, and should be ${decision.type}`);
    const value = decision.type === "put" ? decision.value : previous!.value;
    const version: Version = { type: decision.type, state: { key, revision, value }, previous };
    this.versions.push(version);
    return version;
  }

  /** Everything but the newest slot went out of reach. */
  compacted(): void {
    const slot = Math.floor(this.newest / 1_000);
    const before = this.revisions.filter((revision) => Math.floor(revision / 1_000) < slot);
    this.oldest = Math.max(this.oldest, before.at(-1) ?? this.start);
  }
}
