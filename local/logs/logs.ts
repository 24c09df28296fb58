/** Amazon CloudWatch Logs on a laptop: what the log reader and a curious `aws logs` need of it, with its limits and throttles. */
import type { Clock } from "../../shared/runtime/clock.ts";
import { type Account, arn } from "../account.ts";
import { booleanMember, type Input, numberMember, stringMember, stringsMember, structuresMember } from "../wire/input.ts";
import type { JsonService } from "../wire/server.ts";
import { ServiceError } from "../wire/service-error.ts";
import { type BucketLimits, tokenBuckets } from "../wire/token-buckets.ts";
import type { LogStore, Position, StoredEvent, StoredStream } from "./log-store.ts";

/** Requests per second, per account and Region. @see the service's quotas page */
const buckets = {
  getLogEvents: { burst: 25, perSecond: 25 },
  filterLogEvents: { burst: 10, perSecond: 10 },
  describe: { burst: 25, perSecond: 25 },
  putLogEvents: { burst: 5_000, perSecond: 5_000 },
  create: { burst: 50, perSecond: 50 },
} as const satisfies Readonly<Record<string, BucketLimits>>;

/** Events and bytes of a page; each event counts 26 bytes more than its message. */
const pageEvents = 10_000;
const pageBytes = 1_024 * 1_024;
const eventOverhead = 26;
/** Events of a PutLogEvents call must lie within 24 hours of each other, at most 2 hours ahead and 14 days back. */
const hourMs = 3_600_000;

const notFound = (what: string) => new ServiceError("ResourceNotFoundException", `The specified ${what} does not exist.`);
const invalid = (message: string) => new ServiceError("InvalidParameterException", message);

