/** Conditions in an object's status. */

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string | undefined;
  readonly message?: string | undefined;
}

export const conditionOf = <T extends Condition>(conditions: readonly T[] | undefined, type: string): T | undefined =>
  conditions?.find((condition) => condition.type === type);

export const withoutCondition = <T extends Condition>(conditions: readonly T[], type: string): T[] =>
  conditions.filter((condition) => condition.type !== type);

/** A time as Kubernetes writes it: whole seconds. */
export const timestamp = (time: Date): string => `${time.toISOString().slice(0, 19)}Z`;
