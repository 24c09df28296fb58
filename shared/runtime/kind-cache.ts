/** All objects of one kind as a warm function knows them, with the indexes that controllers ask for. */
import type { KubeObject, ObjectKey } from "../api/objects.ts";
import { controllerOf } from "../api/objects.ts";
import type { Lister, Observed } from "./controller.ts";
import type { Fed } from "./feed.ts";
import { keyText } from "./keys.ts";

/** Objects by something they have in common; a group is copied into an array once per change, not once per question. */
class Index<T extends KubeObject> {
  readonly #groups = new Map<string, { readonly members: Map<string, T>; listed: readonly T[] | undefined }>();

  put(group: string, key: string, object: T): void {
    let found = this.#groups.get(group);
    if (!found) this.#groups.set(group, (found = { members: new Map(), listed: undefined }));
    found.members.set(key, object);
    found.listed = undefined;
  }

  remove(group: string, key: string): void {
    const found = this.#groups.get(group);
    if (!found) return;
    found.members.delete(key);
    found.listed = undefined;
    if (found.members.size === 0) this.#groups.delete(group);
  }

  get(group: string): readonly T[] {
    const found = this.#groups.get(group);
    if (!found) return [];
    found.listed ??= [...found.members.values()];
    return found.listed;
  }
}

/** Follows a {@link Feed}. Changes only between rounds, so that everything in a round sees one state. */
export class KindCache<T extends KubeObject = KubeObject> implements Lister<T> {
  #revision: number | undefined;
  readonly #objects = new Map<string, T>();
  readonly #byNamespace = new Index<T>();
  readonly #byController = new Index<T>();
  readonly #orphans = new Index<T>();
  readonly #byOwner = new Index<T>();

  /** Undefined until something was read. */
  get known(): number | undefined {
    return this.#revision;
  }

  get revision(): number {
    return this.#revision ?? 0;
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key));
  }

  all(): Iterable<T> {
    return this.#objects.values();
  }

  inNamespace(namespace: string): readonly T[] {
    return this.#byNamespace.get(namespace);
  }

  ownedBy(uid: string): readonly T[] {
    return this.#byController.get(uid);
  }

  orphansIn(namespace: string): readonly T[] {
    return this.#orphans.get(namespace);
  }

  dependentsOf(uid: string): readonly T[] {
    return this.#byOwner.get(uid);
  }

  /** Takes an answer of the feed and says what it changed here. */
  apply(fed: Fed<T>): Observed<T>[] {
    const observed = "all" in fed ? this.#replace(fed.all) : fed.changes.flatMap((change) => this.#step(change));
    this.#revision = fed.revision;
    return observed;
  }

  #step({ previous, next }: Observed<T>): Observed<T>[] {
    const object = next ?? previous;
    if (!object) return [];
    const known = this.#set(keyOf(object), next);
    return known || next ? [{ previous: known, next }] : [];
  }

  #replace(all: readonly T[]): Observed<T>[] {
    const observed: Observed<T>[] = [];
    const gone = new Set(this.#objects.keys());
    for (const next of all) {
      const key = keyOf(next);
      gone.delete(key);
      const previous = this.#set(key, next);
      if (previous?.metadata.resourceVersion !== next.metadata.resourceVersion) observed.push({ previous, next });
    }
    for (const key of gone) observed.push({ previous: this.#set(key, undefined), next: undefined });
    return observed;
  }

  /** @returns what was there */
  #set(key: string, next: T | undefined): T | undefined {
    const previous = this.#objects.get(key);
    if (previous) this.#unindex(key, previous);
    if (next) {
      this.#objects.set(key, next);
      this.#index(key, next);
    } else this.#objects.delete(key);
    return previous;
  }

  #index(key: string, object: T): void {
    const { namespace = "", ownerReferences = [] } = object.metadata;
    this.#byNamespace.put(namespace, key, object);
    const controller = controllerOf(object);
    if (controller) this.#byController.put(controller.uid, key, object);
    else this.#orphans.put(namespace, key, object);
    for (const { uid } of ownerReferences) this.#byOwner.put(uid, key, object);
  }

  #unindex(key: string, object: T): void {
    const { namespace = "", ownerReferences = [] } = object.metadata;
    this.#byNamespace.remove(namespace, key);
    const controller = controllerOf(object);
    if (controller) this.#byController.remove(controller.uid, key);
    else this.#orphans.remove(namespace, key);
    for (const { uid } of ownerReferences) this.#byOwner.remove(uid, key);
  }
}

const keyOf = ({ metadata }: KubeObject): string => keyText({ namespace: metadata.namespace ?? "", name: metadata.name });
