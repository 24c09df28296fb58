/**
 * Sets of field paths, as `metadata.managedFields` stores them: a trie whose keys are FieldsV1 path elements (`f:name`, `k:{"name":"web"}`,
 * `v:"value"`, `i:0`). Sets are immutable: every operation makes a new one, which shares with the others what it did not change.
 * @see sigs.k8s.io/structured-merge-diff, fieldpath.Set
 */
import { Recent } from "../memo.ts";
import type { JsonObject } from "../objects.ts";

export type Path = readonly string[];

/** The part of a set at and below some path. Only a root may be empty. */
export interface FieldTree {
  /** The path that ends here is in the set. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldTree>;
}

const noChildren: ReadonlyMap<string, FieldTree> = new Map();
/** No path. */
export const noTree: FieldTree = { member: false, children: noChildren };
/** A path with nothing below it. */
export const leafTree: FieldTree = { member: true, children: noChildren };

export const fieldTree = (member: boolean, children: ReadonlyMap<string, FieldTree>): FieldTree => {
  if (children.size > 0) return { member, children };
  return member ? leafTree : noTree;
};

export const isEmptyTree = ({ member, children }: FieldTree): boolean => !member && children.size === 0;

export class FieldSet {
  static readonly empty = new FieldSet(noTree);
  readonly tree: FieldTree;

  private constructor(tree: FieldTree) {
    this.tree = tree;
  }

  static of(paths: Iterable<Path>): FieldSet {
    let tree = noTree;
    for (const path of paths)
      tree = union(
        tree,
        path.reduceRight<FieldTree>((below, element) => fieldTree(false, new Map([[element, below]])), leafTree),
      );
    return FieldSet.ofTree(tree);
  }

  static ofTree(tree: FieldTree): FieldSet {
    return isEmptyTree(tree) ? FieldSet.empty : new FieldSet(tree);
  }

  /** Reads FieldsV1 JSON. Unknown shapes are ignored, as they say nothing about fields. */
  static fromFieldsV1(fields: JsonObject | undefined): FieldSet {
    return fields ? FieldSet.ofTree(read(fields)) : FieldSet.empty;
  }

  /** Frozen: sets that share parts share what is written of them. */
  toFieldsV1(): JsonObject {
    return write(this.tree);
  }

  get isEmpty(): boolean {
    return isEmptyTree(this.tree);
  }

  union(other: FieldSet): FieldSet {
    return FieldSet.ofTree(union(this.tree, other.tree));
  }

  intersection(other: FieldSet): FieldSet {
    return FieldSet.ofTree(intersection(this.tree, other.tree));
  }

  difference(other: FieldSet): FieldSet {
    return FieldSet.ofTree(difference(this.tree, other.tree));
  }

  /** Removes the other set's paths and everything below them. */
  withoutSubtrees(other: FieldSet): FieldSet {
    return FieldSet.ofTree(cut(this.tree, other.tree));
  }

  /** Removes paths above those of the other set. */
  withoutParents(other: FieldSet): FieldSet {
    return FieldSet.ofTree(cutParents(this.tree, other.tree));
  }

  equals(other: FieldSet): boolean {
    return isSame(this.tree, other.tree);
  }

