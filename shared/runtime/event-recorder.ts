/** Events as `kubectl describe` shows them: one object per thing that happened to somebody, counted when it happens again. */
import type { Client } from "../api/client.ts";
import { events as eventKind } from "../api/kinds.ts";
import type { KubeObject } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

export interface EventRecorder {
  /** Notes an event; it is written by the next {@link flush}. @param component who says so: `deployment-controller` */
  record(component: string, about: KubeObject, type: "Normal" | "Warning", reason: string, message: string): void;
  /** Writes what was noted, together. Failures are logged: an event is never worth a failure of what it is about. */
  flush(): Promise<void>;
}

interface Noted {
  /** The same for what is counted together. */
  readonly happening: string;
  /** When it was noted, in nanoseconds. */
  readonly stamp: bigint;
  readonly component: string;
  readonly about: KubeObject;
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly first: Date;
  last: Date;
  count: number;
}

const maxMessageBytes = 1024;
const maxNameLength = 253;
/** Happenings whose events are known by name. Of others, and after a cold start, a new event begins to count. */
const remembered = 4_096;
/** Others may make a name in the same moment. */
const attempts = 5;

export function createEventRecorder({
  client,
  clock,
  log,
}: {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
}): EventRecorder {
  let noted = new Map<string, Noted>();
  /** Names of events by what happened. */
  const names = new Map<string, string>();
  let lastStamp = 0n;

  /** Nanoseconds since 1970, as far as the clock knows them; each greater than the one before. */
  const stamp = (time: Date): bigint => {
    const now = BigInt(time.getTime()) * 1_000_000n;
    lastStamp = now > lastStamp ? now : lastStamp + 1n;
    return lastStamp;
  };

  const remember = (happening: string, name: string) => {
    names.delete(happening);
    names.set(happening, name);
    for (const oldest of names.keys()) {
      if (names.size <= remembered) break;
      names.delete(oldest);
    }
  };

  async function write(event: Noted): Promise<void> {
    const known = names.get(event.happening);
    if (known !== undefined && (await countAgain(client, known, event))) return remember(event.happening, known);
    for (let attempt = 1; ; attempt++) {
      const name = eventName(event.about, attempt === 1 ? event.stamp : stamp(event.first));
      try {
        await create(client, name, event);
        return remember(event.happening, name);
      } catch (error) {
        // A namespace that is being deleted takes no new objects, and nobody will look there.
        if (isRefusal(error, "Forbidden") || isRefusal(error, "NotFound")) return;
        if (!isRefusal(error, "AlreadyExists") || attempt === attempts) throw error;
      }
    }
  }

  return {
    record(component, about, type, reason, text) {
      const message = shorten(text);
      const happening = JSON.stringify([component, about.metadata.uid, type, reason, message]);
      const now = clock.now();
      const again = noted.get(happening);
      if (again) {
        again.count++;
        again.last = now;
      } else
        noted.set(happening, { happening, stamp: stamp(now), component, about, type, reason, message, first: now, last: now, count: 1 });
    },

    async flush() {
      const batch = [...noted.values()];
      noted = new Map();
      await Promise.all(
        batch.map((event) =>
          write(event).catch((error: unknown) =>
            log.warn("event not recorded", { reason: event.reason, object: event.about.metadata.name, error }),
          ),
        ),
      );
    },
  };
}

async function create(client: Client, name: string, noted: Noted): Promise<void> {
  const { apiVersion, kind, metadata } = noted.about;
  await client.create(eventKind, {
    metadata: { name, namespace: metadata.namespace ?? "default" },
    involvedObject: {
      apiVersion,
      kind,
      name: metadata.name,
      ...(metadata.namespace !== undefined && { namespace: metadata.namespace }),
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
    },
    reason: noted.reason,
    message: noted.message,
    type: noted.type,
    count: noted.count,
    firstTimestamp: seconds(noted.first),
    lastTimestamp: seconds(noted.last),
    source: { component: noted.component },
    reportingComponent: noted.component,
    reportingInstance: "",
  });
}

/** @returns false when the event has expired */
async function countAgain(client: Client, name: string, noted: Noted): Promise<boolean> {
  const counted = await client.modify(eventKind, { namespace: noted.about.metadata.namespace ?? "default", name }, (event) => ({
    ...event,
    count: (event.count ?? 0) + noted.count,
    lastTimestamp: seconds(noted.last),
  }));
  return counted !== undefined;
}

const isRefusal = (error: unknown, reason: StatusError["reason"]): boolean => error instanceof StatusError && error.reason === reason;

/** Lists are in the order of names, and kubectl leaves them so for what happened in the same second. */
const eventName = (about: KubeObject, stamp: bigint): string => {
  const time = stamp.toString(16).padStart(16, "0");
  return `${about.metadata.name.slice(0, maxNameLength - time.length - 1)}.${time}`;
};

/** Kubernetes writes times in whole seconds. */
const seconds = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;

function shorten(message: string): string {
  const bytes = Buffer.from(message);
  if (bytes.length <= maxMessageBytes) return message;
  return `${bytes
    .subarray(0, maxMessageBytes - 4)
    .toString("utf8")
    .replace(/\uFFFD+$/, "")}…`;
}
