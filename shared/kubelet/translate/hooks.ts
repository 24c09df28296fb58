/** Lifecycle hooks with ports resolved, for whoever runs them. */
import type { Container, LifecycleHandler } from "../../api/generated/types.ts";
import type { EngineFeatures } from "../engine-features.ts";
import type { ContainerHooks, HookAction } from "../hooks.ts";
import { translateAction } from "./probes.ts";
import type { Findings } from "./problems.ts";

export function translateHooks(
  container: Container,
  field: string,
  features: EngineFeatures,
  findings: Findings,
): ContainerHooks | undefined {
  const { postStart, preStop } = container.lifecycle ?? {};
  const one = (handler: LifecycleHandler | undefined, name: string): HookAction | undefined => {
    if (!handler) return undefined;
    const at = `${field}.lifecycle.${name}`;
    if (features.hooks) return translateHook(handler, container, at, findings);
    findings.refuse(at, "hooks cannot be run inside the container");
    return undefined;
  };
  const hooks = { postStart: one(postStart, "postStart"), preStop: one(preStop, "preStop") };
  if (!hooks.postStart && !hooks.preStop) return undefined;
  return { ...(hooks.postStart && { postStart: hooks.postStart }), ...(hooks.preStop && { preStop: hooks.preStop }) };
}

function translateHook(handler: LifecycleHandler, container: Container, field: string, findings: Findings): HookAction | undefined {
  if (handler.sleep) return { type: "sleep", seconds: handler.sleep.seconds };
  const action = translateAction(handler, container, field, findings);
  if (action?.type === "exec" || action?.type === "httpGet") return action;
  if (handler.tcpSocket) findings.refuse(`${field}.tcpSocket`, "hooks that only open a connection are not run, as in Kubernetes");
  return undefined;
}
