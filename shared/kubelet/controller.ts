/**
 * The kubelet of all Nodes of a cluster: bound Pods become ECS tasks, and what happens to tasks becomes the status of Pods.
 *
 * Three kinds of keys: a Pod; the uid of a Pod that is gone, whose task must not stay; and what was found outside of the cluster's
 * objects before the round began (events in the inbox, and at a sweep every task there is). The latter is read before the objects
 * are, so a task whose Pod is not among them has none: a Pod is always older than its task.
 */
import { isDeepStrictEqual } from "node:util";
import type { Pod } from "../api/generated/types.ts";
import * as kinds from "../api/kinds.ts";
import { keyOf, type ObjectKey } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Controller, ControllerContext, Lister, Observed, Result } from "../runtime/controller.ts";
import type { Log } from "../runtime/log.ts";
import { createDefinitions } from "./definitions.ts";
import { bareEcs, type EngineFeatures } from "./engine-features.ts";
import type { Inbox, InboxEntry } from "./inbox.ts";
import type { Kubelet, KubeletConfig } from "./kubelet.ts";
import { limitedEngine } from "./limited-engine.ts";
import { createLimiter, type Limiter } from "./limiter.ts";
import { TaskObserver } from "./observer.ts";
import { probeEvents } from "./pod-events.ts";
import { readRecord } from "./record.ts";
import { tasksOf } from "./start.ts";
import { syncPod } from "./sync.ts";
import { EngineRefusedError, EngineThrottledError, type Task, type TaskEngine } from "./task-engine.ts";

export interface KubeletOptions {
  readonly tasks: TaskEngine;
  readonly inbox: Inbox;
  readonly config: KubeletConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** What stands beside the containers. Default: nothing but Amazon ECS. */
  readonly features?: EngineFeatures;
  /** One for all clusters of a deployment, because Amazon ECS counts for the whole account. Default: one of its own. */
  readonly limiter?: Limiter;
  /** Variables that every container of a Pod gets unless it sets them. */
  readonly variables?: (pod: Pod) => Readonly<Record<string, string>>;
}

const inboxKey: ObjectKey = { namespace: "", name: "inbox" };
const tasksKey: ObjectKey = { namespace: "", name: "tasks" };
/** A Pod that is gone, and its task if that was known. */
const goneKey = (uid: string, taskArn = ""): ObjectKey => ({ namespace: "", name: `gone/${uid}/${taskArn}` });

const entryText = ({ id, version }: InboxEntry) => `${id} ${version}`;

/** An entry that could not be dealt with is looked at again after this. */
const entryRetryMs = 10_000;
const sweepRetryMs = 30_000;

export const ecsClusterName = (config: Pick<KubeletConfig, "deployment" | "cluster">): string => `${config.deployment}-${config.cluster}`;

export const ecsLimiter = (clock: Clock): Limiter =>
  createLimiter({ clock, isThrottled: (error) => error instanceof EngineThrottledError });

