/** A container engine that tests use, and where the engines of one test run live: see `podman.ts`. */

export interface TestEngine {
  /** `unix:///…` */
  readonly dockerHost: string;
  readonly socket: string;
  /** An image that is there already, and in the registry. */
  readonly image: string;
  /** `127.0.0.1:PORT` */
  readonly registry: string;
}

/** Set by vitest's global set-up; workers inherit it. */
export const folderVariable = "BINNACLE_TEST_ENGINES";

/** Of the whole run: what is started in it is stopped when the run ends. */
export function engineFolder(): string {
  const folder = process.env[folderVariable];
  if (!folder) throw new Error(`${folderVariable} is not set: test/support/podman.ts must be among vitest's globalSetup`);
  return folder;
}
