/** Where log lines are kept: groups, streams and events in one SQLite file. */
import { DatabaseSync, type SQLInputValue } from "node:sqlite";

export interface StoredEvent {
  readonly logStreamName: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly message: string;
  /** Milliseconds since the epoch. */
  readonly ingestionTime: number;
  /** Grows with each event of a store; order among equal timestamps. */
  readonly id: number;
}

export interface StoredStream {
  readonly logStreamName: string;
  readonly creationTime: number;
  readonly firstEventTimestamp: number | undefined;
  readonly lastEventTimestamp: number | undefined;
  readonly lastIngestionTime: number | undefined;
}

/** A place in a stream: events are ordered by timestamp, then by arrival. */
export type Position = readonly [timestamp: number, id: number];

export interface LogStore {
  /** @returns false when it is there already */
  createGroup(logGroupName: string, creationTime: number): boolean;
  groups(): readonly { readonly logGroupName: string; readonly creationTime: number }[];
  hasGroup(logGroupName: string): boolean;
  deleteGroup(logGroupName: string): void;
  /** @returns false when it is there already */
  createStream(logGroupName: string, logStreamName: string, creationTime: number): boolean;
  stream(logGroupName: string, logStreamName: string): StoredStream | undefined;
  streams(logGroupName: string): readonly StoredStream[];
  append(
    logGroupName: string,
    logStreamName: string,
    events: readonly { readonly timestamp: number; readonly message: string }[],
    ingestionTime: number,
  ): void;
  /** Events of one stream or of all of them, after (or, backwards, before) a position, within `[startTime, endTime)`. */
  read(query: {
    readonly logGroupName: string;
    readonly logStreamNames?: readonly string[];
    readonly startTime?: number;
    readonly endTime?: number;
    readonly from?: Position;
    readonly backwards?: boolean;
    readonly limit: number;
  }): readonly StoredEvent[];
  /** Forgets events older than this (milliseconds since the epoch), and streams that have none left. */
  expire(before: number): void;
  close(): void;
}

const schema = `
  CREATE TABLE IF NOT EXISTS log_group (name TEXT PRIMARY KEY, created INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS stream (
    log_group TEXT, name TEXT, created INTEGER NOT NULL, first INTEGER, last INTEGER, ingested INTEGER,
    PRIMARY KEY (log_group, name)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY, log_group TEXT NOT NULL, stream TEXT NOT NULL, timestamp INTEGER NOT NULL, ingested INTEGER NOT NULL, message TEXT NOT NULL
  );
  CREATE INDEX IF NOT EXISTS event_order ON event (log_group, stream, timestamp, id);
`;

/** @param file path of the SQLite file, or `:memory:` */
export function openLogStore(file: string): LogStore {
  const database = new DatabaseSync(file);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  database.exec(schema);
  const insertGroup = database.prepare("INSERT OR IGNORE INTO log_group VALUES (?, ?)");
  const insertStream = database.prepare("INSERT OR IGNORE INTO stream (log_group, name, created) VALUES (?, ?, ?)");
  const insertEvent = database.prepare("INSERT INTO event (log_group, stream, timestamp, ingested, message) VALUES (?, ?, ?, ?, ?)");
  const selectStream = database.prepare("SELECT * FROM stream WHERE log_group = ? AND name = ?");
  const touchStream = database.prepare(
    "UPDATE stream SET first = min(ifnull(first, ?3), ?3), last = max(ifnull(last, ?4), ?4), ingested = ?5 WHERE log_group = ?1 AND name = ?2",
  );
  return {
    createGroup: (name, created) => insertGroup.run(name, created).changes > 0,
    groups: () =>
      database
        .prepare("SELECT * FROM log_group ORDER BY name")
        .all()
        .map(({ name, created }) => ({ logGroupName: String(name), creationTime: Number(created) })),
    hasGroup: (name) => database.prepare("SELECT 1 FROM log_group WHERE name = ?").get(name) !== undefined,
    deleteGroup(name) {
      for (const statement of [
        "DELETE FROM event WHERE log_group = ?",
        "DELETE FROM stream WHERE log_group = ?",
        "DELETE FROM log_group WHERE name = ?",
      ]) {
        database.prepare(statement).run(name);
      }
    },
    createStream: (group, name, created) => insertStream.run(group, name, created).changes > 0,
    stream(group, name) {
      const row = selectStream.get(group, name);
      return row && asStream(row);
    },
    streams: (group) => database.prepare("SELECT * FROM stream WHERE log_group = ? ORDER BY name").all(group).map(asStream),
    append(group, name, events, ingestionTime) {
      if (events.length === 0) return;
      database.exec("BEGIN");
      for (const { timestamp, message } of events) insertEvent.run(group, name, timestamp, ingestionTime, message);
      const timestamps = events.map(({ timestamp }) => timestamp);
      touchStream.run(group, name, Math.min(...timestamps), Math.max(...timestamps), ingestionTime);
      database.exec("COMMIT");
    },
    read({ logGroupName, logStreamNames, startTime, endTime, from, backwards = false, limit }) {
      const conditions = ["log_group = ?"];
      const values: SQLInputValue[] = [logGroupName];
      if (logStreamNames) {
        conditions.push(`stream IN (${logStreamNames.map(() => "?").join(", ")})`);
        values.push(...logStreamNames);
      }
      if (startTime !== undefined) {
        conditions.push("timestamp >= ?");
        values.push(startTime);
      }
      if (endTime !== undefined) {
        conditions.push("timestamp < ?");
        values.push(endTime);
      }
      if (from) {
        conditions.push(`(timestamp, id) ${backwards ? "<" : ">"} (?, ?)`);
        values.push(...from);
      }
      const direction = backwards ? "DESC" : "ASC";
      const rows = database
        .prepare(`SELECT * FROM event WHERE ${conditions.join(" AND ")} ORDER BY timestamp ${direction}, id ${direction} LIMIT ?`)
        .all(...values, limit);
      const events = rows.map((row) => ({
        logStreamName: String(row.stream),
        timestamp: Number(row.timestamp),
        message: String(row.message),
        ingestionTime: Number(row.ingested),
        id: Number(row.id),
      }));
      return backwards ? events.toReversed() : events;
    },
    expire(before) {
      database.prepare("DELETE FROM event WHERE ingested < ?").run(before);
      database.prepare("DELETE FROM stream WHERE ifnull(ingested, created) < ?").run(before);
    },
    close: () => database.close(),
  };
}

const time = (value: unknown) => (value === null ? undefined : Number(value));

function asStream(row: Record<string, unknown>): StoredStream {
  return {
    logStreamName: String(row.name),
    creationTime: Number(row.created),
    firstEventTimestamp: time(row.first),
    lastEventTimestamp: time(row.last),
    lastIngestionTime: time(row.ingested),
  };
}