export function kubeletController(options: KubeletOptions): Controller {
  const { inbox, config, clock, features = bareEcs, variables = () => ({}) } = options;
  const { cluster } = config;
  const limiter = options.limiter ?? ecsLimiter(clock);
  const engine = limitedEngine(options.tasks, limiter);
  const ecsCluster = ecsClusterName(config);
  const now = () => clock.now().getTime();
  const observer = new TaskObserver(engine, ecsCluster, now);
  const definitions = createDefinitions(engine, limiter);
  const kubelet: Kubelet = { engine, limiter, ecsCluster, config, features, observer, definitions, variables };

  /** Entries read before the round, by id. */
  let waiting = new Map<string, InboxEntry>();
  /** When an entry that failed is tried again, by id and version. */
  const putOff = new Map<string, number>();
  /** Running tasks found by a sweep. */
  let found: readonly Task[] = [];
  /** A sweep is wanted and has not succeeded yet; not to be tried before this, in milliseconds. */
  let sweepFrom: number | undefined;

  async function prepare({ everything }: { readonly everything: boolean }): Promise<ObjectKey[]> {
    const keys: ObjectKey[] = [];
    const entries = await inbox.all(cluster);
    waiting = new Map(entries.filter((entry) => (putOff.get(entryText(entry)) ?? 0) <= now()).map((entry) => [entry.id, entry]));
    if (waiting.size > 0) keys.push(inboxKey);
    if (everything) sweepFrom = now();
    if (sweepFrom !== undefined && sweepFrom <= now()) {
      observer.distrust();
      try {
        found = await runningTasks(kubelet);
        sweepFrom = undefined;
      } catch (error) {
        // Pods can be looked after without it.
        options.log.warn("the tasks of the cluster could not be listed, trying again later", { cluster, error });
        sweepFrom = now() + sweepRetryMs;
      }
      keys.push(tasksKey);
    }
    return keys;
  }

  /** Deals with everything that waits, and takes out what is dealt with. */
  async function drain(context: ControllerContext): Promise<Result | void> {
    const entries = [...waiting.values()];
    waiting = new Map();
    const byUid = podsByUid(context.lister(kinds.pods));
    const tasks = new Map<string, Task>();
    const before = new Map<string, ReturnType<TaskObserver["report"]>>();
    for (const { message } of entries) {
      if (message.type === "task") tasks.set(message.task.taskArn, observer.see(message.task, "event"));
      else {
        before.set(message.report.taskArn, observer.report(message.report.taskArn));
        observer.seeReport(message.report);
      }
    }
    const arns = new Set(entries.map(({ message }) => (message.type === "task" ? message.task.taskArn : message.report.taskArn)));
    const times: Date[] = [];
    await Promise.all(
      [...arns].map(async (arn) => {
        const concerned = entries.filter(({ message }) => (message.type === "task" ? message.task : message.report).taskArn === arn);
        try {
          const task = tasks.get(arn) ?? (await observer.look(arn, { maxAgeMs: Number.POSITIVE_INFINITY }));
          const pod = task && byUid.get(task.startedBy ?? "");
          const news = observer.report(arn);
          // Said before anything can fail: the next time it would be no news.
          if (pod && news && before.has(arn)) {
            for (const { type, reason, message } of probeEvents(before.get(arn), news)) context.event(pod, type, reason, message);
          }
          // Times at which the Pod matters again follow from its record, whose change wakes the Pod's own key.
          if (task && pod) await syncPod(kubelet, context, pod, task);
          const later = task && !pod ? await stopOrphan(task) : undefined;
          if (later) {
            for (const entry of concerned) putOff.set(entryText(entry), later.getTime());
            times.push(later);
            return;
          }
          await Promise.all(concerned.map((entry) => inbox.remove(cluster, entry)));
          for (const entry of concerned) putOff.delete(entryText(entry));
        } catch (error) {
          // A lost race is nothing to wait for; the entry is still there and comes with the next look.
          const lost = error instanceof StatusError && error.reason === "Conflict";
          if (!lost) context.log.warn("an event about a task could not be dealt with, trying again later", { taskArn: arn, error });
          const at = now() + (lost ? 0 : entryRetryMs);
          for (const entry of concerned) putOff.set(entryText(entry), at);
          times.push(new Date(at));
        }
      }),
    );
    const next = times.toSorted((one, other) => one.getTime() - other.getTime())[0];
    return next && { again: next };
  }

  /** A running task without a Pod has nobody who wants it. @returns when to try again, if it was not its turn */
  async function stopOrphan(task: Pick<Task, "taskArn" | "taskDefinitionArn" | "startedBy" | "desiredStatus">): Promise<Date | undefined> {
    if (task.desiredStatus === "STOPPED" || !isOurs(task, config.deployment)) return undefined;
    return stopByArn(task.taskArn);
  }

  async function stopByArn(taskArn: string): Promise<Date | undefined> {
    const again = limiter.tryTake("modify");
    if (again) return again;
    options.log.info("stopping a task whose pod is gone", { taskArn });
    try {
      await engine.stopTask({ cluster: ecsCluster, task: taskArn, reason: "its Pod is gone" });
    } catch (error) {
      // Amazon ECS has forgotten the task already.
      if (!(error instanceof EngineRefusedError)) throw error;
    }
    observer.forget(taskArn);
    return undefined;
  }

  /** The task of a Pod that vanished before it was done. */
  async function stopGone({ name }: ObjectKey): Promise<Result | void> {
    const [, uid = ""] = name.split("/");
    const taskArn = name.slice(`gone/${uid}/`.length);
    if (taskArn) {
      const again = await stopByArn(taskArn);
      return again && { again };
    }
    for (const task of await tasksOf(kubelet, uid)) {
      const again = await stopOrphan(task);
      if (again) return { again };
    }
  }

  /** After a sweep's look at Amazon ECS: tasks without a Pod, and second tasks of one. */
  async function compare(context: ControllerContext): Promise<Result | void> {
    const byUid = podsByUid(context.lister(kinds.pods));
    const left: Task[] = [];
    let again: Date | undefined;
    for (const task of found) {
      const pod = byUid.get(task.startedBy ?? "");
      const record = pod && readRecord(pod);
      const another = record?.taskArn !== undefined && record.taskArn !== task.taskArn;
      if (pod && record?.state !== "Ended" && !another) continue;
      const later = await stopOrphan(task);
      if (!later) continue;
      left.push(task);
      again = later;
    }
    found = left;
    const times = [...(again ? [again.getTime()] : []), ...(sweepFrom === undefined ? [] : [sweepFrom])];
    return times.length > 0 ? { again: new Date(Math.min(...times)) } : undefined;
  }

  return {
    name: "kubelet",
    watches: [{ kind: kinds.pods, keys: podKeys }],
    reads: [kinds.nodes, kinds.configMaps, kinds.secrets, kinds.persistentVolumeClaims, kinds.persistentVolumes],
    prepare,
    async reconcile(key, context) {
      if (key.namespace !== "") {
        const pod = context.lister(kinds.pods).get(key);
        return pod ? syncPod(kubelet, context, pod) : undefined;
      }
      if (key.name === inboxKey.name) return drain(context);
      if (key.name === tasksKey.name) return compare(context);
      return stopGone(key);
    },
  };
}

