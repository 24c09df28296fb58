/** Equality as the API means it: what a typed object would not tell apart is the same. */

/** Absent, null, an empty list, map or text, false and 0. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.values(value).every(isNothing);
}

/**
 * Whether two JSON values mean the same: a field that is absent equals one that holds nothing, and the order of keys does not
 * matter. Both sides are taken to be defaulted and canonical already (quantities, times).
 */
export function semanticallyEqual(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (typeof left === "string" && typeof right === "string" && left !== "" && right !== "") return false;
  if (isNothing(left) || isNothing(right)) return isNothing(left) && isNothing(right);
  if (typeof left !== "object" || typeof right !== "object" || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) {
    if (!Array.isArray(left) || !Array.isArray(right) || left.length !== right.length) return false;
    return left.every((item, index) => semanticallyEqual(item, right[index]));
  }
  const a = left as Record<string, unknown>;
  const b = right as Record<string, unknown>;
  for (const key of Object.keys(a)) if (!semanticallyEqual(a[key], Object.hasOwn(b, key) ? b[key] : undefined)) return false;
  for (const key of Object.keys(b)) if (!Object.hasOwn(a, key) && !isNothing(b[key])) return false;
  return true;
}

/** Whether two maps of texts have the same entries: an empty text is one, too. An absent map has none. */
export function sameEntries(left: Readonly<Record<string, string>> = {}, right: Readonly<Record<string, string>> = {}): boolean {
  const names = Object.keys(left);
  return names.length === Object.keys(right).length && names.every((name) => Object.hasOwn(right, name) && left[name] === right[name]);
}
