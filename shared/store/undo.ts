/**
 * Reverse patches: what turns an object's new state back into the old one (rule 19). Small for the usual update, exact for any.
 */

/** Turns one value into another. */
export type Undo =
  /** The other value, whole. */
  | { readonly v: unknown }
  /** Members that differ, and members that the other value does not have. */
  | { readonly o: Readonly<Record<string, Undo>>; readonly d?: readonly string[] }
  /** Elements that differ, by index, of a list of the same length. */
  | { readonly e: readonly (readonly [number, Undo])[] }
  /** A list of another length: so many elements kept in front, so many at the end, and these between. */
  | { readonly h: number; readonly t: number; readonly m: readonly unknown[] };

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !JSON.isRawJSON(value);

/** The patch that makes `to` out of `from`; undefined when they are equal. Both are JSON values. */
export function undoOf(from: unknown, to: unknown): Undo | undefined {
  if (from === to) return undefined;
  if (Array.isArray(from) && Array.isArray(to)) return listUndo(from, to);
  if (isMembers(from) && isMembers(to)) return memberUndo(from, to);
  if (JSON.isRawJSON(from) && JSON.isRawJSON(to) && from.rawJSON === to.rawJSON) return undefined;
  return { v: to };
}

function memberUndo(from: Members, to: Members): Undo | undefined {
  const changed: [string, Undo][] = [];
  for (const [name, value] of Object.entries(to)) {
    const undo = Object.hasOwn(from, name) ? undoOf(from[name], value) : { v: value };
    if (undo) changed.push([name, undo]);
  }
  const dropped = Object.keys(from).filter((name) => !Object.hasOwn(to, name));
  if (changed.length === 0 && dropped.length === 0) return undefined;
  return { o: Object.fromEntries(changed), ...(dropped.length > 0 && { d: dropped }) };
}

function listUndo(from: readonly unknown[], to: readonly unknown[]): Undo | undefined {
  if (from.length === to.length) {
    const changed = to.flatMap((value, index) => {
      const undo = undoOf(from[index], value);
      return undo ? [[index, undo] as const] : [];
    });
    return changed.length === 0 ? undefined : { e: changed };
  }
  const shorter = Math.min(from.length, to.length);
  let head = 0;
  while (head < shorter && undoOf(from[head], to[head]) === undefined) head++;
  let tail = 0;
  while (tail < shorter - head && undoOf(from[from.length - 1 - tail], to[to.length - 1 - tail]) === undefined) tail++;
  return { h: head, t: tail, m: to.slice(head, to.length - tail) };
}

/** Applies a patch. Shares what did not change with `from`, and changes neither. */
export function applyUndo(from: unknown, undo: Undo): unknown {
  if ("v" in undo) return undo.v;
  if ("e" in undo) {
    const list = [...(from as readonly unknown[])];
    for (const [index, inner] of undo.e) list[index] = applyUndo(list[index], inner);
    return list;
  }
  if ("h" in undo) {
    const list = from as readonly unknown[];
    return [...list.slice(0, undo.h), ...undo.m, ...list.slice(list.length - undo.t)];
  }
  const dropped = new Set(undo.d);
  const kept = Object.entries(from as Members).filter(([name]) => !dropped.has(name));
  const members = Object.fromEntries(kept);
  for (const [name, inner] of Object.entries(undo.o)) define(members, name, applyUndo(members[name], inner));
  return members;
}

/** A member named `__proto__` is an ordinary member in JSON. */
function define(members: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
  else members[name] = value;
}
