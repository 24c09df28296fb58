/**
 * Nodes from container instances: each machine that joins the cluster's ECS cluster becomes a Node; one that cannot be reached is
 * tainted; one that is gone for good takes its Pods and its Node with it. Nodes of others are left alone.
 */
import { isDeepStrictEqual } from "node:util";
import type { Node, Pod } from "../api/generated/types.ts";
import * as kinds from "../api/kinds.ts";
import { keyOf, type ObjectKey } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import { ecsLimiter } from "../kubelet/controller.ts";
import { limitedEngine } from "../kubelet/limited-engine.ts";
import type { ContainerInstance, TaskEngine } from "../kubelet/task-engine.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Controller, ControllerContext, Observed, Result } from "../runtime/controller.ts";
import { containerInstanceAnnotation } from "./attributes.ts";
import { leaseKey, newLease, renewEveryMs, renewedLease } from "./lease.ts";
import { type Health, type NodeOptions, newNode, nodeName, withoutMachine, withSpec, withStatus } from "./node.ts";

export interface NodeControllerOptions extends NodeOptions {
  readonly tasks: TaskEngine;
  /** Name of the ECS cluster: `<deployment>-<cluster>`. */
  readonly ecsCluster: string;
  readonly clock: Clock;
}

const instancesKey: ObjectKey = { namespace: "", name: "container-instances" };

/** Agents reconnect several times an hour: only a longer absence counts. */
const absenceMs = 60_000;
/** Whoever rings more often than this is answered together. */
const pollMs = 2_000;
const maxDescribed = 100;

export function nodeController(options: NodeControllerOptions): Controller {
  const { clock, ecsCluster } = options;
  const engine = limitedEngine(options.tasks, ecsLimiter(clock));
  /** When Amazon ECS was asked last, in milliseconds. */
  let polledAt = Number.NEGATIVE_INFINITY;
  /** It is to be asked again as soon as that is not too often. */
  let due = false;
  let instances: readonly ContainerInstance[] = [];
  let seen: unknown;
  /** Since when a machine is away, in milliseconds, by ARN. */
  const away = new Map<string, number>();
  /** When this process renewed the Lease of a Node last, in milliseconds, by uid. */
  const renewed = new Map<string, number>();

  const awayFor = (arn: string): number => {
    const now = clock.now().getTime();
    const since = away.get(arn) ?? now;
    away.set(arn, since);
    return now - since;
  };

  const healthOf = (instance: ContainerInstance, node: Node | undefined): Health => {
    if (instance.agentConnected) away.delete(instance.containerInstanceArn);
    if (instance.status === "REGISTERING") return { type: "registering" };
    // What was found unreachable stays so until it is back; a process that has just begun knows it from the Node.
    const isLost = !instance.agentConnected && (awayFor(instance.containerInstanceArn) >= absenceMs || readiness(node) === "Unknown");
    return isLost ? { type: "unreachable" } : { type: "ready" };
  };

  async function look(context: ControllerContext): Promise<Result | void> {
    const nodes = [...context.lister(kinds.nodes).all()];
    const living = instances.filter(({ status }) => status === "ACTIVE" || status === "DRAINING" || status === "REGISTERING");
    const names = new Set(living.map(nodeName));
    const gone = nodes.filter((node) => isOurs(node, options.ecsCluster) && !names.has(node.metadata.name));
    const deregistered = new Set(
      (await describe(engine, ecsCluster, gone.map(arnOf)))
        .filter(({ status }) => status === "INACTIVE")
        .map(({ containerInstanceArn }) => containerInstanceArn),
    );
    await Promise.all([
      ...living.map(async (instance) => {
        const registered = await register(instance, (node) => healthOf(instance, node), context, options);
        if (registered && instance.agentConnected) await keepLease(registered, context);
      }),
      ...gone.map((node) => {
        const overdue = awayFor(arnOf(node)) >= absenceMs;
        return leave(node, { empty: overdue || deregistered.has(arnOf(node)), overdue }, context);
      }),
    ]);
    for (const arn of away.keys()) {
      const known = living.some(({ containerInstanceArn }) => containerInstanceArn === arn) || nodes.some((node) => arnOf(node) === arn);
      if (!known) away.delete(arn);
    }
    for (const uid of renewed.keys()) if (!nodes.some((node) => node.metadata.uid === uid)) renewed.delete(uid);
    const now = clock.now().getTime();
    const waiting = [...away.values()].map((since) => since + absenceMs).filter((at) => at > now);
    if (due) waiting.push(polledAt + pollMs);
    return waiting.length > 0 ? { again: new Date(Math.min(...waiting)) } : undefined;
  }

  /** Writes nothing for the sake of renewing alone: see `lease.ts`. */
  async function keepLease({ node, isNews }: Registered, { client }: ControllerContext): Promise<void> {
    const now = clock.now();
    const { uid } = node.metadata;
    if (!isNews && now.getTime() - (renewed.get(uid) ?? Number.NEGATIVE_INFINITY) < renewEveryMs) return;
    const lease = await client.modify(kinds.leases, leaseKey(node), (current) => renewedLease(current, node, now, isNews));
    if (!lease) await client.create(kinds.leases, newLease(node, now));
    renewed.set(uid, now.getTime());
  }

  return {
    name: "node-controller",
    watches: [
      {
        kind: kinds.nodes,
        keys: ({ previous, next }: Observed<Node>) =>
          [previous, next].some((node) => node && isOurs(node, options.ecsCluster)) ? [instancesKey] : [],
      },
    ],
    reads: [kinds.pods],
    async prepare({ everything }) {
      if (!everything && clock.now().getTime() < polledAt + pollMs) {
        if (due) return [];
        due = true;
        return [instancesKey];
      }
      instances = await describeAll(engine, ecsCluster);
      polledAt = clock.now().getTime();
      due = false;
      const facts = instances.map(relevant);
      if (!everything && isDeepStrictEqual(facts, seen)) return [];
      seen = facts;
      return [instancesKey];
    },
    reconcile: (_key, context) => look(context),
  };
}

