/** A request whose kind is known, and what handling it needs. */
import type { Kind } from "../api/kind.ts";
import type { ObjectKey } from "../api/objects.ts";
import type { Authenticator, Authorizer } from "../auth/auth.ts";
import type { StatusError } from "../errors/status-error.ts";
import type { Registry, RequestContext } from "../registry/registry.ts";
import type { Clock } from "../runtime/clock.ts";
import type { HealthCheck } from "./health.ts";
import type { Metrics } from "./metrics.ts";
import type { PodLogs } from "./pod-logs.ts";
import type { RequestInfo, ResourcePath } from "./request-info.ts";
import type { WatchBudget } from "./watch-budget.ts";

/** One request on its way. */
export interface Exchange {
  readonly request: Request;
  readonly query: URLSearchParams;
  readonly info: RequestInfo;
  readonly resource: ResourcePath;
  /** Its signal ends with the client or the request's deadline. */
  readonly context: RequestContext;
  readonly remainingMs: number | undefined;
}

export interface ResourceOptions {
  readonly registry: Registry;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly checks: readonly HealthCheck[];
  readonly watchBudget: WatchBudget;
  readonly metrics: Metrics;
  readonly podLogs: PodLogs | undefined;
  readonly toStatusError: (error: unknown) => StatusError;
}

export interface KindRequest extends Exchange {
  readonly kind: Kind;
  readonly options: ResourceOptions;
}

/** The object that the path names. */
export const keyIn = ({ resource, kind }: KindRequest): ObjectKey => ({ namespace: namespaceIn({ resource, kind }), name: resource.name });

/** Empty for cluster-scoped kinds: the path of a Namespace names it as namespace and as object. */
export const namespaceIn = ({ resource, kind }: Pick<KindRequest, "resource" | "kind">): string =>
  kind.namespaced ? resource.namespace : "";
