/** Versions of an API: which of two is to be preferred. */

/**
 * Orders versions as Kubernetes does: stable before beta before alpha, newer before older, anything else last by name.
 * @returns more than zero when `a` is to be preferred
 */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [parseVersion(a), parseVersion(b)];
  if (!x || !y) return x ? 1 : y ? -1 : a < b ? 1 : a > b ? -1 : 0;
  return x.stability - y.stability || x.major - y.major || x.minor - y.minor;
}

function parseVersion(text: string): { stability: number; major: number; minor: number } | undefined {
  const match = /^v([1-9]\d*)(?:(alpha|beta)([1-9]\d*))?$/.exec(text);
  if (!match) return undefined;
  const stability = match[2] === undefined ? 2 : match[2] === "beta" ? 1 : 0;
  return { stability, major: Number(match[1]), minor: Number(match[3] ?? 0) };
}
