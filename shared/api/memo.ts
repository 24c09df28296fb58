/** Answers that are kept because the same is asked again and again. Bounded, all of them. */

/** What was asked for lately, in two generations of so many. */
export class Recent<K, V> {
  readonly #limit: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: K): V | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#limit) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}

/**
 * A function of a text that is worked out once for each of the few texts that come again and again. Failures are not kept.
 * @param most texts that are kept; then all are forgotten
 * @param longest text that is kept: who sends long ones does not fill the memory
 */
export function remembering<V>(make: (text: string) => V, most: number, longest = Infinity): (text: string) => V {
  const known = new Map<string, V>();
  return (text) => {
    let value = known.get(text);
    if (value === undefined) {
      value = make(text);
      if (known.size >= most) known.clear();
      if (text.length <= longest) known.set(text, value);
    }
    return value;
  };
}
