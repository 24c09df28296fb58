/** A promise that others settle. */

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly settled: boolean;
  /** Later calls change nothing. */
  resolve(value: T): void;
}

export function deferred<T>(): Deferred<T> {
  const { promise, resolve } = Promise.withResolvers<T>();
  let settled = false;
  return {
    promise,
    get settled() {
      return settled;
    },
    resolve(value) {
      settled = true;
      resolve(value);
    },
  };
}
