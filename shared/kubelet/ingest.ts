/** From an event of EventBridge to the inbox of the cluster that it concerns. */
import { type Inbox, type NotedInstance, taskWithDates } from "./inbox.ts";
import { type ProbeReport, probeReportDetailType, probeReportSource } from "./probes.ts";
import type { Task } from "./task-engine.ts";

/** What EventBridge hands over, as far as it is read. */
export interface IngestEvent {
  readonly source: string;
  readonly "detail-type": string;
  readonly detail: unknown;
}

export interface Ingested {
  /** Undefined for events that concern none of this deployment's clusters. */
  readonly cluster: string | undefined;
  /** `instance`: a container instance came, went, or changed its state: its Node should be looked at. `other`: nothing to do. */
  readonly type: "task" | "report" | "instance" | "other";
}

/**
 * Keeps an event. Repeats and older ones change nothing.
 * @param deployment ECS clusters are named `<deployment>-<cluster>`
 */
export async function ingest(
  event: IngestEvent,
  { deployment, inbox }: { readonly deployment: string; readonly inbox: Inbox },
): Promise<Ingested> {
  const detail = event.detail as Partial<Task & ProbeReport> | null;
  const cluster = clusterOf(detail?.clusterArn, deployment);
  if (event.source === "aws.ecs" && event["detail-type"] === "ECS Container Instance State Change") {
    const instance = event.detail as NotedInstance | null;
    const isNews = cluster !== undefined && instance?.containerInstanceArn !== undefined && (await inbox.note(cluster, instance));
    return { cluster, type: isNews ? "instance" : "other" };
  }
  if (cluster === undefined || !detail?.taskArn || typeof detail.version !== "number") return { cluster: undefined, type: "other" };
  if (event.source === "aws.ecs" && event["detail-type"] === "ECS Task State Change") {
    await inbox.put(cluster, { type: "task", task: taskOfEvent(detail as Task) });
    return { cluster, type: "task" };
  }
  if (event.source === probeReportSource && event["detail-type"] === probeReportDetailType) {
    await inbox.put(cluster, { type: "report", report: detail as ProbeReport });
    return { cluster, type: "report" };
  }
  return { cluster: undefined, type: "other" };
}

/** Name of the Binnacle cluster that an ECS cluster belongs to. */
export function clusterOf(clusterArn: string | undefined, deployment: string): string | undefined {
  const name = clusterArn?.slice(clusterArn.lastIndexOf("/") + 1);
  const prefix = `${deployment}-`;
  return name?.startsWith(prefix) && name.length > prefix.length ? name.slice(prefix.length) : undefined;
}

/** Events may leave lists out which answers always have. */
const taskOfEvent = (task: Task): Task => taskWithDates({ ...task, containers: task.containers ?? [] });
