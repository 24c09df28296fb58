/**
 * The rules' language and Kubernetes' regular expressions, loaded when somebody first writes a custom resource or a definition: a
 * cluster without any starts without them.
 */
import type * as Parts from "./engine-parts.ts";

export type Engine = typeof Parts;

let loaded: Engine | undefined;

/** To be awaited before anything is checked. */
export async function loadEngine(): Promise<void> {
  loaded ??= await import("./engine-parts.ts");
}

export function engine(): Engine {
  if (loaded === undefined) throw new Error("custom resources are checked before their engine is loaded");
  return loaded;
}
