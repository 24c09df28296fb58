/**
 * An index that dynoxide's file lacks. Every write to a table with a stream asks for the highest sequence number so far, and dynoxide
 * keeps the stream's records for good: without the index each write looks through everything that was ever written.
 */
import { DatabaseSync } from "node:sqlite";

/** dynoxide writes to the file meanwhile; it is never at it for long. */
const busyMs = 5_000;

/**
 * Idempotent. An index changes nothing but speed, so any version of dynoxide may go on with the file.
 * @throws when the file's tables are not what dynoxide 1.2 makes: it works all the same
 */
export function indexStreamRecords(file: string): void {
  const database = new DatabaseSync(file, { timeout: busyMs });
  try {
    database.exec(
      "CREATE INDEX IF NOT EXISTS binnacle_stream_order ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id)",
    );
  } finally {
    database.close();
  }
}
