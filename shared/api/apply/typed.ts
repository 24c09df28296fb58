/**
 * Values walked by their schema: which fields a value has, what differs between two, how an applied configuration merges into what is there,
 * and what is left when fields are taken away.
 * @see sigs.k8s.io/structured-merge-diff, typed
 */
import type { JsonObject } from "../objects.ts";
import type { ListNode, SchemaNode } from "../schema.ts";
import { FieldSet, type Path } from "./field-set.ts";

const anything: SchemaNode = { type: "any" };

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !("rawJSON" in value);

/** How a value behaves: free-form objects are granular maps, free-form lists are atomic. */
type Shape = "leaf" | "object" | "list";

function shapeOf(schema: SchemaNode, value: unknown): Shape {
  if (isObject(value)) return (schema.type === "object" || schema.type === "map") && schema.atomic ? "leaf" : "object";
  if (Array.isArray(value)) return schema.type === "list" && schema.listType !== "atomic" ? "list" : "leaf";
  return "leaf";
}

function fieldSchema(schema: SchemaNode, name: string): SchemaNode {
  if (schema.type === "object") return schema.fields.get(name) ?? anything;
  return schema.type === "map" ? schema.values : anything;
}

const canonical = (value: unknown): string => {
  if (isObject(value))
    return `{${Object.keys(value)
      .toSorted()
      .map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`)
      .join(",")}}`;
  return Array.isArray(value) ? `[${value.map(canonical).join(",")}]` : JSON.stringify(value);
};

/** The path element of a list item: by its keys for list maps, by its value for sets. */
function itemElement(schema: ListNode, item: unknown): string {
  if (schema.listType === "set" || !isObject(item)) return `v:${canonical(item)}`;
  const keys: JsonObject = {};
  for (const key of schema.listKeys) {
    const node = fieldSchema(schema.items, key);
    const value = item[key] ?? node.default;
    if (value !== undefined && value !== null) keys[key] = value;
  }
  return `k:${canonical(keys)}`;
}

/** Every field that a value sets. */
export function fieldsOf(schema: SchemaNode, value: unknown): FieldSet {
  const found: Path[] = [];
  collect(schema, value, [], found);
  return FieldSet.of(found);
}

function collect(schema: SchemaNode, value: unknown, path: Path, found: Path[]): void {
  switch (shapeOf(schema, value)) {
    case "leaf":
      found.push(path);
      return;
    case "object": {
      for (const [name, field] of Object.entries(value as JsonObject)) {
        const next = [...path, `f:${name}`];
        if (isObject(field) && Object.keys(field).length === 0) found.push(next);
        else collect(fieldSchema(schema, name), field, next, found);
      }
      return;
    }
    case "list":
      for (const item of value as unknown[]) {
        const next = [...path, itemElement(schema as ListNode, item)];
        found.push(next);
        if (shapeOf((schema as ListNode).items, item) !== "leaf") collect((schema as ListNode).items, item, next, found);
      }
  }
}

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/** What changed from `before` to `after`, at every level. */
export function compare(schema: SchemaNode, before: unknown, after: unknown): Comparison {
  const added: Path[] = [];
  const modified: Path[] = [];
  const removed: Path[] = [];
  const whole = (node: SchemaNode, value: unknown, path: Path, out: Path[]): void => {
    switch (shapeOf(node, value)) {
      case "leaf":
        out.push(path);
        return;
      case "object":
        // A struct that Go always writes is no addition of its own; only what is in it is.
        if (!(node.type === "object" && node.implicit && Object.keys(value as JsonObject).length > 0)) out.push(path);
        for (const [name, field] of Object.entries(value as JsonObject)) whole(fieldSchema(node, name), field, [...path, `f:${name}`], out);
        return;
      case "list":
        if (!(node as ListNode).implicit) out.push(path);
        for (const item of value as unknown[]) {
          const next = [...path, itemElement(node as ListNode, item)];
          out.push(next);
          whole((node as ListNode).items, item, next, out);
        }
    }
  };
  const walk = (node: SchemaNode, left: unknown, right: unknown, path: Path): void => {
    if (left === undefined && right === undefined) return;
    if (left === undefined) return whole(node, right, path, added);
    if (right === undefined) return whole(node, left, path, removed);
    const shape = shapeOf(node, left);
    if (shape !== shapeOf(node, right) || shape === "leaf") {
      if (canonical(left) !== canonical(right)) modified.push(path);
      return;
    }
    if (shape === "object") {
      const a = left as JsonObject;
      const b = right as JsonObject;
      for (const name of new Set([...Object.keys(a), ...Object.keys(b)]))
        walk(fieldSchema(node, name), a[name], b[name], [...path, `f:${name}`]);
      return;
    }
    const list = node as ListNode;
    const a = byElement(list, left as unknown[]);
    const b = byElement(list, right as unknown[]);
    for (const element of new Set([...a.keys(), ...b.keys()])) walkItem(list, a.get(element), b.get(element), [...path, element]);
  };
  const walkItem = (list: ListNode, left: unknown, right: unknown, path: Path): void => {
    if (left === undefined) {
      added.push(path);
      whole(list.items, right, path, added);
    } else if (right === undefined) {
      removed.push(path);
      whole(list.items, left, path, removed);
    } else walk(list.items, left, right, path);
  };
  walk(schema, before, after, []);
  return { added: FieldSet.of(added), modified: FieldSet.of(modified), removed: FieldSet.of(removed) };
}

const byElement = (schema: ListNode, list: readonly unknown[]) => new Map(list.map((item) => [itemElement(schema, item), item]));

/** Puts an applied configuration over a live object: what it names wins, everything else stays. */
export function merge(schema: SchemaNode, live: unknown, config: unknown): unknown {
  if (config === undefined) return live;
  if (live === undefined || live === null) return config;
  const shape = shapeOf(schema, config);
  if (shape === "leaf" || shape !== shapeOf(schema, live)) return config;
  if (shape === "object") {
    const merged: JsonObject = { ...(live as JsonObject) };
    for (const [name, field] of Object.entries(config as JsonObject)) merged[name] = merge(fieldSchema(schema, name), merged[name], field);
    return merged;
  }
  const list = schema as ListNode;
  const applied = byElement(list, config as unknown[]);
  const present = byElement(list, live as unknown[]);
  return mergeOrder([...present.keys()], [...applied.keys()]).map((element) =>
    merge(list.items, present.get(element), applied.get(element)),
  );
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

/** A copy without the given fields; parents that become empty by it go too. */
export function removeFields(schema: SchemaNode, value: unknown, fields: FieldSet): unknown {
  const prune = (node: SchemaNode, current: unknown, path: Path): unknown => {
    const shape = shapeOf(node, current);
    if (shape === "leaf") return current;
    if (shape === "object") {
      const kept: JsonObject = {};
      let removedAny = false;
      for (const [name, field] of Object.entries(current as JsonObject)) {
        const next = [...path, `f:${name}`];
        const rest = fields.has(next) ? undefined : prune(fieldSchema(node, name), field, next);
        if (rest === undefined) removedAny = true;
        else kept[name] = rest;
      }
      return removedAny && Object.keys(kept).length === 0 ? undefined : kept;
    }
    const list = node as ListNode;
    const kept = (current as unknown[])
      .map((item) => {
        const next = [...path, itemElement(list, item)];
        return fields.has(next) ? undefined : prune(list.items, item, next);
      })
      .filter((item) => item !== undefined);
    return kept.length === 0 && (current as unknown[]).length > 0 ? undefined : kept;
  };
  return prune(schema, value, []) ?? {};
}
