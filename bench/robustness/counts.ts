/** How often each kind of thing happened. */

export class Counts {
  readonly #counts = new Map<string, number>();

  add = (name: string): void => {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  };

  get total(): number {
    return this.#counts.values().reduce((sum, count) => sum + count, 0);
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1)));
  }
}
