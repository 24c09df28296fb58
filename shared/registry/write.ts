/** What every write has in common: its circumstances, how it is judged and committed, and how its answer is read. */
import { type AdmissionChain } from "../admission/chain.ts";
import type { AdmissionReader } from "../admission/plugin.ts";
import type { AnyObject, Kind } from "../api/kind.ts";
import { controllerOf, type JsonObject, type KubeObject, type ObjectKey } from "../api/objects.ts";
import { conflict } from "../errors/status-error.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Judging, Proposal, ResourceStore, Stored, Verdict } from "../store/store.ts";
import { lifecycleOf } from "./lifecycle.ts";
import { peersOf } from "./peers.ts";
import { present, storeKey } from "./present.ts";
import type { InternalParameters, RequestContext, WriteParameters } from "./registry.ts";
import { ringFor } from "./ring.ts";

/** One write's circumstances. */
export interface Write {
  readonly store: ResourceStore;
  readonly kind: Kind;
  readonly key: ObjectKey;
  /** Empty for the object itself. */
  readonly subresource: string;
  readonly parameters: WriteParameters & InternalParameters;
  readonly context: RequestContext;
  readonly admission: AdmissionChain;
  readonly reader: AdmissionReader;
  readonly clock: Clock;
  /** In [0, 1): for generated names. */
  readonly random: () => number;
}

/** How a write ended. */
export interface Written {
  readonly type: "committed" | "unchanged" | "deleted";
  readonly object: AnyObject;
  /** The write made an object that was not there. */
  readonly created: boolean;
}

/** Gives an object what must be unique among its kind, in place. @throws {StatusError} Invalid */
export async function allocate(write: Write, next: AnyObject, previous: AnyObject | undefined, judging: Judging): Promise<void> {
  const { store, kind, key, reader, random } = write;
  await lifecycleOf(kind).allocate?.(next, previous, { reader, random, peers: () => peersOf(store, kind, storeKey(kind, key), judging) });
}

export type Judge = (current: Stored | undefined, judging: Judging) => Verdict | Promise<Verdict>;

/** What {@link commit} needs of a write. */
export type Committing = Pick<Write, "store" | "kind" | "key" | "context" | "clock"> & {
  readonly parameters: InternalParameters & { readonly dryRun: boolean };
};

/** Judges a write on the newest state and commits it; a dry run stops at the verdict. @throws what the judge refused with */
export async function commit(write: Committing, judge: Judge): Promise<Written> {
  const { guard } = write.parameters;
  const guarded: Judge = (current, judging) => {
    const moved = guard && planMoved(write, guard, judging);
    return moved ? { type: "refused", error: moved } : refusing(() => judge(current, judging));
  };
  return write.parameters.dryRun ? tried(write, guarded) : committed(write, guarded);
}

async function committed({ store, kind, key, parameters, context }: Committing, judge: Judge): Promise<Written> {
  const { guard, consumer } = parameters;
  const proposal: Proposal = {
    key: storeKey(kind, key),
    judge,
    ...((guard || lifecycleOf(kind).allocate) && { volatile: true }),
    ...(guard && { plan: guard.plan }),
    author: { user: context.user.username, userAgent: context.userAgent, auditId: context.auditId },
    ring: (next, previous) => ringFor(kind, next, previous).filter((rung) => rung !== consumer),
  };
  const outcome = await store.commit(proposal);
  if (outcome.type === "refused") throw outcome.error;
  const created = outcome.type === "committed" && outcome.previous === undefined;
  return { type: outcome.type, object: present(kind, outcome.object), created };
}

/** The answer of a write that is not carried out: what would be stored, at the revision of what is. */
async function tried({ store, kind, key, clock }: Committing, judge: Judge): Promise<Written> {
  const { object: current, revision } = await store.get(storeKey(kind, key));
  const verdict = await judge(current, { now: clock.now(), head: revision, changesSince: () => [] });
  if (verdict.type === "refused") throw verdict.error;
  if (verdict.type === "unchanged") {
    if (current === undefined) throw new Error("a judge found nothing unchanged where nothing is");
    return { type: "unchanged", object: present(kind, current), created: false };
  }
  const shown = present(kind, { key: storeKey(kind, key), revision: current?.revision ?? 0, value: verdict.value });
  const object = current === undefined ? withoutRevision(shown) : shown;
  return { type: verdict.type === "delete" ? "deleted" : "committed", object, created: current === undefined };
}

function withoutRevision(object: AnyObject): AnyObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata } as AnyObject;
}

/** What a judge throws is its refusal. */
function refusing(judge: () => Verdict | Promise<Verdict>): Verdict | Promise<Verdict> {
  try {
    const verdict = judge();
    return verdict instanceof Promise ? verdict.catch(refusal) : verdict;
  } catch (error) {
    return refusal(error);
  }
}

const refusal = (error: unknown): Verdict => ({ type: "refused", error: error instanceof Error ? error : new Error(String(error)) });

/** A plan counted an owner's objects at a revision: it is void when somebody else changed one of them since (`log-rules.md` 23). */
function planMoved({ kind, key }: Committing, guard: NonNullable<InternalParameters["guard"]>, judging: Judging): Error | undefined {
  const changes = judging.changesSince(guard.revision);
  if (changes === undefined) return conflict(kind, key.name, "the state that the plan was made from is too old");
  const belongs = (state: Stored | undefined) => state !== undefined && controllerOf(metadataOf(state.value))?.uid === guard.owner;
  const moved = changes.some(({ plan, object, previous }) => plan !== guard.plan && (belongs(object) || belongs(previous)));
  return moved ? conflict(kind, key.name, "the objects that the plan counted have changed since") : undefined;
}

const metadataOf = (value: JsonObject): KubeObject => value as JsonObject & KubeObject;
