/**
 * Where the emulated services keep what they know: JSON records by kind and id in one SQLite file. A write is in the file's log when it
 * returns, so what was acknowledged survives `kill -9` of this process (not a power cut: nothing is flushed to the disk each time).
 */
import { DatabaseSync } from "node:sqlite";

export interface Records {
  /** All records of a kind, by id. */
  all<T>(kind: string): Map<string, T>;
  put(kind: string, id: string, value: unknown): void;
  delete(kind: string, id: string): void;
  /** Nothing was ever kept, or all of it was deleted. */
  isEmpty(): boolean;
  close(): void;
}

/** Another process has the file open. */
export class RecordsLockedError extends Error {
  override readonly name = "RecordsLockedError";
}

/** @param file path of the SQLite file, or `:memory:` @throws {RecordsLockedError} */
export function openRecords(file: string): Records {
  const database = new DatabaseSync(file);
  try {
    // One process at a time: the lock goes with the process, however it ends.
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
    database.exec("CREATE TABLE IF NOT EXISTS records (kind TEXT, id TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID");
    database.exec("BEGIN IMMEDIATE; COMMIT");
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked/u.test(error.message)) throw new RecordsLockedError(`${file} is in use`, { cause: error });
    throw error;
  }
  const select = database.prepare("SELECT id, value FROM records WHERE kind = ?");
  const upsert = database.prepare(
    "INSERT INTO records (kind, id, value) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value",
  );
  const first = database.prepare("SELECT 1 FROM records LIMIT 1");
  const remove = database.prepare("DELETE FROM records WHERE kind = ? AND id = ?");
  return {
    all: <T>(kind: string) => new Map(select.all(kind).map(({ id, value }) => [String(id), JSON.parse(String(value)) as T])),
    put: (kind, id, value) => void upsert.run(kind, id, JSON.stringify(value)),
    delete: (kind, id) => void remove.run(kind, id),
    isEmpty: () => first.get() === undefined,
    close: () => database.close(),
  };
}