export function cloudWatchLogs({
  store,
  account,
  clock,
}: {
  readonly store: LogStore;
  readonly account: Account;
  readonly clock: Clock;
}): JsonService {
  const throttle = tokenBuckets(buckets, clock);
  const now = () => clock.now().getTime();

  const operations: Record<string, readonly [bucket: keyof typeof buckets, operation: (input: Input) => unknown]> = {
    CreateLogGroup: [
      "create",
      (input) => {
        const name = required(input, "logGroupName");
        if (!/^[.\-_/#A-Za-z0-9]{1,512}$/u.test(name)) throw invalid("Log group name contains invalid characters.");
        if (!store.createGroup(name, now()))
          throw new ServiceError("ResourceAlreadyExistsException", "The specified log group already exists");
      },
    ],
    DeleteLogGroup: ["create", (input) => store.deleteGroup(group(input))],
    CreateLogStream: [
      "create",
      (input) => {
        const name = required(input, "logStreamName");
        if (/[:*]/u.test(name) || name.length > 512) throw invalid("Log stream name contains invalid characters.");
        if (!store.createStream(group(input), name, now())) {
          throw new ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists");
        }
      },
    ],
    DescribeLogGroups: [
      "describe",
      (input) => {
        const prefix = stringMember(input, "logGroupNamePrefix") ?? "";
        const found = store.groups().filter(({ logGroupName }) => logGroupName.startsWith(prefix));
        const { items, nextToken } = listed(found, ({ logGroupName }) => logGroupName, input);
        return {
          logGroups: items.map((one) => ({
            ...one,
            arn: arn(account, "logs", `log-group:${one.logGroupName}:*`),
            storedBytes: 0,
            metricFilterCount: 0,
          })),
          nextToken,
        };
      },
    ],
    DescribeLogStreams: [
      "describe",
      (input) => {
        const groupName = group(input);
        const prefix = stringMember(input, "logStreamNamePrefix") ?? "";
        const byTime = stringMember(input, "orderBy") === "LastEventTime";
        const key = (one: StoredStream) => (byTime ? String(one.lastEventTimestamp ?? 0).padStart(15, "0") : "") + one.logStreamName;
        const found = store.streams(groupName).filter(({ logStreamName }) => logStreamName.startsWith(prefix));
        const { items, nextToken } = listed(found, key, input, booleanMember(input, "descending") ?? false);
        return {
          logStreams: items.map((one) => ({
            ...one,
            arn: arn(account, "logs", `log-group:${groupName}:log-stream:${one.logStreamName}`),
            storedBytes: 0,
          })),
          nextToken,
        };
      },
    ],
    PutLogEvents: [
      "putLogEvents",
      (input) => {
        const groupName = group(input);
        const name = required(input, "logStreamName");
        if (!store.stream(groupName, name)) throw notFound("log stream");
        const events = (structuresMember(input, "logEvents") ?? []).map((event) => ({
          timestamp: numberMember(event, "timestamp") ?? 0,
          message: required(event, "message"),
        }));
        checkBatch(events);
        const accepted = events.filter(({ timestamp }) => timestamp <= now() + 2 * hourMs && timestamp >= now() - 14 * 24 * hourMs);
        store.append(groupName, name, accepted, now());
        return { nextSequenceToken: "0" };
      },
    ],
    GetLogEvents: ["getLogEvents", (input) => getLogEvents(input)],
    FilterLogEvents: ["filterLogEvents", (input) => filterLogEvents(input)],
  };

  /** The group that a request names; it must exist. */
  const group = (input: Input): string => {
    const reference = stringMember(input, "logGroupName") ?? stringMember(input, "logGroupIdentifier");
    if (!reference) throw invalid("logGroupName is required.");
    const name = /^arn:[^:]*:logs:[^:]*:\d*:log-group:([^:]+)/u.exec(reference)?.[1] ?? reference;
    if (!store.hasGroup(name)) throw notFound("log group");
    return name;
  };

  const getLogEvents = (input: Input) => {
    const logGroupName = group(input);
    const logStreamName = required(input, "logStreamName");
    if (!store.stream(logGroupName, logStreamName)) throw notFound("log stream");
    const limit = boundedLimit(input, pageEvents);
    const token = readToken(stringMember(input, "nextToken"));
    const backwards = token ? token.backwards : !(booleanMember(input, "startFromHead") ?? false);
    const found = store.read({
      logGroupName,
      logStreamNames: [logStreamName],
      ...times(input),
      ...(token && { from: token.position }),
      backwards,
      limit,
    });
    const events = fitting(found, backwards);
    const first = events[0];
    const last = events.at(-1);
    // Where there is nothing, the tokens stay where they were: that is how a reader knows.
    const here: Position = token?.position ?? (backwards ? [Number.MAX_SAFE_INTEGER, 0] : [0, 0]);
    const forward = last ? ([last.timestamp, last.id] as const) : here;
    const backward = first ? ([first.timestamp, first.id] as const) : here;
    return {
      events: events.map(({ timestamp, message, ingestionTime }) => ({ timestamp, message, ingestionTime })),
      nextForwardToken: events.length === 0 && token && !token.backwards ? stringMember(input, "nextToken") : writeToken("f", forward),
      nextBackwardToken: events.length === 0 && token?.backwards ? stringMember(input, "nextToken") : writeToken("b", backward),
    };
  };

  const filterLogEvents = (input: Input) => {
    const logGroupName = group(input);
    const prefix = stringMember(input, "logStreamNamePrefix");
    const names =
      stringsMember(input, "logStreamNames") ??
      (prefix === undefined
        ? undefined
        : store.streams(logGroupName).flatMap((one) => (one.logStreamName.startsWith(prefix) ? [one.logStreamName] : [])));
    if (names && names.length > 100) throw invalid("logStreamNames can have at most 100 items.");
    const pattern = stringMember(input, "filterPattern") ?? "";
    const token = readToken(stringMember(input, "nextToken"));
    const limit = boundedLimit(input, pageEvents);
    const found =
      names?.length === 0
        ? []
        : store.read({
            logGroupName,
            ...(names && { logStreamNames: names }),
            ...times(input),
            ...(token && { from: token.position }),
            limit,
          });
    const scanned = fitting(found, false);
    const last = scanned.at(-1);
    const more = last !== undefined && (scanned.length < found.length || found.length === limit);
    return {
      events: scanned
        .filter(({ message }) => matchesPattern(pattern, message))
        .map(({ id, ...event }) => ({ ...event, eventId: String(id) })),
      searchedLogStreams: [],
      ...(more && { nextToken: writeToken("f", [last.timestamp, last.id]) }),
    };
  };

  return {
    target: "Logs_20140328",
    operations: Object.fromEntries(
      Object.entries(operations).map(([name, [bucket, operation]]) => [
        name,
        (input: Input) => {
          throttle.take(bucket);
          return operation(input);
        },
      ]),
    ),
  };
}

function required(input: Input, member: string): string {
  const value = stringMember(input, member);
  if (!value) throw invalid(`${member} is required.`);
  return value;
}

function boundedLimit(input: Input, most: number): number {
  const limit = numberMember(input, "limit") ?? most;
  if (!Number.isInteger(limit) || limit < 1 || limit > most) throw invalid(`limit must be between 1 and ${most}.`);
  return limit;
}

function times(input: Input): { readonly startTime?: number; readonly endTime?: number } {
  const startTime = numberMember(input, "startTime");
  const endTime = numberMember(input, "endTime");
  return { ...(startTime !== undefined && { startTime }), ...(endTime !== undefined && { endTime }) };
}

/** As many events as fit into a page of 1 MiB; backwards, the newest of them. */
function fitting(events: readonly StoredEvent[], backwards: boolean): readonly StoredEvent[] {
  let bytes = 0;
  const fits = ({ message }: StoredEvent) => {
    bytes += Buffer.byteLength(message) + eventOverhead;
    return bytes <= pageBytes;
  };
  if (!backwards) {
    const end = events.findIndex((event) => !fits(event));
    return end < 0 ? events : events.slice(0, Math.max(1, end));
  }
  const start = events.findLastIndex((event) => !fits(event));
  return events.slice(Math.min(start + 1, Math.max(0, events.length - 1)));
}

function checkBatch(events: readonly { readonly timestamp: number; readonly message: string }[]): void {
  if (events.length === 0) throw invalid("logEvents cannot be empty.");
  if (events.length > pageEvents) throw invalid(`logEvents can have at most ${pageEvents} items.`);
  const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message) + eventOverhead, 0);
  if (bytes > pageBytes) throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${pageBytes}`);
  if (events.some(({ timestamp }, index) => index > 0 && timestamp < (events[index - 1]?.timestamp ?? 0))) {
    throw invalid("Log events in a single PutLogEvents request must be in chronological order.");
  }
  const [first] = events;
  const last = events.at(-1);
  if (first && last && last.timestamp - first.timestamp > 24 * hourMs) {
    throw invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
  }
}

/** Terms that must all be there, `-term` that must not; quoted terms may hold spaces. Other patterns are refused. */
function matchesPattern(pattern: string, message: string): boolean {
  if (/^\s*[{[]/u.test(pattern)) throw invalid("Only term patterns are emulated.");
  const terms = pattern.match(/-?"[^"]*"|\S+/gu) ?? [];
  return terms.every((term) => {
    const excluded = term.startsWith("-");
    const text = term.slice(excluded ? 1 : 0).replaceAll('"', "");
    return message.includes(text) !== excluded;
  });
}

interface Token {
  readonly backwards: boolean;
  readonly position: Position;
}

const writeToken = (direction: "f" | "b", [timestamp, id]: Position): string =>
  `${direction}/${String(timestamp).padStart(16, "0")}${String(id).padStart(16, "0")}`;

function readToken(token: string | undefined): Token | undefined {
  if (token === undefined) return undefined;
  const [, direction, timestamp, id] = /^([fb])\/(\d{16})(\d{16})$/u.exec(token) ?? [];
  if (direction === undefined) throw invalid("The specified nextToken is invalid.");
  return { backwards: direction === "b", position: [Number(timestamp), Number(id)] };
}

/** One page of a list in the order of its keys. */
function listed<T>(
  all: readonly T[],
  key: (item: T) => string,
  input: Input,
  descending = false,
): { readonly items: readonly T[]; readonly nextToken: string | undefined } {
  const limit = boundedLimit(input, 50);
  const after = stringMember(input, "nextToken");
  const sign = descending ? -1 : 1;
  const sorted = all.toSorted((a, b) => sign * (key(a) < key(b) ? -1 : 1));
  const start =
    after === undefined ? 0 : sorted.findIndex((item) => sign * (key(item) > Buffer.from(after, "base64url").toString() ? 1 : -1) > 0);
  const items = start < 0 ? [] : sorted.slice(start, start + limit);
  const last = items.at(-1);
  const more = last !== undefined && start + items.length < sorted.length;
  return { items, nextToken: more ? Buffer.from(key(last)).toString("base64url") : undefined };
}
