/**
 * Strategic merge patch: a merge patch that knows from the schema which lists are merged by a key, and takes directives for the rest.
 *
 * - `$patch: replace` in an object replaces it, in an item it replaces the whole list by the other items; `$patch: delete` in an
 *   object empties it, in an item it removes the item with the same merge key
 * - `$retainKeys: [...]` clears the fields that it does not name
 * - `$deleteFromPrimitiveList/finalizers: [...]` removes values from a list of scalars
 * - `$setElementOrder/containers: [...]` orders a list; items that only the server has keep their place relative to their neighbours
 *
 * @see k8s.io/apimachinery/pkg/util/strategicpatch, whose results are matched
 */
import { badRequest, StatusError } from "../../errors/status-error.ts";
import type { JsonObject } from "../objects.ts";
import type { ListNode, SchemaNode } from "../schema.ts";
import { orderItems } from "./element-order.ts";
import { copyOf, field, isObject, scalarKey, setField } from "./values.ts";

const directive = "$patch";
const retainKeys = "$retainKeys";
const deleteFromList = "$deleteFromPrimitiveList";
const setElementOrder = "$setElementOrder";

/**
 * The patched object; target and patch stay as they are. Nulls delete.
 * @param schema structure of the object
 * @throws {StatusError} BadRequest for a patch that breaks the rules of its directives, Invalid for lists of lists
 */
export function applyStrategicMergePatch(target: JsonObject, patch: JsonObject, schema: SchemaNode): JsonObject {
  return mergeObject(copyOf(target), copyOf(patch), schema);
}

/** Both arguments belong to the caller, who has copied them: they are changed. */
function mergeObject(original: JsonObject, patch: JsonObject, schema: SchemaNode | undefined): JsonObject {
  const kind = field(patch, directive);
  if (kind !== undefined) {
    if (kind === "delete") return {};
    if (kind !== "replace")
      throw badRequest(`unknown patch type: ${typeof kind === "string" ? kind : JSON.stringify(kind)} in map: ${JSON.stringify(patch)}`);
    delete patch[directive];
    return patch;
  }
  applyRetainKeys(original, patch);
  applyElementOrders(original, patch, schema);

  for (const [name, change] of Object.entries(patch)) {
    const isDeletion = name.startsWith(deleteFromList);
    const key = isDeletion ? keyAfter(deleteFromList, name, "invalid patch format of primitive list") : name;
    if (change === null) {
      delete original[key];
      continue;
    }
    const value = field(original, key);
    const node = fieldSchema(schema, key);
    if (isDeletion) {
      if (Array.isArray(value) && Array.isArray(change)) original[key] = deleteScalars(value, change);
    } else if (isObject(value) && isObject(change)) {
      setField(original, key, mergeObject(value, change, node));
    } else if (Array.isArray(value) && Array.isArray(change)) {
      original[key] = mergeList(value, change, listSchema(node)).items;
    } else {
      const taken = withoutDirectives(Array.isArray(change) || isObject(change) ? withoutNulls(change) : change);
      if (taken === undefined) delete original[key];
      else setField(original, key, taken);
    }
  }
  return original;
}

function fieldSchema(schema: SchemaNode | undefined, key: string): SchemaNode | undefined {
  switch (schema?.type) {
    case "object":
      return schema.fields.get(key);
    case "map":
      return schema.values;
    case "any":
      return schema.object && fieldSchema(schema.object, key);
    default:
      return undefined;
  }
}

const listSchema = (schema: SchemaNode | undefined): ListNode | undefined => (schema?.type === "list" ? schema : undefined);

function keyAfter(prefix: string, name: string, problem: string): string {
  if (!name.startsWith(`${prefix}/`)) throw badRequest(problem);
  return name.slice(prefix.length + 1);
}

