/** The world moved between look and write. */
import { StatusError } from "../errors/status-error.ts";

/** Look again, do not complain: somebody else was faster. */
export const isLostRace = (error: unknown): boolean =>
  error instanceof StatusError && (error.reason === "Conflict" || error.reason === "AlreadyExists" || error.reason === "NotFound");
