/**
 * Asks Amazon ECS for a Pod's task, once per attempt. StartTask has no client token, so the attempt is first claimed in the Pod's
 * status, on condition that the Pod is as it was read; whoever finds a claim without a task looks for the task before it asks again.
 */
import type { Pod, PodStatus } from "../api/generated/types.ts";
import * as kinds from "../api/kinds.ts";
import type { ControllerContext, Result } from "../runtime/controller.ts";
import type { Found } from "./definitions.ts";
import type { Kubelet, OurNode } from "./kubelet.ts";
import { writeStatus } from "./kubelet.ts";
import { deploymentTag, namespaceTag, nameTag } from "./pod-tags.ts";
import { readRecord, type TaskRecord } from "./record.ts";
import { longer } from "./restarts.ts";
import { podStatus, type StatusInput } from "./status.ts";
import { finish } from "./stop.ts";
import { EngineRefusedError, type Task } from "./task-engine.ts";
import { describeProblems } from "./translate/problems.ts";
import { type Translation, translatePod } from "./translate/translate.ts";

/** How long a claim is left alone: StartTask has answered by then, and ListTasks shows what it made. */
export const settleMs = 20_000;
/** Tokens that starts leave for stops: making room comes first. */
const keptForStops = 16;
/** After so many attempts a Node that has no room is believed. */
const attemptsWithoutRoom = 5;
const firstRetryMs = 5_000;
const maxRetryMs = 300_000;
/** Clocks of Amazon ECS and ours may differ by this much. */
const clockSkewMs = 5_000;

export interface Attempt {
  readonly attempt: number;
  readonly backOffSeconds: number;
}

/** Writes a status around a record; other parts of the status follow from the Pod as it is. */
const recorded =
  (node: OurNode, record: TaskRecord, now: Date, rest: Partial<StatusInput> = {}) =>
  (current: Pod): PodStatus =>
    podStatus({ pod: current, record, task: undefined, report: undefined, hostIp: node.internalIp, ending: false, now, ...rest });

/** Starts an attempt of a Pod on its Node. */
export async function begin(
  kubelet: Kubelet,
  context: ControllerContext,
  pod: Pod,
  node: OurNode,
  attempt: Attempt,
): Promise<Result | void> {
  const now = context.clock.now();
  const translation = translate(kubelet, context, pod, node);
  if (translation.type !== "task") return waitForChange(context, pod, node, attempt, translation);

  let found: Found;
  try {
    found = await kubelet.definitions(translation.definition);
  } catch (error) {
    if (!(error instanceof EngineRefusedError)) throw error;
    return waitForChange(context, pod, node, attempt, { type: "refused", problems: [{ field: "spec", why: error.message }] });
  }

  if ("again" in found) return found;
  const again = kubelet.limiter.tryTake("modify", keptForStops);
  if (again) return { again };

  // From here on the time counts: whoever finds the claim waits for it to settle.
  const claim: TaskRecord = { state: "Requested", ...attempt, since: now };
  const claimed = await context.client.updateStatus(kinds.pods, { ...pod, status: recorded(node, claim, now)(pod) });
  if (attempt.attempt === 1 && translation.warnings.length > 0) {
    context.event(pod, "Warning", "NotHonoured", describeProblems(translation.warnings));
  }
  return ask(kubelet, context, claimed, node, claim, found.arn, translation);
}

