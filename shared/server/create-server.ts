/** The Kubernetes API over HTTP: web-standard Request in, Response out. */
import { randomUUID } from "node:crypto";
import { type Authenticator, type Authorizer, anonymous, type UserInfo } from "../auth/auth.ts";
import { impersonate } from "../auth/impersonation.ts";
import type { Registry } from "../registry/registry.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Log } from "../runtime/log.ts";
import { attributesOf, requireAllowed } from "./authorization.ts";
import { objectResponse, writing } from "./encode.ts";
import { methodNotAllowed, pageNotFound, statusResponseFor, timedOut, tooManyRequests, toStatusError } from "./errors.ts";
import { type HealthCheck, healthResponse } from "./health.ts";
import { json } from "./media-types.ts";
import { createMetrics } from "./metrics.ts";
import type { OpenApi } from "./openapi/serve.ts";
import { type OpenIdOptions, openIdPaths, openIdResponse } from "./openid.ts";
import type { PodLogs } from "./pod-logs.ts";
import { durationMs } from "./query.ts";
import { processRequestBudget, type RequestBudget, usualRequestBudget } from "./request-budget.ts";
import { type RequestInfo, requestInfo } from "./request-info.ts";
import { resourceHandler } from "./resources.ts";
import { versionDocument } from "./version.ts";
import { warningHeaders } from "./warnings.ts";
import { processWatchBudget, type WatchBudget } from "./watch-budget.ts";

/** A request that neither watches nor follows ends after this long. */
const requestMs = 60_000;
/** Left of the function's own time to send an answer that says that time is up. */
const answerMarginMs = 2000;
const defaultMaxOpenWatches = 1000;

export interface ServerOptions {
  readonly registry: Registry;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Log;
  /** Binnacle's version. */
  readonly version: string;
  /** URL under which clients reach this server, for discovery. */
  readonly publicUrl?: string | undefined;
  /** Absent: `kubectl logs` is answered with 404. */
  readonly podLogs?: PodLogs | undefined;
  /** Absent: tokens are not issued, and there is nothing to say about them. */
  readonly openId?: OpenIdOptions;
  /** What must work for the server to be ready. */
  readonly checks?: readonly HealthCheck[];
  /** Default: 1000 per cluster and user in this process. */
  readonly watchBudget?: WatchBudget;
  /** Default: what a Kubernetes API server allows. */
  readonly requestBudget?: RequestBudget;
  /** What else `/metrics` shows, in Prometheus' text format. */
  readonly moreMetrics?: () => string;
  readonly newId?: () => string;
}

export interface FetchOptions {
  /** Aborts when the client is gone. */
  readonly signal?: AbortSignal;
  /** What is left of the time that the function has for this request. */
  readonly remainingMs?: () => number;
}

export interface Server {
  /** Never rejects: failures are responses. */
  fetch(request: Request, options?: FetchOptions): Promise<Response>;
}

