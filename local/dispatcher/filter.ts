/**
 * FilterCriteria of an event source mapping: which records reach the function at all.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
 */

/** What a leaf may be: values, of which one must equal it, or a rule. */
type LeafRule =
  | string
  | number
  | boolean
  | null
  | { readonly exists: boolean }
  | { readonly prefix: string }
  | { readonly "anything-but": readonly (string | number)[] };

export interface Pattern {
  readonly [member: string]: Pattern | readonly LeafRule[];
}

/** Whether every member of the pattern holds; members that the pattern does not name are free. */
export function matches(pattern: Pattern, value: unknown): boolean {
  return Object.entries(pattern).every(([member, wanted]) => {
    const found = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[member] : undefined;
    return isRules(wanted) ? wanted.some((rule) => matchesRule(rule, found)) : matches(wanted, found);
  });
}

const isRules = (wanted: Pattern | readonly LeafRule[]): wanted is readonly LeafRule[] => Array.isArray(wanted);

function matchesRule(rule: LeafRule, found: unknown): boolean {
  if (typeof rule !== "object" || rule === null) return found === rule;
  // `exists` is about leaves only: a structure does not count as there.
  if ("exists" in rule) return rule.exists === (found !== undefined && (typeof found !== "object" || found === null));
  if ("prefix" in rule) return typeof found === "string" && found.startsWith(rule.prefix);
  return (typeof found === "string" || typeof found === "number") && !rule["anything-but"].includes(found);
}
