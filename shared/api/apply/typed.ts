/**
 * Values walked by their schema: which fields a value has, what differs between two, how an applied configuration merges into what is there,
 * and what is left when fields are taken away.
 * @see sigs.k8s.io/structured-merge-diff, typed
 */
import type { JsonObject } from "../objects.ts";
import type { ListNode, SchemaNode } from "../schema.ts";
import { FieldSet, type FieldTree, fieldTree, isEmptyTree, leafTree, noTree, union } from "./field-set.ts";

const anything: SchemaNode = { type: "any" };

const isRaw = (value: object): value is { readonly rawJSON: string } => "rawJSON" in value;

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !isRaw(value);

/** Objects of any kind inside one of a kind of Kubernetes' own. */
const rawExtension = "runtime.RawExtension";

/** How a value behaves: free-form objects are granular maps, free-form lists are atomic. */
type Shape = "leaf" | "object" | "list";

function shapeOf(schema: SchemaNode, value: unknown): Shape {
  if (typeof value !== "object" || value === null) return "leaf";
  if (Array.isArray(value)) return schema.type === "list" && schema.listType !== "atomic" ? "list" : "leaf";
  if (schema.type === "any" && schema.goType === rawExtension) return "leaf";
  if ((schema.type === "object" || schema.type === "map") && schema.atomic) return "leaf";
  return isRaw(value) ? "leaf" : "object";
}

function fieldSchema(schema: SchemaNode, name: string): SchemaNode {
  if (schema.type === "object") return schema.fields.get(name) ?? anything;
  return schema.type === "map" ? schema.values : anything;
}

const namesByFields = new WeakMap<ReadonlyMap<string, SchemaNode>, Map<string, string>>();

/** Path elements of the fields that a schema declares, made once. */
function elementsOf(schema: SchemaNode): ReadonlyMap<string, string> | undefined {
  if (schema.type !== "object") return undefined;
  const { fields } = schema;
  let elements = namesByFields.get(fields);
  if (!elements) {
    elements = new Map();
    for (const name of fields.keys()) elements.set(name, `f:${name}`);
    namesByFields.set(fields, elements);
  }
  return elements;
}

/** JSON with the members of every object in order. */
export const canonical = (value: unknown): string => {
  if (isObject(value))
    return `{${Object.keys(value)
      .toSorted()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
      .join(",")}}`;
  return Array.isArray(value) ? `[${value.map(canonical).join(",")}]` : JSON.stringify(value);
};

/** Whether two values are equal, whatever the order of their members. */
export function isEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) {
    // A number kept as its text may be one that a double could have held.
    return isRawNumber(left) || isRawNumber(right) ? JSON.stringify(left) === JSON.stringify(right) : false;
  }
  if (Array.isArray(left)) {
    if (!Array.isArray(right) || left.length !== right.length) return false;
    for (let index = 0; index < left.length; index++) if (!isEqual(left[index], right[index])) return false;
    return true;
  }
  if (Array.isArray(right)) return false;
  if (isRaw(left) || isRaw(right)) return JSON.stringify(left) === JSON.stringify(right);
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  for (const name of names) {
    const other = (right as JsonObject)[name];
    if (!isEqual((left as JsonObject)[name], other) || (other === undefined && !Object.hasOwn(right, name))) return false;
  }
  return true;
}

const isRawNumber = (value: unknown): boolean => typeof value === "object" && value !== null && isRaw(value);

/** The path element of a list item: by its keys for list maps, by its value for sets. */
function itemElement(schema: ListNode, item: unknown): string {
  if (schema.listType === "set" || !isObject(item)) return `v:${canonical(item)}`;
  const only = schema.listKeys.length === 1 ? schema.listKeys[0] : undefined;
  if (only !== undefined && typeof item[only] === "string") return `k:{${JSON.stringify(only)}:${JSON.stringify(item[only])}}`;
  const keys: JsonObject = {};
  for (const key of schema.listKeys) {
    const value = keyValue(schema, item, key);
    if (value !== undefined && value !== null) keys[key] = value;
  }
  return `k:${canonical(keys)}`;
}

/** A key of a list item. One left out has its default, and a name that Go always writes is empty. */
export function keyValue({ items }: ListNode, item: JsonObject, key: string): unknown {
  const node = fieldSchema(items, key);
  const isAlwaysText = node.zero === "fill" && node.type === "scalar" && node.scalar === "string";
  return item[key] ?? node.default ?? (isAlwaysText ? "" : undefined);
}

