/** The log of a Pod's container, as `kubectl logs` asks for it: found by the Pod's status, read from its stream, followed by polling. */
import type { Pod } from "../api/generated/types.ts";
import { badRequest } from "../errors/status-error.ts";
import type { Clock } from "../runtime/clock.ts";
import type { LogEvent, LogReader } from "./log-reader.ts";
import { logStreamName } from "./log-streams.ts";

export interface PodLogOptions {
  readonly container?: string | undefined;
  readonly follow: boolean;
  /** The log of the container's former run. */
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number | undefined;
  readonly sinceSeconds?: number | undefined;
  readonly sinceTime?: Date | undefined;
  readonly limitBytes?: number | undefined;
}

export interface PodLogsOptions {
  readonly logs: LogReader;
  readonly config: { readonly podLogGroup: string };
  readonly clock: Clock;
}

export interface PodLogs {
  /**
   * @param newest reads the Pod again: a followed log ends when its container has; without it, only with the signal
   * @returns the log's bytes; ends when the log does, or with the signal when followed
   * @throws {StatusError} BadRequest in the kubelet's words: no such container, or it has no log yet
   */
  open(pod: Pod, options: PodLogOptions, signal: AbortSignal, newest?: () => Promise<Pod | undefined>): Promise<ReadableStream<Uint8Array>>;
}

/** Between two looks at a stream that is followed: GetLogEvents allows 25 requests a second for an account. */
const pollMs = 1_000;
/** Output may arrive this long after its container ended. */
const flushMs = 5_000;
/** GetLogEvents returns no more than this. */
const maxPageEvents = 10_000;

export function podLogs({ logs, config, clock }: PodLogsOptions): PodLogs {
  return {
    async open(pod, options, signal, newest) {
      const container = chooseContainer(pod, options.container);
      if (!pod.spec.nodeName) return ReadableStream.from<Uint8Array>([]);
      const id = containerIdFor(pod, container, options.previous);
      const name = logStreamName(id, container);
      if (name === undefined) throw badRequest(`logs of container "${container}" in pod "${pod.metadata.name}" are kept elsewhere`);
      const stream: Stream = { logs, logGroupName: config.podLogGroup, logStreamName: name, startTime: startTime(options, clock) };
      const endedAt = endOf(pod, container, id, { newest, clock });
      const lines = read(stream, options, { clock, signal, endedAt });
      return ReadableStream.from(encode(lines, options));
    },
  };
}

/** @throws {StatusError} BadRequest */
function chooseContainer(pod: Pod, wanted: string | undefined): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec;
  const names = [...initContainers, ...containers, ...ephemeralContainers].map(({ name }) => name);
  if (wanted) {
    if (!names.includes(wanted)) throw badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`);
    return wanted;
  }
  const [only, ...others] = containers;
  if (only && others.length === 0) return only.name;
  throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(" ")}]`);
}

const statusOf = ({ status }: Pod, container: string) =>
  [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? []), ...(status?.ephemeralContainerStatuses ?? [])].find(
    ({ name }) => name === container,
  );

/**
 * Which run of the container has the log. @see k8s.io/kubernetes/pkg/kubelet, validateContainerLogStatus
 * @throws {StatusError} BadRequest
 */
function containerIdFor(pod: Pod, container: string, previous: boolean): string {
  const about = `container "${container}" in pod "${pod.metadata.name}"`;
  const status = statusOf(pod, container);
  if (!status) throw badRequest(`${about} is not available`);
  const before = status.lastState?.terminated?.containerID;
  if (previous) {
    if (!before) throw badRequest(`previous terminated ${about} not found`);
    return before;
  }
  const { running, terminated, waiting } = status.state ?? {};
  if (running && status.containerID) return status.containerID;
  const ended = terminated?.containerID ?? before;
  if (ended) return ended;
  if (terminated ?? status.lastState?.terminated) throw badRequest(`${about} is terminated`);
  switch (waiting?.reason) {
    case undefined:
      throw badRequest(`${about} is waiting to start - no logs yet`);
    case "ErrImagePull":
      throw badRequest(`${about} is waiting to start: image can't be pulled`);
    case "ImagePullBackOff":
      throw badRequest(`${about} is waiting to start: trying and failing to pull image`);
    default:
      throw badRequest(`${about} is waiting to start: ${waiting?.reason}`);
  }
}

/** Milliseconds since the epoch. */
function startTime({ sinceSeconds, sinceTime }: PodLogOptions, clock: Clock): number | undefined {
  if (sinceTime) return sinceTime.getTime();
  return sinceSeconds === undefined ? undefined : clock.now().getTime() - sinceSeconds * 1_000;
}