function applyRetainKeys(original: JsonObject, patch: JsonObject): void {
  const kept = field(patch, retainKeys);
  if (kept === undefined) return;
  delete patch[retainKeys];
  const problem = "invalid patch format of retainKeys";
  if (!Array.isArray(kept)) throw badRequest(problem);
  const names = new Set(kept);
  for (const [name, value] of Object.entries(patch)) {
    const isParallelList = name.startsWith(deleteFromList) || name.startsWith(setElementOrder);
    if (value !== null && !isParallelList && !names.has(name)) throw badRequest(problem);
  }
  for (const name of Object.keys(original)) if (!names.has(name)) delete original[name];
}

/** Merges the lists that come with an order, and takes them out of the patch. */
function applyElementOrders(original: JsonObject, patch: JsonObject, schema: SchemaNode | undefined): void {
  const problem = "invalid patch format of setElementOrder list";
  for (const [name, order] of Object.entries(patch)) {
    if (!name.startsWith(setElementOrder)) continue;
    delete patch[name];
    const key = keyAfter(setElementOrder, name, problem);
    const before = field(original, key);
    const change = field(patch, key);
    if (!Array.isArray(order)) throw badRequest(problem);
    if (before !== undefined && !Array.isArray(before)) throw badRequest(`${key} is no list, but has an order`);
    if (change !== undefined && !Array.isArray(change)) throw badRequest(problem);
    if (before === undefined && change === undefined) continue;

    const node = listSchema(fieldSchema(schema, key));
    const mergeKey = node?.patchMergeKey;
    if (change) checkOrder(change, order, mergeKey);
    const holdsObjects = areObjects([...(before ?? []), ...(change ?? [])]);
    const { items, live } = mergeOrAdd(before, change, node);
    original[key] = orderItems(items, { mergeKey: holdsObjects ? mergeKey : undefined, order, live });
    delete patch[key];
  }
}

interface MergedList {
  readonly items: unknown[];
  /** The list by whose order items of the server keep their places. */
  readonly live: readonly unknown[];
}

function mergeOrAdd(before: unknown[] | undefined, change: unknown[] | undefined, node: ListNode | undefined): MergedList {
  if (before === undefined) return { items: withoutDirectives(change) as unknown[], live: [] };
  return change === undefined ? { items: before, live: before } : mergeList(before, change, node);
}

/** The patch's items must appear in the order's list, and in its order. */
function checkOrder(change: readonly unknown[], order: readonly unknown[], mergeKey: string | undefined): void {
  if (change.length === 0 || order.length === 0) return;
  const isInstruction = (item: unknown) => mergeKey !== undefined && isObject(item) && field(item, directive) !== undefined;
  const items = change.filter((item) => !(isInstruction(item) && (item as JsonObject)[directive] === "delete"));
  let at = 0;
  for (let asked = 0; at < items.length && asked < order.length; ) {
    if (isInstruction(items[at])) {
      at++;
      continue;
    }
    if (itemKey(items[at], mergeKey) === itemKey(order[asked], mergeKey)) at++;
    asked++;
  }
  // Behind the end of the order not even an instruction may follow: upstream says so, and clients put their instructions first.
  if (at < items.length) {
    throw badRequest(
      `The order in patch list:\n${JSON.stringify(change)}\n doesn't match ${setElementOrder} list:\n${JSON.stringify(order)}\n`,
    );
  }
}

/** What identifies an item in its list. @throws {StatusError} BadRequest when an object lacks the merge key */
function itemKey(item: unknown, mergeKey: string | undefined): string {
  if (mergeKey === undefined) return scalarKey(item);
  if (!isObject(item)) throw badRequest(`expected a map with merge key ${mergeKey}, but received ${JSON.stringify(item)}`);
  const value = field(item, mergeKey);
  if (value === undefined) throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
  return scalarKey(value);
}