/**
 * What of a value its fields follow from: names, keys of list items, and where there is nothing but the zero that Go always writes.
 * Values of one schema with the same outline have the same fields.
 */
export function outlineOf(schema: SchemaNode, value: unknown): string {
  if (schema.zero === "fill" && isZero(value)) return "0";
  switch (shapeOf(schema, value)) {
    case "leaf":
      return value === undefined ? "?" : "";
    case "object": {
      // Names that the schema declares hold nothing that could be mistaken.
      const declared = schema.type === "object" ? schema.fields : undefined;
      let outline = "{";
      for (const name of Object.keys(value as JsonObject)) {
        const field = declared?.get(name);
        outline += field
          ? `${name} ${outlineOf(field, (value as JsonObject)[name])}`
          : `${name.length}:${name} ${outlineOf(fieldSchema(schema, name), (value as JsonObject)[name])}`;
      }
      return `${outline}}`;
    }
    case "list": {
      let outline = "[";
      for (const item of value as unknown[]) {
        const element = itemElement(schema as ListNode, item);
        outline += `${element.length}:${element}${outlineOf((schema as ListNode).items, item)}`;
      }
      return `${outline}]`;
    }
  }
}

/** Every field that a value sets. */
export const fieldsOf = (schema: SchemaNode, value: unknown): FieldSet => FieldSet.ofTree(collect(schema, value));

function collect(schema: SchemaNode, value: unknown): FieldTree {
  switch (shapeOf(schema, value)) {
    case "leaf":
      return leafTree;
    case "object":
      return collectFields(schema, value as JsonObject);
    case "list":
      return itemTrees(schema as ListNode, value as unknown[], false, collect);
  }
}

const collectField: Below = (schema, field) => (isObject(field) && Object.keys(field).length === 0 ? leafTree : collect(schema, field));

/** What no schema declares by its name (keys of maps, free-form fields) is a member of its own, as items of lists are. */
function collectFields(schema: SchemaNode, value: JsonObject): FieldTree {
  const children = fieldTrees(schema, value, collectField);
  const elements = elementsOf(schema);
  for (const name of Object.keys(value)) {
    if (elements?.has(name)) continue;
    children.set(`f:${name}`, fieldTree(true, children.get(`f:${name}`)?.children ?? noTree.children));
  }
  return fieldTree(false, children);
}

/** The set with every declared field above its members: what names a part of an object names the object. */
export const withDeclaredParents = (schema: SchemaNode, fields: FieldSet): FieldSet =>
  FieldSet.ofTree(declaredParents(schema, fields.tree, false));

function declaredParents(schema: SchemaNode, tree: FieldTree, isDeclared: boolean): FieldTree {
  if (tree.children.size === 0) return tree;
  const children = new Map<string, FieldTree>();
  for (const [element, below] of tree.children) {
    const name = element.startsWith("f:") ? element.slice(2) : undefined;
    const node = name === undefined ? (schema.type === "list" ? schema.items : anything) : fieldSchema(schema, name);
    children.set(element, declaredParents(node, below, name !== undefined && schema.type === "object" && schema.fields.has(name)));
  }
  return fieldTree(tree.member || isDeclared, children);
}

/** What there is at and below a field or an item. */
type Below = (schema: SchemaNode, value: unknown) => FieldTree;

/** Fields of an object that have something at or below them. */
function fieldTrees(schema: SchemaNode, value: JsonObject, below: Below): Map<string, FieldTree> {
  const children = new Map<string, FieldTree>();
  const elements = elementsOf(schema);
  for (const name of Object.keys(value)) {
    const tree = below(fieldSchema(schema, name), value[name]);
    if (!isEmptyTree(tree)) children.set(elements?.get(name) ?? `f:${name}`, tree);
  }
  return children;
}

