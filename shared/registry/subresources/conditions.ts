/** Conditions in a status: one per type, whose transition time moves only when its status does. */

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string | undefined;
}

/** The conditions with this one in place of the one of its type. */
export function withCondition<T extends Condition>(conditions: readonly T[], next: T): T[] {
  const index = conditions.findIndex(({ type }) => type === next.type);
  const previous = conditions[index];
  if (previous === undefined) return [...conditions, next];
  const kept =
    previous.status === next.status && previous.lastTransitionTime ? { ...next, lastTransitionTime: previous.lastTransitionTime } : next;
  return conditions.toSpliced(index, 1, kept);
}
