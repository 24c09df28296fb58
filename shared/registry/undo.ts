/** What admission did elsewhere for a write, and takes back when the write does not happen. */
import { OutcomeUnknownError } from "../store/store.ts";

export interface Undo {
  add(takeBack: () => Promise<void>): void;
  /** Takes everything back, the last first. Nothing is left to take back after that. */
  all(): Promise<void>;
  /** The same, unless the write may have happened after all. */
  after(error: unknown): Promise<void>;
}

export function undoList(): Undo {
  const steps: (() => Promise<void>)[] = [];
  const all = async (): Promise<void> => {
    for (const takeBack of steps.splice(0).toReversed()) await takeBack();
  };
  return {
    add: (takeBack) => void steps.push(takeBack),
    all,
    after: async (error) => {
      if (!mayHaveHappened(error)) await all();
    },
  };
}

const mayHaveHappened = (error: unknown): boolean =>
  error instanceof OutcomeUnknownError || (error instanceof Error && error.cause instanceof OutcomeUnknownError);
