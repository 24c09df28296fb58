/** What a controller is: which objects wake it for which keys, and what it does about one key. */
import type { Client, KindRef } from "../api/client.ts";
import type { KubeObject, ObjectKey } from "../api/objects.ts";
import type { Clock } from "./clock.ts";
import type { Log } from "./log.ts";

/** Objects of one kind as they stand at the start of a round, with the indexes that controllers ask for. Frozen and shared. */
export interface Lister<T extends KubeObject = KubeObject> {
  /** Revision at which this is true: for a {@link PlanGuard}. */
  readonly revision: number;
  get(key: ObjectKey): T | undefined;
  all(): Iterable<T>;
  inNamespace(namespace: string): readonly T[];
  /** Objects whose *controller* owner has this uid. */
  ownedBy(uid: string): readonly T[];
  /** Objects of a namespace that have no controller: candidates for adoption. */
  orphansIn(namespace: string): readonly T[];
  /** Objects that name this uid among their owners, whether as controller or not. */
  dependentsOf(uid: string): readonly T[];
}

/** A change as controllers see it; `next` is undefined for a deletion. */
export interface Observed<T extends KubeObject = KubeObject> {
  readonly previous: T | undefined;
  readonly next: T | undefined;
}

export interface ControllerContext {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  /** Caught up with the kind's log when the round began; consistent for the whole round. */
  readonly lister: <T extends KubeObject>(kind: KindRef<T>) => Lister<T>;
  /** Records an event about an object, as `kubectl describe` shows it. Repeats are counted, not stored again. */
  readonly event: (about: KubeObject, type: "Normal" | "Warning", reason: string, message: string) => void;
}

export interface Result {
  /** Look at this key again then, even if nothing changes. */
  readonly again?: Date;
}

/** Which objects concern a controller: for each change the keys to look at. */
export interface Watched<T extends KubeObject = KubeObject> {
  readonly kind: KindRef<T>;
  /**
   * Not read again just before a turn ends: what others change meanwhile rings, and so begins another look. For controllers that
   * follow kinds by the dozen, of which hardly any changes.
   */
  readonly lazy?: boolean;
  /** Its status follows how many other objects there are: that an earlier state comes back is no fight over it (`fights.ts`). */
  readonly follows?: boolean;
  keys(change: Observed<T>, context: Pick<ControllerContext, "lister">): readonly ObjectKey[];
}

/** Level triggered: a key says where to look, never what happened. A key is whatever the controller makes of it. */
export interface Controller {
  /** As `kubectl describe` shows it as the source of events: `deployment-controller`. */
  readonly name: string;
  /** May change between rounds, but only in {@link prepare}: for a controller of every kind there is. */
  readonly watches: readonly Watched<any>[];
  /** Kinds read through `lister` without waking the controller. */
  readonly reads?: readonly KindRef<any>[];
  /**
   * Moves one object towards what it should be. Throws `StatusError`; `Conflict` and `AlreadyExists` are looked at again in the next
   * round, anything else after a back-off.
   */
  reconcile(key: ObjectKey, context: ControllerContext): Promise<Result | void>;
  /**
   * Called before each strongly consistent look at the cluster: finds out which kinds there are, or looks where no log does.
   * `everything` is true once at a cold start and at each sweep. Keys that it returns are reconciled in the coming round; a turn goes
   * on as long as there are any, so it must return only what is new.
   */
  prepare?(options: { readonly everything: boolean }): Promise<readonly ObjectKey[] | void>;
}