/** Tells when the container with this id ended, in milliseconds since the epoch, as far as is known; undefined while it runs. */
function endOf(
  pod: Pod,
  container: string,
  id: string,
  { newest, clock }: { readonly newest: (() => Promise<Pod | undefined>) | undefined; readonly clock: Clock },
): () => Promise<number | undefined> {
  /** @returns undefined for a container that runs */
  const end = (current: Pod | undefined): number | undefined => {
    const status = current?.metadata.uid === pod.metadata.uid ? statusOf(current, container) : undefined;
    if (status?.state?.running && status.containerID === id) return undefined;
    const ended = [status?.state, status?.lastState].find((state) => state?.terminated?.containerID === id)?.terminated;
    return ended?.finishedAt ? Date.parse(ended.finishedAt) : clock.now().getTime();
  };
  const known = end(pod);
  if (known !== undefined) return async () => known;
  return async () => newest && end(await newest());
}

interface Stream {
  readonly logs: LogReader;
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly startTime: number | undefined;
}

interface Following {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly endedAt: () => Promise<number | undefined>;
}

const page = (
  { logs, logGroupName, logStreamName, startTime }: Stream,
  rest: { startFromHead: boolean; nextToken?: string; limit?: number },
) => logs.getLogEvents({ logGroupName, logStreamName, ...(startTime !== undefined && { startTime }), ...rest });

async function* read(stream: Stream, options: PodLogOptions, following: Following): AsyncGenerator<LogEvent> {
  let token: string | undefined;
  if (options.tailLines !== undefined) {
    const tail = await readTail(stream, options.tailLines);
    yield* tail.events;
    token = tail.token;
  }
  if (!options.follow) {
    if (options.tailLines === undefined) yield* forward(stream, undefined);
    return;
  }
  yield* follow(stream, token, following);
}

/** The last lines, and the token after them. */
async function readTail(
  stream: Stream,
  count: number,
): Promise<{ readonly events: readonly LogEvent[]; readonly token: string | undefined }> {
  let events: readonly LogEvent[] = [];
  let after: string | undefined;
  let token: string | undefined;
  while (true) {
    const limit = Math.min(maxPageEvents, Math.max(1, count - events.length));
    const found = await page(stream, { startFromHead: false, limit, ...(token && { nextToken: token }) });
    if (!found) break;
    after ??= found.nextForwardToken;
    events = [...found.events, ...events];
    if (events.length >= count || found.nextBackwardToken === token) break;
    token = found.nextBackwardToken;
  }
  return { events: count === 0 ? [] : events.slice(-count), token: after };
}

/** Everything up to the end of what there is. @returns the token after it */
async function* forward(stream: Stream, from: string | undefined): AsyncGenerator<LogEvent, string | undefined> {
  let token = from;
  while (true) {
    const found = await page(stream, { startFromHead: true, ...(token && { nextToken: token }) });
    if (!found) return token;
    yield* found.events;
    // A page may be empty and have a successor: only the same token again is the end.
    if (found.nextForwardToken === token) return token;
    token = found.nextForwardToken;
  }
}

async function* follow(stream: Stream, from: string | undefined, { clock, signal, endedAt }: Following): AsyncGenerator<LogEvent> {
  let token = from;
  let end: number | undefined;
  while (!signal.aborted) {
    const events = forward(stream, token);
    let next = await events.next();
    while (!next.done) {
      yield next.value;
      next = await events.next();
    }
    token = next.value;
    const readAt = clock.now().getTime();
    end ??= await endedAt();
    if (end !== undefined && readAt - end >= flushMs) return;
    try {
      await clock.sleep(pollMs, signal);
    } catch {
      return;
    }
  }
}

/** Lines as bytes; no more than the limit. */
async function* encode(events: AsyncIterable<LogEvent>, { timestamps, limitBytes }: PodLogOptions): AsyncGenerator<Uint8Array> {
  let left = limitBytes ?? Number.POSITIVE_INFINITY;
  for await (const { timestamp, message } of events) {
    const bytes = Buffer.from(`${timestamps ? `${timestampText(timestamp)} ` : ""}${message}\n`);
    yield bytes.length <= left ? bytes : bytes.subarray(0, left);
    left -= bytes.length;
    if (left <= 0) return;
  }
}

/** RFC 3339 with nine digits, as the kubelet writes it. */
const timestampText = (milliseconds: number): string => new Date(milliseconds).toISOString().replace("Z", "000000Z");