/** What of a container instance a Node shows: not how full it is. */
const relevant = ({
  remainingResources: _resources,
  runningTasksCount: _running,
  pendingTasksCount: _pending,
  version: _version,
  ...rest
}: ContainerInstance) => rest;

const arnOf = (node: Node): string => node.metadata.annotations?.[containerInstanceAnnotation] ?? "";

/** ARNs read `arn:…:container-instance/<cluster>/<id>`. */
const isOurs = (node: Node, ecsCluster: string): boolean => arnOf(node).split("/").at(-2) === ecsCluster;

async function describeAll(tasks: TaskEngine, cluster: string): Promise<ContainerInstance[]> {
  const arns: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await tasks.listContainerInstances({ cluster, ...(nextToken && { nextToken }) });
    arns.push(...page.containerInstanceArns);
    nextToken = page.nextToken;
  } while (nextToken);
  return (await describe(tasks, cluster, arns)).toSorted((one, other) => (one.containerInstanceArn < other.containerInstanceArn ? -1 : 1));
}

async function describe(tasks: TaskEngine, cluster: string, arns: readonly string[]): Promise<ContainerInstance[]> {
  const pages = Array.from({ length: Math.ceil(arns.length / maxDescribed) }, (_, index) =>
    arns.slice(index * maxDescribed, (index + 1) * maxDescribed),
  );
  const answers = await Promise.all(pages.map((containerInstances) => tasks.describeContainerInstances({ cluster, containerInstances })));
  return answers.flatMap(({ containerInstances }) => containerInstances);
}

interface Registered {
  readonly node: Node;
  /** It was not there before, or was not ready. */
  readonly isNews: boolean;
}

/** Makes or refreshes the Node of a machine. @returns undefined when a Node of others has its name */
async function register(
  instance: ContainerInstance,
  healthOf: (node: Node | undefined) => Health,
  context: ControllerContext,
  options: NodeControllerOptions,
): Promise<Registered | undefined> {
  const key = { namespace: "", name: nodeName(instance) };
  const now = context.clock.now();
  const known = context.lister(kinds.nodes).get(key);
  if (known && !isOurs(known, options.ecsCluster)) {
    context.log.warn("a node of this name is not ours, leaving it alone", {
      node: key.name,
      containerInstance: instance.containerInstanceArn,
    });
    return undefined;
  }
  const health = healthOf(known);
  const node = known ?? (await context.client.create(kinds.nodes, newNode(instance, health, options, now)));
  if (!known) context.event(node, "Normal", "RegisteredNode", `Node ${key.name} event: Registered Node ${key.name} in Controller`);
  const before = readiness(node);
  await update(context, node, (current) => withSpec(current, instance, health, options, now));
  await update(context, node, (current) => withStatus(current, instance, health, options, now), "status");
  const after = readiness(withStatus(node, instance, health, options, now));
  if (known && before !== after)
    context.event(
      node,
      "Normal",
      after === "True" ? "NodeReady" : "NodeNotReady",
      `Node ${key.name} status is now: ${after === "True" ? "NodeReady" : "NodeNotReady"}`,
    );
  return { node, isNews: !known || (before !== after && after === "True") };
}

const readiness = (node: Node | undefined): string | undefined => node?.status?.conditions?.find(({ type }) => type === "Ready")?.status;

/** Writes what `change` makes of the newest Node, if that differs; never touches another Node of the same name. */
async function update(context: ControllerContext, node: Node, change: (current: Node) => Node, subresource?: "status"): Promise<void> {
  const next = change(node);
  if (isDeepStrictEqual(next, node)) return;
  await context.client.modify(
    kinds.nodes,
    keyOf(node),
    (current) => {
      if (current.metadata.uid !== node.metadata.uid) return current;
      const changed = change(current);
      return isDeepStrictEqual(changed, current) ? current : changed;
    },
    subresource && { subresource },
  );
}

/**
 * A Node whose machine is not listed. Lists may be behind, so at first it only takes no new Pods and is not ready.
 * @param options.empty nothing can run there any more: Amazon ECS says that it was deregistered, or it is overdue
 * @param options.overdue it has been away for so long that it will not come back
 */
async function leave(
  node: Node,
  { empty, overdue }: { readonly empty: boolean; readonly overdue: boolean },
  context: ControllerContext,
): Promise<void> {
  const { name } = node.metadata;
  const now = context.clock.now();
  if (!overdue) {
    const known = readiness(node) === "Unknown";
    await update(context, node, (current) => withoutMachine(current, now).spec);
    await update(context, node, (current) => withoutMachine(current, now).status, "status");
    if (!known) context.event(node, "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
  }
  if (!empty) return;
  const pods = [...context.lister(kinds.pods).all()].filter(({ spec }) => spec.nodeName === name);
  await Promise.all(pods.map((pod) => remove(pod, context)));
  if (!overdue) return;
  await context.client.delete(kinds.nodes, keyOf(node), { uid: node.metadata.uid }).catch(ignoreAbsence);
  context.event(node, "Normal", "RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`);
}

/** Nothing runs it any more: there is nothing to wait for. */
async function remove(pod: Pod, context: ControllerContext): Promise<void> {
  await context.client.delete(kinds.pods, keyOf(pod), { uid: pod.metadata.uid, gracePeriodSeconds: 0 }).catch(ignoreAbsence);
}

const ignoreAbsence = (error: unknown): void => {
  if (!(error instanceof StatusError && error.reason === "NotFound")) throw error;
};
