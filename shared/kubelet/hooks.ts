/**
 * How lifecycle hooks travel: from the Pod to whoever runs them beside (or in) the containers. That takes a process inside the user's own
 * container, so for now only engines that do the helper's work themselves have them.
 */
import type { ProbeSpec } from "./probes.ts";

/** The container label of a task definition that carries {@link ContainerHooks} as JSON. */
export const hooksLabel = "binnacle.dev/hooks";

/** Ports are resolved. */
export type HookAction = Extract<ProbeSpec["action"], { type: "exec" | "httpGet" }> | { readonly type: "sleep"; readonly seconds: number };

export interface ContainerHooks {
  /** When the container has started, before its probes begin. A container whose hook fails is ended. */
  readonly postStart?: HookAction;
  /** Before it is told to end. Its time is part of the container's `stopTimeout`; how it ends does not matter. */
  readonly preStop?: HookAction;
}