  /** Paths in a stable order. */
  *paths(): Generator<Path> {
    yield* walk(this.tree, []);
  }
}

export function union(a: FieldTree, b: FieldTree): FieldTree {
  if (a === b || isEmptyTree(b)) return a;
  if (isEmptyTree(a)) return b;
  let children: Map<string, FieldTree> | undefined;
  for (const [element, right] of b.children) {
    const left = a.children.get(element);
    const both = left ? union(left, right) : right;
    if (both !== left) (children ??= new Map(a.children)).set(element, both);
  }
  return children || (b.member && !a.member) ? fieldTree(a.member || b.member, children ?? a.children) : a;
}

function intersection(a: FieldTree, b: FieldTree): FieldTree {
  if (a === b) return a;
  const children = new Map<string, FieldTree>();
  for (const [element, left] of a.children) {
    const right = b.children.get(element);
    const both = right && intersection(left, right);
    if (both && !isEmptyTree(both)) children.set(element, both);
  }
  return fieldTree(a.member && b.member, children);
}

function difference(a: FieldTree, b: FieldTree): FieldTree {
  if (a === b) return noTree;
  let children: Map<string, FieldTree> | undefined;
  const drop = (element: string, left: FieldTree, right: FieldTree) => {
    const rest = difference(left, right);
    if (rest === left) return;
    children ??= new Map(a.children);
    if (isEmptyTree(rest)) children.delete(element);
    else children.set(element, rest);
  };
  if (a.children.size < b.children.size) {
    for (const [element, left] of a.children) {
      const right = b.children.get(element);
      if (right) drop(element, left, right);
    }
  } else {
    for (const [element, right] of b.children) {
      const left = a.children.get(element);
      if (left) drop(element, left, right);
    }
  }
  return children || (a.member && b.member) ? fieldTree(a.member && !b.member, children ?? a.children) : a;
}

function cut(a: FieldTree, b: FieldTree): FieldTree {
  let children: Map<string, FieldTree> | undefined;
  for (const [element, right] of b.children) {
    const left = a.children.get(element);
    if (!left) continue;
    const rest = right.member ? noTree : cut(left, right);
    if (rest === left) continue;
    children ??= new Map(a.children);
    if (isEmptyTree(rest)) children.delete(element);
    else children.set(element, rest);
  }
  return children ? fieldTree(a.member, children) : a;
}

function cutParents(a: FieldTree, b: FieldTree): FieldTree {
  const children = new Map<string, FieldTree>();
  for (const [element, left] of a.children) {
    const right = b.children.get(element);
    const rest = right ? cutParents(left, right) : left;
    if (!isEmptyTree(rest)) children.set(element, rest);
  }
  return fieldTree(a.member && b.children.size === 0, children);
}

function isSame(a: FieldTree, b: FieldTree): boolean {
  if (a === b) return true;
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [element, left] of a.children) {
    const right = b.children.get(element);
    if (!right || !isSame(left, right)) return false;
  }
  return true;
}

function* walk(tree: FieldTree, path: string[]): Generator<Path> {
  if (tree.member) yield [...path];
  for (const element of [...tree.children.keys()].toSorted()) {
    const child = tree.children.get(element);
    if (child) yield* walk(child, [...path, element]);
  }
}

// ---- FieldsV1

const keptSets = 512;
/** Both ways: an object's owners are read again when it changes again, and few of them have changed. */
const treeByFields = new Recent<JsonObject, FieldTree>(keptSets);
const fieldsByTree = new WeakMap<FieldTree, JsonObject>();

const nothing: JsonObject = Object.freeze({});

function read(fields: JsonObject): FieldTree {
  // Nobody will change it, then: stored objects are frozen all the way down, and so is what is written here.
  const isShared = Object.isFrozen(fields);
  const known = isShared ? treeByFields.get(fields) : undefined;
  if (known) return known;
  const tree = readTree(fields, false);
  if (isShared) treeByFields.set(fields, tree);
  return tree;
}

/** An element that maps to an empty object is a member; one that maps to `{".": {}, …}` is a member with children. */
function readTree(fields: JsonObject, leafIsMember: boolean): FieldTree {
  const elements = Object.keys(fields);
  if (elements.length === 0) return leafIsMember ? leafTree : noTree;
  const children = new Map<string, FieldTree>();
  let member = false;
  for (const element of elements) {
    const below = fields[element];
    if (element === ".") member = true;
    else if (typeof below === "object" && below !== null && element !== "__proto__") {
      const child = readTree(below as JsonObject, true);
      if (!isEmptyTree(child)) children.set(element, child);
    }
  }
  return fieldTree(member, children);
}

function write(tree: FieldTree): JsonObject {
  if (tree.children.size === 0) return nothing;
  let fields = fieldsByTree.get(tree);
  if (!fields) {
    fields = writeTree(tree, false);
    fieldsByTree.set(tree, fields);
    treeByFields.set(fields, tree);
  }
  return fields;
}

function writeTree({ member, children }: FieldTree, memberIsTold: boolean): JsonObject {
  const fields: JsonObject = {};
  if (member && memberIsTold) fields["."] = nothing;
  const elements = [...children.keys()];
  if (elements.length > 1) elements.sort();
  for (const element of elements) {
    const child = children.get(element);
    if (child) fields[element] = child.children.size === 0 ? nothing : writeTree(child, true);
  }
  return Object.freeze(fields);
}

/** A path as conflicts name it: `.spec.containers[name="web"].image`. */
export function describePath(path: Path): string {
  return path
    .map((element) => {
      const text = element.slice(2);
      switch (element.slice(0, 2)) {
        case "f:":
          return `.${text}`;
        case "k:": {
          const keys: JsonObject = JSON.parse(text);
          return `[${Object.keys(keys)
            .toSorted()
            .map((key) => `${key}=${JSON.stringify(keys[key])}`)
            .join(",")}]`;
        }
        case "v:":
          return `[=${text}]`;
        default:
          return `[${text}]`;
      }
    })
    .join("");
}