async function ask(
  kubelet: Kubelet,
  context: ControllerContext,
  pod: Pod,
  node: OurNode,
  claim: TaskRecord,
  definition: string,
  translation: Extract<Translation, { type: "task" }>,
): Promise<Result | void> {
  const { config } = kubelet;
  const subnets = config.podSubnetsByZone[node.zone ?? ""] ?? [];
  try {
    const answer = await kubelet.engine.startTask({
      cluster: kubelet.ecsCluster,
      containerInstances: [node.containerInstance],
      taskDefinition: definition,
      startedBy: pod.metadata.uid,
      ...(translation.overrides && { overrides: translation.overrides }),
      networkConfiguration: {
        awsvpcConfiguration: { subnets, ...(config.podSecurityGroups.length > 0 && { securityGroups: config.podSecurityGroups }) },
      },
      tags: [
        { key: deploymentTag, value: config.deployment },
        { key: namespaceTag, value: pod.metadata.namespace ?? "" },
        { key: nameTag, value: pod.metadata.name },
      ],
    });
    const [task] = answer.tasks;
    if (task) return await adopt(kubelet, context, pod, node, claim, task);
    const [failure] = answer.failures;
    return await notStarted(context, pod, node, claim, failure?.reason ?? "no task and no failure", failure?.detail);
  } catch (error) {
    if (error instanceof EngineRefusedError) return notStarted(context, pod, node, claim, error.message);
    // Nobody knows whether there is a task now. The claim stands; whoever looks next asks Amazon ECS first.
    context.log.warn("start of a task ended with an error, its outcome is unknown", {
      pod: pod.metadata.name,
      uid: pod.metadata.uid,
      error,
    });
    return { again: new Date(claim.since.getTime() + settleMs) };
  }
}

/** The task is there: from now on the Pod's record names it. */
export async function adopt(
  kubelet: Kubelet,
  context: ControllerContext,
  pod: Pod,
  node: OurNode,
  claim: TaskRecord,
  task: Task,
): Promise<Result> {
  const seen = kubelet.observer.see(task, "answer");
  const now = context.clock.now();
  await writeStatus(context, pod, (current) => {
    const record = readRecord(current);
    if (record?.state !== "Requested" || record.attempt !== claim.attempt) return current.status;
    return recorded(node, { ...record, state: "Started", taskArn: task.taskArn, since: now }, now, { task: seen })(current);
  });
  return { again: new Date(now.getTime() + (pod.metadata.deletionTimestamp === undefined ? transitionMs : 0)) };
}

/** How long a task may change without an event before Amazon ECS is asked. */
export const transitionMs = 60_000;

/** Amazon ECS said no: another attempt follows, later and later. */
async function notStarted(
  context: ControllerContext,
  pod: Pod,
  node: OurNode,
  claim: TaskRecord,
  reason: string,
  detail?: string,
): Promise<Result | void> {
  const now = context.clock.now();
  const backOffSeconds = longer(claim.backOffSeconds);
  const why = detail ? `${reason} (${detail})` : reason;
  const noRoom = /^RESOURCE:(\w+)/.exec(reason)?.[1];
  const verdict =
    noRoom && claim.attempt >= attemptsWithoutRoom
      ? {
          phase: "Failed" as const,
          reason: `OutOf${noRoom.toLowerCase()}`,
          message: `Pod was rejected: Amazon ECS has no room on the node: ${why}`,
        }
      : undefined;
  const record: TaskRecord = { ...claim, state: verdict ? "Ended" : "BackOff", backOffSeconds, since: now };
  await writeStatus(context, pod, (current) => {
    const found = readRecord(current);
    if (found?.state !== "Requested" || found.attempt !== claim.attempt) return current.status;
    return recorded(node, record, now, verdict && { verdict })(current);
  });
  context.event(
    pod,
    "Warning",
    verdict?.reason ?? "FailedCreatePodSandBox",
    verdict?.message ?? `Failed to create pod sandbox: Amazon ECS: ${why}`,
  );
  return verdict ? undefined : { again: new Date(now.getTime() + backOffSeconds * 1_000) };
}

