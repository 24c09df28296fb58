/** Watches as a stream of events: newline-delimited JSON, or framed protobuf for clients that take nothing else. */
import { definitionOf } from "../api/builtin-schemas.ts";
import { type AnyObject, apiVersionOf, type Kind } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { encodeProtobuf } from "../api/protobuf.ts";
import type { StatusError } from "../errors/status-error.ts";
import type { WatchEvent } from "../registry/registry.ts";
import type { Clock } from "../runtime/clock.ts";
import { eventBytes } from "./encoded.ts";
import { json, protobuf, type Representation } from "./media-types.ts";
import { type IncludeObject, partialMetadata, tableFor } from "./table.ts";

/** A watch ends at the latest then; clients start it again where it stopped. */
export const longestWatchMs = 5 * 60_000;
/** Left of the function's own time when a watch ends, so that the end reaches the client. */
const endMarginMs = 10_000;

/** How long a watch may run. */
export function watchMs(timeoutSeconds: number | undefined, remainingMs: number | undefined): number {
  // As upstream: none and zero leave it to the server; a negative time is over already.
  const asked = timeoutSeconds ? timeoutSeconds * 1000 : longestWatchMs;
  const left = remainingMs === undefined ? longestWatchMs : remainingMs - endMarginMs;
  return Math.max(0, Math.min(asked, left, longestWatchMs));
}

export interface WatchShape {
  readonly kind: Kind;
  readonly representation: Representation;
  readonly include: IncludeObject;
  /** How an error becomes a Status. */
  readonly toStatusError: (error: unknown) => StatusError;
}

/** Turns events into what goes over the wire. Stateful: a Table's columns are sent once. */
export function eventEncoder(shape: WatchShape, clock: Clock): (event: WatchEvent) => Uint8Array {
  const { kind, representation } = shape;
  let columnsSent = false;

  const bookmark = (event: Extract<WatchEvent, { type: "BOOKMARK" }>): AnyObject =>
    ({
      kind: kind.kind,
      apiVersion: apiVersionOf(kind),
      metadata: {
        resourceVersion: event.resourceVersion,
        ...(event.initialEventsEnd && { annotations: { "k8s.io/initial-events-end": "true" } }),
      },
    }) as Pick<AnyObject, "apiVersion" | "kind"> & { metadata: Partial<AnyObject["metadata"]> } as AnyObject;

  const shaped = (object: AnyObject, isBookmark: boolean): JsonObject => {
    const as = representation.as;
    if (!as) return object;
    if (as.kind !== "Table") return partialMetadata(object, as.version);
    const table = tableFor(kind, clock.now());
    const columnDefinitions = columnsSent ? null : table.columnDefinitions;
    columnsSent = true;
    return {
      kind: "Table",
      apiVersion: `meta.k8s.io/${as.version}`,
      metadata: { resourceVersion: object.metadata.resourceVersion },
      columnDefinitions,
      // A bookmark is no object, but its annotation must arrive, so its row carries metadata whatever was asked for.
      rows: [table.row(object, isBookmark ? "Metadata" : shape.include, as.version)],
    };
  };

  return (event) => {
    if (event.type === "ERROR")
      return frame("ERROR", shape.toStatusError(event.error).toStatus() as unknown as JsonObject, definitionOf("v1", "Status") ?? "");
    if (event.type === "BOOKMARK") return frame("BOOKMARK", shaped(bookmark(event), true), kind.definition);
    const { type, object } = event;
    // A Table says what was sent before it, and how old things are.
    if (representation.as?.kind === "Table") return frame(type, shaped(object, false), kind.definition);
    const form = `${type} ${representation.mediaType} ${representation.as ? `metadata ${representation.as.version}` : kind.version}`;
    return eventBytes(object, form, () => frame(type, shaped(object, false), kind.definition));
  };

  function frame(type: WatchEvent["type"], object: JsonObject, definition: string): Uint8Array {
    if (representation.mediaType !== protobuf) return Buffer.from(`{"type":"${type}","object":${JSON.stringify(object)}}\n`);
    return protobufFrame(type, encodeProtobuf(definition, object));
  }
}

