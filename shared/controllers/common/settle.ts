/** Many writes at once: they share slots, and one failure does not stop the others. */
import { StatusError } from "../../errors/status-error.ts";
import { isLostRace } from "../../runtime/lost-race.ts";

export const isNotFound = (error: unknown): boolean => error instanceof StatusError && error.reason === "NotFound";

/** For `catch` after a delete: gone already is as good. */
export const unlessGone = (error: unknown): void => {
  if (!isNotFound(error)) throw error;
};

/** The namespace is going away: what fails for that reason needs no second try. */
export const isNamespaceTerminating = (error: unknown): boolean =>
  error instanceof StatusError && (error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") ?? false);

/** What went wrong, in the server's words. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : JSON.stringify(error));

export interface Settled<T> {
  readonly done: readonly T[];
  /** In the order of the writes. */
  readonly errors: readonly unknown[];
}

export async function settle<T>(writes: readonly Promise<T>[]): Promise<Settled<T>> {
  const results = await Promise.allSettled(writes);
  return {
    done: results.filter((result) => result.status === "fulfilled").map(({ value }) => value),
    errors: results.filter((result) => result.status === "rejected").map(({ reason }) => reason as unknown),
  };
}

/** All of them, or an error: a real one rather than a lost race, so that it is not overlooked. */
export async function all<T>(writes: readonly Promise<T>[]): Promise<readonly T[]> {
  const { done, errors } = await settle(writes);
  if (errors.length > 0) throw errors.find((error) => !isLostRace(error)) ?? errors[0];
  return done;
}
