/**
 * JSON patch (RFC 6902) with the manners of the library that Kubernetes uses: `replace` creates a missing field, negative indices
 * count from the end, a test of null passes for what is absent.
 */
import { badRequest, StatusError } from "../../errors/status-error.ts";
import { maxJsonDepth } from "../json.ts";
import { copyOf, field, isEqual, isObject, setField } from "./values.ts";

/** More operations than that in one patch are refused. */
export const maxJsonPatchOperations = 10_000;

/** How many bytes all `copy` operations of a patch may add. */
const maxCopiedBytes = 3 * 1024 * 1024;

/** Why an operation does not apply. */
class Inapplicable extends Error {}

/**
 * The patched value; target and operations stay as they are.
 * @throws {StatusError} BadRequest for what is no JSON patch, RequestEntityTooLarge for too many operations, Invalid for one that
 *   does not apply
 */
export function applyJsonPatch(target: unknown, operations: unknown): unknown {
  if (!Array.isArray(operations) || !operations.every(isObject)) {
    throw badRequest("error decoding patch: a JSON patch is a list of operations");
  }
  if (operations.length > maxJsonPatchOperations) {
    throw new StatusError(
      "RequestEntityTooLarge",
      `Request entity too large: The allowed maximum operations in a JSON patch is ${maxJsonPatchOperations}, got ${operations.length}`,
    );
  }
  const document = new Document(copyOf(target));
  try {
    for (const operation of operations) document.apply(operation);
  } catch (error) {
    if (!(error instanceof Inapplicable)) throw error;
    // Without details, kubectl shows no message.
    throw new StatusError("Invalid", `the server rejected our request due to an error in our request: ${error.message}`, {
      details: {},
      cause: error,
    });
  }
  return document.root;
}

/** An object or list, and the last part of a path that leads into it. */
interface Place {
  readonly container: unknown;
  readonly key: string;
}

class Document {
  root: unknown;
  #copiedBytes = 0;

  constructor(root: unknown) {
    this.root = root;
  }

  apply(operation: Readonly<Record<string, unknown>>): void {
    const { op } = operation;
    switch (op) {
      case "add":
        return this.#add(pathOf(operation, "path", "add"), copyOf(operation["value"] ?? null));
      case "remove":
        return this.#remove(pathOf(operation, "path", "remove"));
      case "replace":
        return this.#replace(pathOf(operation, "path", "replace"), copyOf(operation["value"] ?? null));
      case "move":
        return this.#move(pathOf(operation, "from", "move"), pathOf(operation, "path", "move"));
      case "copy":
        return this.#copy(pathOf(operation, "from", "copy"), pathOf(operation, "path", "copy"));
      case "test":
        return this.#test(pathOf(operation, "path", "test"), operation["value"] ?? null);
      default:
        throw new Inapplicable(`Unexpected kind: ${typeof op === "string" ? op : "unknown"}`);
    }
  }

