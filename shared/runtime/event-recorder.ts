/** Events as `kubectl describe` shows them: one object per thing that happened to somebody, counted when it happens again. */
import { createHash } from "node:crypto";
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
  readonly name: string;
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
  return {
    record(component, about, type, reason, text) {
      const message = shorten(text);
      const name = eventName(about, [component, about.metadata.uid, type, reason, message]);
      const key = `${about.metadata.namespace ?? ""}/${name}`;
      const now = clock.now();
      const again = noted.get(key);
      if (again) {
        again.count++;
        again.last = now;
      } else noted.set(key, { name, component, about, type, reason, message, first: now, last: now, count: 1 });
    },

    async flush() {
      const batch = [...noted.values()];
      noted = new Map();
      await Promise.all(
        batch.map((event) =>
          write(client, event).catch((error: unknown) =>
            log.warn("event not recorded", { reason: event.reason, event: event.name, error }),
          ),
        ),
      );
    },
  };
}

async function write(client: Client, noted: Noted): Promise<void> {
  const namespace = noted.about.metadata.namespace ?? "default";
  const create = () =>
    client.create(eventKind, {
      metadata: { name: noted.name, namespace },
      involvedObject: {
        apiVersion: noted.about.apiVersion,
        kind: noted.about.kind,
        name: noted.about.metadata.name,
        ...(noted.about.metadata.namespace !== undefined && { namespace: noted.about.metadata.namespace }),
        uid: noted.about.metadata.uid,
        resourceVersion: noted.about.metadata.resourceVersion,
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
  const repeat = () =>
    client.modify(eventKind, { namespace, name: noted.name }, (event) => ({
      ...event,
      count: (event.count ?? 0) + noted.count,
      lastTimestamp: seconds(noted.last),
    }));
  try {
    await create();
  } catch (error) {
    // A namespace that is being deleted takes no new objects, and nobody will look there.
    if (error instanceof StatusError && (error.reason === "Forbidden" || error.reason === "NotFound")) return;
    if (!(error instanceof StatusError) || error.reason !== "AlreadyExists") throw error;
    // Expired between the two requests: then it is a first time again.
    if (!(await repeat())) await create();
  }
}

/** The same happening has the same name everywhere, so that every process counts in the same place. */
function eventName(about: KubeObject, parts: readonly string[]): string {
  const hash = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  return `${about.metadata.name.slice(0, maxNameLength - hash.length - 1)}.${hash}`;
}

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
