/** A store to be simulated: the shipped one, or one that was built from changed sources. */
import { openStore } from "../../../shared/store/open-store.ts";
import { ThrottledError, UnknownOutcomeError } from "../../../shared/store/table.ts";

/** What a simulation needs of a build. Each build has error classes of its own, and knows no others. */
export interface StoreBuild {
  readonly openStore: typeof openStore;
  readonly ThrottledError: new (message: string) => Error;
  readonly UnknownOutcomeError: new (message: string) => Error;
}

export const shippedStore: StoreBuild = { openStore, ThrottledError, UnknownOutcomeError };