/** `WatchEvent { type = 1; RawExtension object = 2 { raw = 1 } }`, preceded by its length in four bytes. */
function protobufFrame(type: string, object: Uint8Array): Uint8Array {
  const raw = field(1, object);
  const event = Buffer.concat([field(1, Buffer.from(type)), field(2, raw)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(event.byteLength);
  return Buffer.concat([length, event]);
}

function field(number: number, bytes: Uint8Array): Uint8Array {
  const head: number[] = [number * 8 + 2];
  for (let left = bytes.byteLength; ; left = Math.floor(left / 128)) {
    if (left < 128) {
      head.push(left);
      break;
    }
    head.push((left % 128) + 128);
  }
  return Buffer.concat([Uint8Array.from(head), bytes]);
}

export const watchContentType = (mediaType: string): string => (mediaType === protobuf ? `${protobuf};stream=watch` : json);

/** How long the events may take to end after the signal: they may want to send a last bookmark. */
const lastWordsMs = 1000;

export interface WatchBodyOptions {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Called once, whatever ended the watch; the body ends after it. */
  readonly done: (error: unknown) => Promise<void>;
}

/**
 * The body of a watch. It ends when the events do, when the signal aborts, or when the reader goes away; never with an error, since
 * a client takes a clean end as "start again from where you are".
 */
export function watchBody(
  events: AsyncIterable<WatchEvent>,
  encode: (event: WatchEvent) => Uint8Array,
  { signal, clock, done }: WatchBodyOptions,
): ReadableStream<Uint8Array> {
  const iterator = events[Symbol.asyncIterator]();
  const interruption = interruptSoonAfter(signal, clock);
  let finished = false;
  const finish = async (error?: unknown): Promise<void> => {
    if (finished) return;
    finished = true;
    interruption.stop();
    void abandon(iterator);
    await done(error);
  };
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const step = await interruption.race(() => iterator.next());
          // The reader went away meanwhile.
          if (finished) return;
          if (step === "interrupted" || step.done) {
            await finish();
            controller.close();
            return;
          }
          controller.enqueue(encode(step.value));
          if (step.value.type !== "ERROR") return;
          await finish();
          controller.close();
        } catch (error) {
          if (finished) return;
          if (!signal.aborted) controller.enqueue(encode({ type: "ERROR", error: asError(error) }));
          await finish(error);
          controller.close();
        }
      },
      cancel() {
        return finish();
      },
    },
    { highWaterMark: 0 },
  );
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** An iterator in the middle of `next` ends only after that; nobody waits for it, and how it ends is of no use to anybody. */
async function abandon(iterator: AsyncIterator<WatchEvent>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // It was given up already.
  }
}

interface Interruption {
  /** What the work yields, or that it was interrupted meanwhile. */
  race<T>(work: () => Promise<T>): Promise<T | "interrupted">;
  /** Nobody races any more. */
  stop(): void;
}

/** Races against one long-lived promise would keep every one of them alive until it settles; so only the current one is remembered. */
function interruptSoonAfter(signal: AbortSignal, clock: Clock): Interruption {
  let interrupted = false;
  let current: (() => void) | undefined;
  const stopped = new AbortController();
  const reached = (): void => {
    interrupted = true;
    current?.();
  };
  const interrupt = () => {
    if (stopped.signal.aborted) return;
    clock.sleep(lastWordsMs, stopped.signal).then(
      () => reached(),
      () => {},
    );
  };
  if (signal.aborted) interrupt();
  else signal.addEventListener("abort", interrupt, { once: true });
  return {
    stop: () => stopped.abort(),
    race: (work) =>
      new Promise((resolve, reject) => {
        current = () => resolve("interrupted");
        if (interrupted) resolve("interrupted");
        else work().then(resolve, reject);
      }),
  };
}
