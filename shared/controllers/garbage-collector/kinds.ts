/** The kinds that the garbage collector follows, and how owner references and keys name them. */
import type { KindRef } from "../../api/client.ts";
import { apiVersionOf, groupOf } from "../../api/kind.ts";
import type { KubeObject, ObjectKey, OwnerReference } from "../../api/objects.ts";
import { kindText } from "../../runtime/keys.ts";
import { followed } from "../common/resources.ts";

export class Kinds {
  /** One version of each kind. */
  readonly followed: readonly KindRef[];
  readonly #byText: ReadonlyMap<string, KindRef>;
  readonly #byName: ReadonlyMap<string, KindRef>;

  constructor(served: readonly KindRef[]) {
    this.followed = followed(served);
    this.#byText = new Map(this.followed.map((kind) => [kindText(kind), kind]));
    this.#byName = new Map(this.followed.map((kind) => [`${kind.group}/${kind.kind}`, kind]));
  }

  /** The kind that an owner reference means, in whatever version it is served; undefined when it is not. */
  ofOwner({ apiVersion, kind }: Pick<OwnerReference, "apiVersion" | "kind">): KindRef | undefined {
    return this.#byName.get(`${groupOf(apiVersion)}/${kind}`);
  }

  /** A key names the kind as well: one controller looks after all of them. */
  keyOf(kind: KindRef, { namespace, name }: ObjectKey): ObjectKey {
    return { namespace, name: `${kindText(kind)}/${name}` };
  }

  parse({ namespace, name }: ObjectKey): { readonly kind: KindRef; readonly key: ObjectKey } | undefined {
    const [group, version, plural, ...rest] = name.split("/");
    const kind = this.#byText.get(`${group}/${version}/${plural}`);
    return kind && { kind, key: { namespace, name: rest.join("/") } };
  }

  /** Where an owner is to be found: beside its dependent, or in no namespace. Undefined when that is impossible. */
  ownerKey(owner: OwnerReference, kind: KindRef, dependent: KubeObject): ObjectKey | undefined {
    if (!kind.namespaced) return { namespace: "", name: owner.name };
    const { namespace } = dependent.metadata;
    return namespace === undefined ? undefined : { namespace, name: owner.name };
  }

  /** Tells one set of kinds from another. */
  get version(): string {
    return [...this.#byText.keys()].toSorted().join(" ");
  }
}

export const describeOwner = (owner: OwnerReference): string =>
  `[${apiVersionOf({ group: groupOf(owner.apiVersion), version: owner.apiVersion.split("/").at(-1) ?? "" })}/${owner.kind}, name: ${owner.name}, uid: ${owner.uid}]`;