/** Items of a list: each is a member of its own. */
function itemTrees(list: ListNode, items: readonly unknown[], member: boolean, below: Below): FieldTree {
  const children = new Map<string, FieldTree>();
  for (const item of items) {
    const element = itemElement(list, item);
    const tree = fieldTree(true, below(list.items, item).children);
    const twin = children.get(element);
    children.set(element, twin ? union(twin, tree) : tree);
  }
  return fieldTree(member, children);
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** Everything that appears or goes with a value of which nothing was there, itself included. */
function whole(schema: SchemaNode, value: unknown): FieldTree {
  switch (shapeOf(schema, value)) {
    case "leaf":
      return leafTree;
    case "object":
      return fieldTree(true, fieldTrees(schema, value as JsonObject, whole));
    case "list":
      return itemTrees(schema as ListNode, value as unknown[], true, whole);
  }
}

/** The same below a parent that was there: what Go always writes was there too, as zero, so only what is in it appears. */
function wholeField(schema: SchemaNode, value: unknown): FieldTree {
  if (schema.zero === "fill" && isZero(value)) return noTree;
  const shape = shapeOf(schema, value);
  if (!schema.implicit || shape === "leaf") return whole(schema, value);
  if (shape === "object") return fieldTree(false, fieldTrees(schema, value as JsonObject, wholeField));
  return itemTrees(schema as ListNode, value as unknown[], false, whole);
}

const isZero = (value: unknown): boolean =>
  value === "" || value === 0 || value === false || (typeof value === "object" && value !== null && Object.keys(value).length === 0);

/** Differences at and below one path. */
interface Differences {
  added: FieldTree;
  modified: FieldTree;
  removed: FieldTree;
}

const same: Differences = { added: noTree, modified: noTree, removed: noTree };
const replaced: Differences = { ...same, modified: leafTree };

/** What changed from `before` to `after`, at every level. */
export function compare(schema: SchemaNode, before: unknown, after: unknown): Comparison {
  const { added, modified, removed } = differences(schema, before, after);
  return { added: FieldSet.ofTree(added), modified: FieldSet.ofTree(modified), removed: FieldSet.ofTree(removed) };
}

function differences(schema: SchemaNode, left: unknown, right: unknown): Differences {
  if (left === right) return same;
  if (left === undefined) return { ...same, added: wholeField(schema, right) };
  if (right === undefined) return { ...same, removed: wholeField(schema, left) };
  // Null has nothing in it: what is in the other one appears, or goes.
  if (left === null && hasParts(schema, right)) return differences(schema, emptied(right), right);
  if (right === null && hasParts(schema, left)) return differences(schema, left, emptied(left));
  const shape = shapeOf(schema, left);
  if (shape === "leaf" || shape !== shapeOf(schema, right)) return isEqual(left, right) ? same : replaced;
  const below = new DifferencesBelow();
  if (shape === "object") {
    const a = left as JsonObject;
    const b = right as JsonObject;
    const elements = elementsOf(schema);
    const visit = (name: string, before: unknown, now: unknown) => {
      if (before === now) return;
      const found = differences(fieldSchema(schema, name), before, now);
      if (found !== same) below.put(elements?.get(name) ?? `f:${name}`, found);
    };
    // A label may be called `constructor`, which every object seems to have.
    for (const name of Object.keys(a)) visit(name, a[name], Object.hasOwn(b, name) ? b[name] : undefined);
    for (const name of Object.keys(b)) if (!Object.hasOwn(a, name)) visit(name, undefined, b[name]);
  } else {
    // Telling items apart takes longer than seeing that they are equal.
    if (isEqual(left, right)) return same;
    const list = schema as ListNode;
    const a = byElement(list, left as unknown[]);
    const b = byElement(list, right as unknown[]);
    for (const [element, item] of a) {
      const next = b.get(element);
      if (next === undefined) below.put(element, { ...same, removed: itemTree(list, item) });
      else below.put(element, differences(list.items, item, next));
    }
    for (const [element, item] of b) if (!a.has(element)) below.put(element, { ...same, added: itemTree(list, item) });
  }
  return below.all();
}

const hasParts = (schema: SchemaNode, value: unknown): boolean =>
  shapeOf(schema, value) !== "leaf" && Object.keys(value as object).length > 0;

const emptied = (value: unknown): unknown => (Array.isArray(value) ? [] : {});

const itemTree = (list: ListNode, item: unknown): FieldTree => fieldTree(true, whole(list.items, item).children);

/** Collects the differences of fields or items under their parent. */
class DifferencesBelow {
  #added: Map<string, FieldTree> | undefined;
  #modified: Map<string, FieldTree> | undefined;
  #removed: Map<string, FieldTree> | undefined;

  put(element: string, { added, modified, removed }: Differences): void {
    if (!isEmptyTree(added)) (this.#added ??= new Map()).set(element, added);
    if (!isEmptyTree(modified)) (this.#modified ??= new Map()).set(element, modified);
    if (!isEmptyTree(removed)) (this.#removed ??= new Map()).set(element, removed);
  }

  all(): Differences {
    const parent = (children: Map<string, FieldTree> | undefined) => (children ? fieldTree(false, children) : noTree);
    return { added: parent(this.#added), modified: parent(this.#modified), removed: parent(this.#removed) };
  }
}

const byElement = (schema: ListNode, list: readonly unknown[]): Map<string, unknown> => {
  const items = new Map<string, unknown>();
  for (const item of list) items.set(itemElement(schema, item), item);
  return items;
};

/** Puts an applied configuration over a live object: what it names wins, everything else stays. The live object itself when nothing changes. */
export function merge(schema: SchemaNode, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined || live === null) return config;
  // Whoever names a list or an object and says nothing of what is in it leaves it as it is.
  if (config === null && schema.type !== "any" && shapeOf(schema, live) !== "leaf" && Object.keys(live).length > 0) return live;
  const shape = shapeOf(schema, config);
  if (shape === "leaf" || shape !== shapeOf(schema, live)) return isWrittenAlike(live, config) ? live : config;
  if (shape === "object") {
    let merged: JsonObject | undefined;
    for (const name of Object.keys(config as JsonObject)) {
      const before = Object.hasOwn(live, name) ? (live as JsonObject)[name] : undefined;
      const after = merge(fieldSchema(schema, name), before, (config as JsonObject)[name]);
      if (after !== before || !Object.hasOwn(live, name)) define((merged ??= { ...(live as JsonObject) }), name, after);
    }
    return merged ?? live;
  }
  const list = schema as ListNode;
  const applied = byElement(list, config as unknown[]);
  const present = byElement(list, live as unknown[]);
  const merged = mergeOrder([...present.keys()], [...applied.keys()]).map((element) =>
    merge(list.items, present.get(element), applied.get(element)),
  );
  const before = live as unknown[];
  return merged.length === before.length && merged.every((item, index) => item === before[index]) ? live : merged;
}

/** Whether two values are the same text, the order of members included. */
function isWrittenAlike(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Items of the configuration in its order; items only in the live list keep their place before whatever comes next. */
function mergeOrder(live: readonly string[], applied: readonly string[]): string[] {
  const inApplied = new Set(applied);
  const order = new Set<string>();
  let next = 0;
  for (const element of applied) {
    // Live items that the configuration does not know, up to the next one that it does.
    for (; next < live.length && !inApplied.has(live[next] as string); next++) order.add(live[next] as string);
    if (live[next] === element) next++;
    order.add(element);
  }
  for (const element of live.slice(next)) if (!inApplied.has(element)) order.add(element);
  return [...order];
}

/** The value without the given fields; parents that become empty by it go too. Shares with the value what it keeps whole. */
export const removeFields = (schema: SchemaNode, value: unknown, fields: FieldSet): unknown => prune(schema, value, fields.tree) ?? {};

function prune(schema: SchemaNode, value: unknown, fields: FieldTree | undefined): unknown {
  if (!fields || fields.children.size === 0) return value;
  const { children } = fields;
  const shape = shapeOf(schema, value);
  if (shape === "leaf") return value;
  if (shape === "object") {
    const elements = elementsOf(schema);
    const kept: JsonObject = {};
    let removedAny = false;
    for (const name of Object.keys(value as JsonObject)) {
      const below = children.get(elements?.get(name) ?? `f:${name}`);
      const rest = below?.member ? undefined : prune(fieldSchema(schema, name), (value as JsonObject)[name], below);
      if (rest === undefined) removedAny = true;
      else define(kept, name, rest);
    }
    return removedAny && Object.keys(kept).length === 0 ? undefined : kept;
  }
  const list = schema as ListNode;
  const kept: unknown[] = [];
  for (const item of value as unknown[]) {
    const below = children.get(itemElement(list, item));
    const rest = below?.member ? undefined : prune(list.items, item, below);
    if (rest !== undefined) kept.push(rest);
  }
  return kept.length === 0 && (value as unknown[]).length > 0 ? undefined : kept;
}

/** Assigned, `__proto__` would be the object's prototype. */
function define(object: JsonObject, name: string, value: unknown): void {
  if (name === "__proto__") Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  else object[name] = value;
}