/** Pods that stand somewhere, when something other than the kubelet's own status changed; and tasks of Pods that vanished. */
function podKeys({ previous, next }: Observed<Pod>): ObjectKey[] {
  const keys: ObjectKey[] = [];
  if (previous && previous.metadata.uid !== next?.metadata.uid) {
    const record = readRecord(previous);
    if (record && record.state !== "Ended") keys.push(goneKey(previous.metadata.uid, record.taskArn));
  }
  if (
    next?.spec.nodeName &&
    (!previous || previous.metadata.uid !== next.metadata.uid || !isDeepStrictEqual(facts(previous), facts(next)))
  ) {
    keys.push(keyOf(next));
  }
  return keys;
}

/** Where a Pod stands with its tasks: each step may ask for the next one. A Pod that never got that far only waits. */
function step(pod: Pod): unknown {
  const record = readRecord(pod);
  return record && record.attempt > 0 ? [record.state, record.attempt] : undefined;
}

/** What the kubelet obeys: its own record among it, and the conditions of others on which readiness depends. */
const facts = (pod: Pod) => [
  step(pod),
  pod.spec,
  pod.metadata.deletionTimestamp,
  pod.metadata.deletionGracePeriodSeconds,
  pod.status?.phase === "Failed" || pod.status?.phase === "Succeeded",
  (pod.spec.readinessGates ?? []).map(({ conditionType }) => pod.status?.conditions?.find(({ type }) => type === conditionType)?.status),
];

const uidIndexes = new WeakMap<Lister<Pod>, { readonly revision: number; readonly byUid: ReadonlyMap<string, Pod> }>();

function podsByUid(lister: Lister<Pod>): ReadonlyMap<string, Pod> {
  let index = uidIndexes.get(lister);
  if (!index || index.revision !== lister.revision) {
    index = { revision: lister.revision, byUid: new Map([...lister.all()].map((pod) => [pod.metadata.uid, pod])) };
    uidIndexes.set(lister, index);
  }
  return index.byUid;
}

/** Tasks that others started in our cluster are theirs. */
const isOurs = (task: Pick<Task, "taskDefinitionArn" | "startedBy">, deployment: string): boolean => {
  const definition = task.taskDefinitionArn.slice(task.taskDefinitionArn.lastIndexOf("/") + 1);
  return task.startedBy !== undefined && definition.startsWith(`binnacle-${deployment}-`);
};

/** Every task of the cluster that shall run, as it is now. */
async function runningTasks({ engine, ecsCluster, observer }: Kubelet): Promise<Task[]> {
  const arns: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await engine.listTasks({ cluster: ecsCluster, desiredStatus: "RUNNING", ...(nextToken && { nextToken }) });
    arns.push(...page.taskArns);
    nextToken = page.nextToken;
  } while (nextToken);
  const tasks = await Promise.all(arns.map((arn) => observer.look(arn, { maxAgeMs: 0 })));
  return tasks.filter((task): task is Task => task !== undefined);
}