function mergeList(before: unknown[], change: unknown[], node: ListNode | undefined): MergedList {
  if (!node?.patchMerge) return { items: change, live: before };
  if (before.length === 0 && change.length === 0) return { items: before, live: before };
  if (!areObjects([...before, ...change])) {
    const merged = [...new Map([...before, ...change].map((item) => [scalarKey(item), item])).values()];
    return { items: orderItems(merged, { mergeKey: undefined, order: change, live: before }), live: before };
  }
  const mergeKey = node.patchMergeKey;
  if (mergeKey === undefined) throw badRequest("cannot merge lists without merge key");
  const { live, items, replaced } = applyItemDirectives(before, change, mergeKey);
  const places = new Map<string, number>();
  for (const [index, item] of live.entries()) {
    const key = isObject(item) ? field(item, mergeKey) : undefined;
    if (key !== undefined && !places.has(scalarKey(key))) places.set(scalarKey(key), index);
  }
  const merged = [...live];
  for (const item of items) {
    const key = itemKey(item, mergeKey);
    const place = places.get(key);
    if (place === undefined) {
      places.set(key, merged.length);
      merged.push(item);
    } else merged[place] = mergeObject(merged[place] as JsonObject, item as JsonObject, node.items);
  }
  return {
    items: orderItems(merged, { mergeKey, order: items, live }),
    // What is new takes the places of what was deleted at the end of the list, which decides where items of the server go. An accident
    // of upstream's slices, but a visible one.
    live: replaced ? before : merged.slice(0, Math.max(before.length, live.length)),
  };
}

/** Whether the items are objects. @throws {StatusError} when they are lists or differ in kind */
function areObjects(items: readonly unknown[]): boolean {
  const kinds = new Set(items.map((item) => (JSON.isRawJSON(item) ? "number" : Array.isArray(item) ? "list" : typeof item)));
  if (kinds.has("list")) {
    throw new StatusError("Invalid", "the server rejected our request due to an error in our request: lists of lists are not supported");
  }
  if (kinds.size > 1 || items.includes(null)) throw badRequest(`list element types are not identical: ${JSON.stringify(items)}`);
  return kinds.has("object");
}

interface ItemsToMerge {
  /** What is left of the list. */
  readonly live: unknown[];
  readonly items: unknown[];
  readonly replaced: boolean;
}

function applyItemDirectives(before: unknown[], change: unknown[], mergeKey: string): ItemsToMerge {
  const items: unknown[] = [];
  const deleted = new Set<string>();
  let replaced = false;
  for (const item of change as JsonObject[]) {
    switch (field(item, directive)) {
      case undefined:
        items.push(item);
        break;
      case "delete":
        deleted.add(itemKey(item, mergeKey));
        break;
      case "replace":
        replaced = true;
        break;
      case "merge":
        throw badRequest("merging lists cannot yet be specified in the patch");
      default:
        throw badRequest(`unknown patch type: ${JSON.stringify(item[directive]).replaceAll('"', "")} in map: ${JSON.stringify(item)}`);
    }
  }
  if (replaced) {
    for (const item of items) itemKey(item, mergeKey);
    return { live: items, items: [], replaced };
  }
  const isKept = (item: unknown) => !(isObject(item) && deleted.has(scalarKey(field(item, mergeKey))));
  return { live: deleted.size === 0 ? before : before.filter(isKept), items, replaced };
}

function deleteScalars(values: readonly unknown[], deleted: readonly unknown[]): unknown[] {
  const keys = new Set(deleted.map(scalarKey));
  return values.filter((value) => !keys.has(scalarKey(value)));
}

/** What is new comes without instructions to what is not there; undefined for an object that is nothing but an instruction. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined);
  if (!isObject(value)) return value;
  if (Object.hasOwn(value, directive)) return undefined;
  const result: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) {
    const kept = withoutDirectives(inner);
    if (kept !== undefined) setField(result, key, kept);
  }
  return result;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, inner] of Object.entries(value)) if (inner !== null) setField(result, key, withoutNulls(inner));
  return result;
}
