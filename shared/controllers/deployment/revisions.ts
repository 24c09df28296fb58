/** Revisions of a Deployment, kept in annotations: what `kubectl rollout history` and `rollout undo` read. */
import type { Deployment } from "../../api/generated/types.ts";

export const revisionAnnotation = "deployment.kubernetes.io/revision";
const historyAnnotation = "deployment.kubernetes.io/revision-history";
export const desiredReplicasAnnotation = "deployment.kubernetes.io/desired-replicas";
export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";
/** About 400 revisions. */
const maxHistoryLength = 2000;

/** What a ReplicaSet does not take over from its Deployment. */
const ownAnnotations: ReadonlySet<string> = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  revisionAnnotation,
  historyAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  "deprecated.deployment.rollback.to",
]);

export type Annotations = Readonly<Record<string, string>>;

const largestRevision = 2n ** 63n - 1n;

/** An int64, as upstream reads it; undefined for what is none. */
function parseRevision(text: string): bigint | undefined {
  const revision = /^\d+$/.test(text) ? BigInt(text) : undefined;
  return revision !== undefined && revision <= largestRevision ? revision : undefined;
}

/** 0 when there is none, or none that is a number. */
export const revisionOf = (annotations: Annotations | undefined): bigint => parseRevision(annotations?.[revisionAnnotation] ?? "") ?? 0n;

/**
 * Annotations of the ReplicaSet that a Deployment wants now: the Deployment's own, and a revision above all others. A ReplicaSet that
 * gets a new revision (a rollback leads to it) remembers the ones it had.
 */
export function annotationsOfNewest(
  deployment: Deployment,
  annotations: Annotations | undefined,
  revision: bigint,
): Record<string, string> {
  const next: Record<string, string> = { ...annotations };
  for (const [name, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!ownAnnotations.has(name)) next[name] = value;
  const previous = next[revisionAnnotation];
  const known = parseRevision(previous ?? "0");
  if (known === undefined || known >= revision) return next;
  next[revisionAnnotation] = String(revision);
  if (previous !== undefined) next[historyAnnotation] = withRevision(next[historyAnnotation], previous);
  return next;
}

/** Oldest revisions are forgotten first. */
function withRevision(history: string | undefined, revision: string): string {
  const revisions = [...(history ? history.split(",") : []), revision];
  while (revisions.length > 1 && revisions.join(",").length > maxHistoryLength) revisions.shift();
  return revisions.join(",");
}