export function createServer(options: ServerOptions): Server {
  const { registry, authenticator, authorizer, clock, log, publicUrl, checks = [], newId = randomUUID } = options;
  const requestBudget = options.requestBudget ?? processRequestBudget(usualRequestBudget);
  const metrics = createMetrics({ inFlight: (kind) => requestBudget.inFlight(kind) });
  let openApi: OpenApi | undefined;
  const resources = resourceHandler({
    registry,
    authenticator,
    authorizer,
    clock,
    checks,
    metrics,
    podLogs: options.podLogs,
    watchBudget: options.watchBudget ?? processWatchBudget({ maxOpenWatches: defaultMaxOpenWatches }),
    toStatusError: (error) => toStatusError(error, log, {}),
  });

  /** Who asks, and on whose behalf. */
  async function identify(request: Request, info: RequestInfo): Promise<UserInfo> {
    const asked = await authenticator.authenticate({ headers: request.headers, cluster: info.cluster });
    const user = asked ?? anonymous;
    return impersonate(user, request.headers, (attributes) => requireAllowed(authorizer, user, attributes, info.cluster));
  }

  async function answer(request: Request, url: URL, info: RequestInfo, auditId: string, fetchOptions: FetchOptions, warnings: string[]) {
    const user = await identify(request, info);
    await requireAllowed(authorizer, user, attributesOf(info), info.cluster);

    const remainingMs = fetchOptions.remainingMs?.();
    const handle = (signal: AbortSignal): Promise<Response> => {
      const context = {
        cluster: info.cluster,
        user,
        userAgent: request.headers.get("user-agent") ?? "",
        auditId,
        signal,
        warnings,
      };
      if (info.resource) return resources({ request, query: url.searchParams, info, resource: info.resource, context, remainingMs });
      return path(request, url, info);
    };
    const client = fetchOptions.signal;
    const longRunning = info.verb === "watch" || info.resource?.subresource === "log";
    if (longRunning) return handle(client ?? new AbortController().signal);
    // Whoever looks after the server must see it when it is full, too.
    const leave = isUpkeep(info) ? () => {} : requestBudget.enter(info.cluster, user.username, isRead(info) ? "read" : "write");
    if (!leave) throw tooManyRequests("Too many requests, please try again later.", 1);
    try {
      return await withinTime(handle, client, deadlineMs(url.searchParams, remainingMs));
    } finally {
      leave();
    }
  }

  /** Everything that is no resource. */
  async function path(request: Request, url: URL, info: RequestInfo): Promise<Response> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      if (/^\/(?:apis?|version)(?:\/|$)/.test(info.path)) throw methodNotAllowed();
      return pageNotFound();
    }
    const query = url.searchParams;
    const health = await healthResponse(info.path, query, checks, log);
    if (health) return health;
    switch (info.path) {
      case "/":
        return objectResponse({ paths: await rootPaths(info) }, 200, writing(request, query, json));
      case "/version":
        return objectResponse(versionDocument(options.version), 200, { ...writing(request, query, json), pretty: true });
      case "/metrics":
        return new Response(`${metrics.text()}${options.moreMetrics?.() ?? ""}`, {
          headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
        });
    }
    if (options.openId) {
      const base = `${(publicUrl ?? new URL(request.url).origin).replace(/\/$/, "")}${info.prefix}`;
      const openId = await openIdResponse(info.path, info.cluster, base, options.openId);
      if (openId) return openId;
    }
    const [first] = info.path.split("/").slice(1);
    if (first !== "api" && first !== "apis" && first !== "openapi") return pageNotFound();
    const catalog = await registry.catalog(info.cluster, { fresh: true });
    const { createOpenApi, discoveryResponse } = await import("./less-often.ts");
    if (first === "openapi") {
      openApi ??= createOpenApi({ clock, openId: options.openId !== undefined });
      return (await openApi.response(info.path, catalog, request, query)) ?? pageNotFound();
    }
    return (await discoveryResponse(info.path, catalog, request, query, serverAddress(request, publicUrl))) ?? pageNotFound();
  }

  async function rootPaths(info: RequestInfo): Promise<string[]> {
    const kinds = (await registry.catalog(info.cluster)).all();
    const versions = kinds.flatMap(({ group, version }) => (group ? [`/apis/${group}`, `/apis/${group}/${version}`] : [`/api/${version}`]));
    const fixed = ["/api", "/apis", "/healthz", "/livez", "/readyz", "/metrics", "/openapi/v2", "/openapi/v3", "/version"];
    const openId = options.openId ? Object.values(openIdPaths) : [];
    const subChecks = ["/healthz", "/readyz"].flatMap((endpoint) => checks.map(({ name }) => `${endpoint}/${name}`));
    return [...new Set([...fixed, ...openId, ...subChecks, ...versions])].sort();
  }

  async function withinTime(
    handle: (signal: AbortSignal) => Promise<Response>,
    client: AbortSignal | undefined,
    ms: number,
  ): Promise<Response> {
    const deadline = new AbortController();
    const finished = new AbortController();
    const timeUp = clock.sleep(ms, finished.signal).then(() => {
      const error = timedOut("request did not complete within requested timeout - context deadline exceeded");
      deadline.abort(error);
      throw error;
    });
    // The answer usually comes first; then nobody waits for the clock.
    timeUp.catch(() => {});
    try {
      return await Promise.race([handle(client ? AbortSignal.any([client, deadline.signal]) : deadline.signal), timeUp]);
    } finally {
      // With a reason of its own: the default one is an exception whose stack nobody reads.
      finished.abort("answered");
    }
  }

  return {
    async fetch(request, fetchOptions = {}) {
      const began = clock.now();
      const auditId = (request.headers.get("audit-id") ?? "").slice(0, 64) || newId();
      const warnings: string[] = [];
      let info: RequestInfo | undefined;
      let response: Response;
      try {
        const url = new URL(request.url);
        info = requestInfo(request.method, url.pathname, url.searchParams);
        response = await answer(request, url, info, auditId, fetchOptions, warnings);
      } catch (error) {
        const facts = { auditId, method: request.method, path: info?.path, cluster: info?.cluster };
        response = statusResponseFor(request.headers.get("accept"), toStatusError(error, log, facts).toStatus());
      }
      response.headers.set("audit-id", auditId);
      if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-cache, private");
      for (const warning of warningHeaders(warnings)) response.headers.append("warning", warning);
      const { resource, verb = "" } = info ?? {};
      metrics.request({
        verb,
        // Names that nobody checked would let a stranger fill this process' memory.
        resource: resource && response.ok ? `${resource.plural}${resource.group ? `.${resource.group}` : ""}` : "",
        code: response.status,
        seconds: (clock.now().getTime() - began.getTime()) / 1000,
      });
      return response;
    },
  };
}

const isRead = ({ verb }: RequestInfo): boolean => verb === "get" || verb === "list" || verb === "head";

const upkeepPaths = new Set(["healthz", "livez", "readyz", "metrics"]);
const isUpkeep = ({ path }: RequestInfo): boolean => upkeepPaths.has(path.split("/")[1] ?? "");

/** @throws {StatusError} BadRequest for a malformed `timeout` */
function deadlineMs(query: URLSearchParams, remainingMs: number | undefined): number {
  const text = query.get("timeout");
  const asked = text ? durationMs(text) : 0;
  const wanted = asked > 0 ? Math.min(asked, requestMs) : requestMs;
  return remainingMs === undefined ? wanted : Math.max(0, Math.min(wanted, remainingMs - answerMarginMs));
}

/** `HOST:PORT`, always with a port. */
function serverAddress(request: Request, publicUrl: string | undefined): string {
  const url = new URL(publicUrl ?? request.url);
  return `${url.hostname}:${url.port || (url.protocol === "http:" ? "80" : "443")}`;
}