  #place(path: string, missing: string): Place {
    const parts = path.split("/").slice(1).map(unescapePart);
    if (parts.length > maxJsonDepth) throw new Inapplicable("exceeded max depth");
    const key = parts.pop();
    let container = this.root;
    for (const part of parts) container = existing(container, part);
    if (key === undefined || (!isObject(container) && !Array.isArray(container))) throw new Inapplicable(missing);
    return { container, key };
  }

  #add(path: string, value: unknown): void {
    const { container, key } = this.#place(path, `add operation does not apply: doc is missing path: "${path}": missing value`);
    within(`error in add for path: '${path}'`, () => insert(container, key, value));
  }

  #remove(path: string): void {
    const { container, key } = this.#place(path, `remove operation does not apply: doc is missing path: "${path}": missing value`);
    within(`error in remove for path: '${path}'`, () => remove(container, key));
  }

  #replace(path: string, value: unknown): void {
    if (path === "") {
      if (!isObject(value) && !Array.isArray(value)) throw new Inapplicable("replace operation value must be object or array");
      this.root = value;
      return;
    }
    const { container, key } = this.#place(path, `replace operation does not apply: doc is missing path: ${path}: missing value`);
    if (Array.isArray(container)) {
      container[within(`replace operation does not apply: doc is missing key: ${path}`, () => indexIn(container, key))] = value;
    } else setField(container as Record<string, unknown>, key, value);
  }

  #move(from: string, path: string): void {
    const source = this.#place(from, `move operation does not apply: doc is missing from path: ${from}: missing value`);
    const value = within(`error in move for path: '${source.key}'`, () => {
      const moved = read(source.container, source.key);
      remove(source.container, source.key);
      return moved;
    });
    const place = this.#place(path, `move operation does not apply: doc is missing destination path: ${path}: missing value`);
    within(`error in move for path: '${path}'`, () => insert(place.container, place.key, value));
  }

  #copy(from: string, path: string): void {
    const source = this.#place(from, `copy operation does not apply: doc is missing from path: ${from}: missing value`);
    const value = within(`error in copy for from: '${from}'`, () => read(source.container, source.key));
    const place = this.#place(path, `copy operation does not apply: doc is missing destination path: ${path}: missing value`);
    this.#copiedBytes += Buffer.byteLength(JSON.stringify(value ?? null));
    if (this.#copiedBytes > maxCopiedBytes) {
      throw new Inapplicable(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${maxCopiedBytes}`,
      );
    }
    within("error while adding value during copy", () => insert(place.container, place.key, copyOf(value ?? null)));
  }

  #test(path: string, expected: unknown): void {
    let actual = this.root;
    if (path !== "") {
      const { container, key } = this.#place(path, `test operation does not apply: is missing path: ${path}: missing value`);
      actual = within(`error in test for path: '${path}'`, () => read(container, key)) ?? null;
    }
    if (!isEqual(actual, expected)) throw new Inapplicable(`testing value ${path} failed: test failed`);
  }
}

function pathOf(operation: Readonly<Record<string, unknown>>, name: "path" | "from", op: string): string {
  const path = operation[name];
  if (typeof path !== "string") throw new Inapplicable(`${op} operation failed to decode ${name}: missing value`);
  return path;
}

const unescapePart = (part: string): string => part.replaceAll("~1", "/").replaceAll("~0", "~");

/** Says what was being done when something failed. */
function within<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Inapplicable) throw new Inapplicable(`${what}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** On the way down nothing is an error yet: what is missing turns out to be no container. */
function existing(container: unknown, part: string): unknown {
  if (isObject(container)) return field(container, part);
  if (!Array.isArray(container)) return undefined;
  const index = arrayIndex(part);
  return index === undefined ? undefined : container.at(index);
}

function read(container: unknown, key: string): unknown {
  return Array.isArray(container) ? container[indexIn(container, key)] : field(container as Record<string, unknown>, key);
}

function insert(container: unknown, key: string, value: unknown): void {
  if (!Array.isArray(container)) {
    setField(container as Record<string, unknown>, key, value);
    return;
  }
  if (key === "-") {
    container.push(value);
    return;
  }
  const index = arrayIndex(key);
  if (index === undefined) throw new Inapplicable(`value was not a proper array index: '${key}'`);
  const size = container.length + 1;
  if (index >= size || index < -size) throw new Inapplicable(`Unable to access invalid index: ${index}: invalid index referenced`);
  container.splice(index < 0 ? index + size : index, 0, value);
}

function remove(container: unknown, key: string): void {
  if (Array.isArray(container)) {
    container.splice(indexIn(container, key), 1);
    return;
  }
  const object = container as Record<string, unknown>;
  if (!Object.hasOwn(object, key)) throw new Inapplicable(`Unable to remove nonexistent key: ${key}: missing value`);
  delete object[key];
}

const arrayIndex = (text: string): number | undefined => (/^[-+]?\d+$/.test(text) ? Number(text) : undefined);

function indexIn(list: readonly unknown[], key: string): number {
  const index = arrayIndex(key);
  if (index === undefined) throw new Inapplicable(`value was not a proper array index: '${key}'`);
  if (index >= list.length || index < -list.length)
    throw new Inapplicable(`Unable to access invalid index: ${index}: invalid index referenced`);
  return index < 0 ? index + list.length : index;
}