/** The Pod cannot run as things are. What is missing may come; what is not supported will not. */
async function waitForChange(
  context: ControllerContext,
  pod: Pod,
  node: OurNode,
  attempt: Attempt,
  translation: Exclude<Translation, { type: "task" }>,
): Promise<Result | void> {
  const now = context.clock.now();
  const waiting =
    translation.type === "refused"
      ? { reason: "Unsupported", message: describeProblems(translation.problems) }
      : { container: translation.container, reason: translation.reason, message: translation.message };
  const before = readRecord(pod);
  const since = before?.state === "NotStarted" ? before.since : now;
  // The attempt was not made: it is still the next one.
  const record: TaskRecord = { state: "NotStarted", attempt: attempt.attempt - 1, backOffSeconds: attempt.backOffSeconds, since };
  await writeStatus(context, pod, recorded(node, record, now, { waiting }));
  if (translation.type === "refused") {
    if (before?.state !== "NotStarted") context.event(pod, "Warning", "Unsupported", waiting.message);
    return;
  }
  const waitedMs = now.getTime() - since.getTime();
  return { again: new Date(now.getTime() + Math.min(maxRetryMs, Math.max(firstRetryMs, waitedMs))) };
}

function translate(kubelet: Kubelet, context: ControllerContext, pod: Pod, node: OurNode): Translation {
  const { config, features } = kubelet;
  return translatePod({
    pod,
    node: { metadata: node.node.metadata, internalIp: node.internalIp, allocatable: node.node.status?.allocatable ?? {} },
    references: {
      configMap: (namespace, name) => context.lister(kinds.configMaps).get({ namespace, name }),
      secret: (namespace, name) => context.lister(kinds.secrets).get({ namespace, name }),
      claim: (namespace, name) => context.lister(kinds.persistentVolumeClaims).get({ namespace, name }),
      persistentVolume: (name) => context.lister(kinds.persistentVolumes).get({ namespace: "", name }),
    },
    features,
    deployment: {
      name: config.deployment,
      region: config.region,
      podLogGroup: config.podLogGroup,
      executionRoleArn: config.executionRoleArn,
      podRoleArn: config.podRoleArn,
    },
    given: kubelet.variables(pod),
  });
}

/**
 * A claim without a task: its holder may still be at it, or crashed. Looks for the task when the claim has settled, adopts what is
 * there, and only then asks again.
 */
export async function settle(
  kubelet: Kubelet,
  context: ControllerContext,
  pod: Pod,
  node: OurNode,
  claim: TaskRecord,
): Promise<Result | void> {
  const settledAt = claim.since.getTime() + settleMs;
  if (context.clock.now().getTime() < settledAt) return { again: new Date(settledAt) };
  const [first, ...others] = await tasksOf(kubelet, pod.metadata.uid, claim.since);
  for (const extra of others) {
    // Whatever does not get its turn now is found by the sweep.
    if (kubelet.limiter.tryTake("modify")) break;
    await kubelet.engine.stopTask({ cluster: kubelet.ecsCluster, task: extra.taskArn, reason: "started twice" });
  }
  if (first) return adopt(kubelet, context, pod, node, claim, first);
  if (pod.metadata.deletionTimestamp !== undefined) return finish(context, pod, claim, undefined);
  return begin(kubelet, context, pod, node, { attempt: claim.attempt, backOffSeconds: claim.backOffSeconds });
}

const created = (task: Task) => task.createdAt?.getTime() ?? Number.POSITIVE_INFINITY;

/** Tasks that were started for a Pod and shall run, oldest first. */
export async function tasksOf(kubelet: Pick<Kubelet, "engine" | "ecsCluster">, uid: string, since?: Date): Promise<Task[]> {
  const cluster = kubelet.ecsCluster;
  const arns: string[] = [];
  let nextToken: string | undefined;
  do {
    // Amazon ECS allows no other filter beside this one.
    const page = await kubelet.engine.listTasks({ cluster, startedBy: uid, ...(nextToken && { nextToken }) });
    arns.push(...page.taskArns);
    nextToken = page.nextToken;
  } while (nextToken);
  if (arns.length === 0) return [];
  const { tasks } = await kubelet.engine.describeTasks({ cluster, tasks: arns.slice(0, 100) });
  const earliest = since ? since.getTime() - clockSkewMs : 0;
  return tasks
    .filter((task) => task.startedBy === uid && task.lastStatus !== "STOPPED" && created(task) >= earliest)
    .toSorted((one, other) => created(one) - created(other));
}
