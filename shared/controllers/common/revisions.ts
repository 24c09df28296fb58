/**
 * ControllerRevisions of StatefulSets and DaemonSets: the templates that were, numbered, as `kubectl rollout history` and `rollout undo`
 * read them. Each holds a patch that puts its template back.
 */
import type { KindRef } from "../../api/client.ts";
import type { ControllerRevision, PodTemplateSpec } from "../../api/generated/types.ts";
import type { Draft, KubeObject } from "../../api/objects.ts";
import { copyOf } from "../../api/patch/values.ts";
import { controllerReference } from "./owners.ts";
import { sameTemplate, templateHash } from "./template.ts";

/** On Pods: the revision that they were made from. */
export const podRevisionLabel = "controller-revision-hash";
/** On revisions. */
export const revisionHashLabel = "controller.kubernetes.io/hash";

const maxPrefixLength = 223;
/** What a revision does not take over from its owner. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** An owner of revisions. */
export interface Revised extends KubeObject {
  spec: { template: PodTemplateSpec };
  status?: { collisionCount?: number | undefined } | undefined;
}

export type RevisionDraft = Draft<ControllerRevision> & { readonly metadata: { readonly name: string } };

/** What an owner's template is called. */
export type Wanted =
  | { readonly type: "known"; readonly revision: ControllerRevision }
  /** It was superseded and comes back: its number has to grow. `revision` is the next state. */
  | { readonly type: "again"; readonly revision: ControllerRevision }
  | { readonly type: "new"; readonly revision: RevisionDraft }
  /** Another template has the same name: the next name is derived from one collision more. */
  | { readonly type: "collided" };

/** Oldest first. */
export const inOrder = (revisions: readonly ControllerRevision[]): ControllerRevision[] =>
  revisions.toSorted(
    (one, other) =>
      one.revision - other.revision ||
      Date.parse(one.metadata.creationTimestamp) - Date.parse(other.metadata.creationTimestamp) ||
      (one.metadata.name < other.metadata.name ? -1 : 1),
  );

/** The template that a revision puts back. Undefined when it is no patch of a template. */
export function templateOf({ data }: { readonly data?: unknown }): PodTemplateSpec | undefined {
  const template = (data as { spec?: { template?: PodTemplateSpec & { $patch?: string } } } | undefined)?.spec?.template;
  if (!template) return undefined;
  const { $patch: _directive, ...rest } = template;
  return rest;
}

/**
 * Finds the revision of the owner's template, or makes one. Templates are compared by meaning; the hash only names
 * (`kubernetes-traps.md` 22).
 * @param revisions of the owner
 * @param labels that the revision gets besides those of the template, given its hash
 * @param taken whether another object has that name
 */
export function wantedRevision(
  kind: KindRef,
  owner: Revised,
  revisions: readonly ControllerRevision[],
  labels: (hash: string) => Readonly<Record<string, string>>,
  taken: (name: string) => boolean,
): Wanted {
  const { template } = owner.spec;
  const known = inOrder(revisions).toReversed();
  const newest = known[0]?.revision ?? 0;
  const found = known.find((revision) => sameTemplate(templateOf(revision), template));
  if (found) {
    return found.revision === newest ? { type: "known", revision: found } : { type: "again", revision: { ...found, revision: newest + 1 } };
  }

  const hash = templateHash(template, owner.status?.collisionCount ?? 0);
  const name = `${owner.metadata.name.slice(0, maxPrefixLength)}-${hash}`;
  if (taken(name)) return { type: "collided" };
  const { [lastApplied]: _applied, ...annotations } = owner.metadata.annotations ?? {};
  const revision: RevisionDraft = {
    metadata: {
      name,
      namespace: owner.metadata.namespace ?? "",
      labels: { ...template.metadata?.labels, ...labels(hash) },
      annotations,
      ownerReferences: [controllerReference(kind, owner)],
    },
    data: { spec: { template: { ...copyOf(template), $patch: "replace" } } },
    revision: newest + 1,
  };
  return { type: "new", revision };
}

/**
 * Revisions that nobody needs any more, oldest first.
 * @param live whether somebody still uses it
 * @param limit how many unused ones are kept; a negative number keeps all
 */
export function beyondHistory(
  revisions: readonly ControllerRevision[],
  live: (revision: ControllerRevision) => boolean,
  limit: number,
): ControllerRevision[] {
  if (limit < 0) return [];
  const unused = inOrder(revisions).filter((revision) => !live(revision));
  return unused.slice(0, Math.max(0, unused.length - limit));
}
