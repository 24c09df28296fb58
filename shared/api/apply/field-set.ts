/**
 * Sets of field paths, as `metadata.managedFields` stores them: a trie whose keys are FieldsV1 path elements (`f:name`, `k:{"name":"web"}`,
 * `v:"value"`, `i:0`). Sets are immutable: every operation makes a new one.
 * @see sigs.k8s.io/structured-merge-diff, fieldpath.Set
 */
import type { JsonObject } from "../objects.ts";

export type Path = readonly string[];

interface Node {
  /** The path that ends here is in the set. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, Node>;
}

const none: Node = { member: false, children: new Map() };

export class FieldSet {
  static readonly empty = new FieldSet(none);
  private readonly root: Node;

  private constructor(root: Node) {
    this.root = root;
  }

  static of(paths: Iterable<Path>): FieldSet {
    const root: MutableNode = { member: false, children: new Map() };
    for (const path of paths) insert(root, path);
    return new FieldSet(root);
  }

  /** Reads FieldsV1 JSON. Unknown shapes are ignored, as they say nothing about fields. */
  static fromFieldsV1(fields: JsonObject | undefined): FieldSet {
    return fields ? new FieldSet(readNode(fields, false)) : FieldSet.empty;
  }

  toFieldsV1(): JsonObject {
    return writeNode(this.root);
  }

  get isEmpty(): boolean {
    return isEmptyNode(this.root);
  }

  has(path: Path): boolean {
    let node: Node | undefined = this.root;
    for (const element of path) {
      node = node.children.get(element);
      if (!node) return false;
    }
    return node.member;
  }

  union(other: FieldSet): FieldSet {
    return new FieldSet(combine(this.root, other.root, (a, b) => a || b));
  }

  intersection(other: FieldSet): FieldSet {
    return new FieldSet(combine(this.root, other.root, (a, b) => a && b));
  }

  difference(other: FieldSet): FieldSet {
    return new FieldSet(combine(this.root, other.root, (a, b) => a && !b));
  }

  /** Removes the other set's paths and everything below them. */
  withoutSubtrees(other: FieldSet): FieldSet {
    return new FieldSet(cut(this.root, other.root));
  }

  /** Keeps only what lies at or below the other set's paths. */
  withinSubtrees(other: FieldSet): FieldSet {
    return this.difference(this.withoutSubtrees(other));
  }

  equals(other: FieldSet): boolean {
    return sameNode(this.root, other.root);
  }

  /** Paths in a stable order. */
  *paths(): Generator<Path> {
    yield* walk(this.root, []);
  }
}

interface MutableNode extends Node {
  member: boolean;
  readonly children: Map<string, MutableNode>;
}

function insert(root: MutableNode, path: Path): void {
  let node = root;
  for (const element of path) {
    let child = node.children.get(element);
    if (!child) {
      child = { member: false, children: new Map() };
      node.children.set(element, child);
    }
    node = child;
  }
  node.member = true;
}

/** An element that maps to an empty object is a member; one that maps to `{".": {}, …}` is a member with children. */
function readNode(fields: JsonObject, leafIsMember: boolean): Node {
  const children = new Map<string, Node>();
  let member = false;
  let size = 0;
  for (const [key, value] of Object.entries(fields)) {
    size++;
    if (key === ".") member = true;
    else if (typeof value === "object" && value !== null) children.set(key, readNode(value as JsonObject, true));
  }
  return { member: member || (leafIsMember && size === 0), children };
}

function writeNode(node: Node): JsonObject {
  const fields: JsonObject = {};
  for (const key of [...node.children.keys()].toSorted()) {
    const child = node.children.get(key);
    if (!child || isEmptyNode(child)) continue;
    fields[key] = child.children.size === 0 ? {} : { ...(child.member && { ".": {} }), ...writeNode(child) };
  }
  return fields;
}

const isEmptyNode = (node: Node): boolean => !node.member && [...node.children.values()].every(isEmptyNode);

function combine(a: Node, b: Node, keep: (a: boolean, b: boolean) => boolean): Node {
  const children = new Map<string, Node>();
  for (const key of new Set([...a.children.keys(), ...b.children.keys()])) {
    const child = combine(a.children.get(key) ?? none, b.children.get(key) ?? none, keep);
    if (child.member || child.children.size > 0) children.set(key, child);
  }
  return { member: keep(a.member, b.member), children };
}

function cut(a: Node, b: Node): Node {
  const children = new Map<string, Node>();
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    if (other?.member) continue;
    const rest = other ? cut(child, other) : child;
    if (rest.member || rest.children.size > 0) children.set(key, rest);
  }
  return { member: a.member, children };
}

function sameNode(a: Node, b: Node): boolean {
  if (a.member !== b.member || a.children.size !== b.children.size) return false;
  for (const [key, child] of a.children) {
    const other = b.children.get(key);
    if (!other || !sameNode(child, other)) return false;
  }
  return true;
}

function* walk(node: Node, path: string[]): Generator<Path> {
  if (node.member) yield [...path];
  for (const key of [...node.children.keys()].toSorted()) {
    const child = node.children.get(key);
    if (child) yield* walk(child, [...path, key]);
  }
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
