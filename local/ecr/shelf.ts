/** Records that belong to a repository, at hand in memory and kept in the account's records. */
import type { Records } from "../state/records.ts";

export interface Shelf<T> {
  /** Of one repository, by key. */
  of(repositoryName: string): ReadonlyMap<string, T>;
  put(value: T): void;
  delete(value: T): void;
  some(is: (value: T) => boolean): boolean;
}

/** @param keyOf unique within a repository */
export function shelf<T extends { readonly repositoryName: string }>(
  records: Records,
  kind: string,
  keyOf: (value: T) => string,
): Shelf<T> {
  const repositories = new Map<string, Map<string, T>>();
  const idOf = (value: T) => `${value.repositoryName} ${keyOf(value)}`;
  const remember = (value: T) => {
    const known = repositories.get(value.repositoryName) ?? new Map<string, T>();
    repositories.set(value.repositoryName, known.set(keyOf(value), value));
  };
  for (const value of records.all<T>(kind).values()) remember(value);
  return {
    of: (repositoryName) => repositories.get(repositoryName) ?? new Map(),
    put(value) {
      records.put(kind, idOf(value), value);
      remember(value);
    },
    delete(value) {
      records.delete(kind, idOf(value));
      repositories.get(value.repositoryName)?.delete(keyOf(value));
    },
    some: (is) => [...repositories.values()].some((values) => values.values().some(is)),
  };
}
