/** Equality as Kubernetes means it: what a decoder could not tell apart is the same. */

/**
 * Fields whose zero value Go leaves out when it writes them, so that `false` and absence mean the same to Kubernetes. Fields that Go
 * keeps as pointers (`runAsUser`, `automountServiceAccountToken` …) are not here: there absence has a meaning of its own.
 */
const zeroMeansAbsent: ReadonlySet<string> = new Set([
  "hostNetwork",
  "hostPID",
  "hostIPC",
  "stdin",
  "stdinOnce",
  "tty",
  "readOnly",
  "value",
  "workingDir",
  "nodeName",
  "hostname",
  "subdomain",
  "subPath",
  "subPathExpr",
  "initialDelaySeconds",
  "hostPort",
  "hostIP",
  "priorityClassName",
  "serviceAccountName",
  "serviceAccount",
]);

/** Absent, null, empty lists and empty objects are alike. The order of lists counts, that of fields does not. */
export function semanticEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (isNothing(one) || isNothing(other)) return isNothing(one) && isNothing(other);
  if (Array.isArray(one) || Array.isArray(other)) {
    if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item, index) => semanticEqual(item, other[index]));
  }
  if (typeof one !== "object" || typeof other !== "object") return false;
  const left = one as Readonly<Record<string, unknown>>;
  const right = other as Readonly<Record<string, unknown>>;
  for (const name of new Set([...Object.keys(left), ...Object.keys(right)])) {
    if (!semanticEqual(withoutZero(name, left[name]), withoutZero(name, right[name]))) return false;
  }
  return true;
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === "object" && Object.entries(value).every(([name, inner]) => isNothing(withoutZero(name, inner)));
}

const withoutZero = (name: string, value: unknown): unknown =>
  zeroMeansAbsent.has(name) && (value === false || value === "" || value === 0) ? undefined : value;
