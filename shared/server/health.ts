/** `/healthz`, `/livez`, `/readyz` and their sub-checks, in the words of a Kubernetes API server. */
import type { Log } from "../runtime/log.ts";
import { pageNotFound } from "./errors.ts";

export interface HealthCheck {
  /** Path segment: `store`. */
  readonly name: string;
  /** Rejects when it is not healthy. */
  check(): Promise<void>;
}

/** Says only that the process answers. */
const ping: HealthCheck = { name: "ping", check: async () => {} };

const endpoints = new Set(["healthz", "livez", "readyz"]);

/** @returns undefined when the path is no health endpoint */
export async function healthResponse(
  path: string,
  query: URLSearchParams,
  checks: readonly HealthCheck[],
  log: Log,
): Promise<Response | undefined> {
  const [, endpoint = "", ...rest] = path.split("/");
  if (!endpoints.has(endpoint)) return undefined;
  // Liveness asks whether this process should be replaced: what lies outside of it does not count.
  const all = endpoint === "livez" ? [ping] : [ping, ...checks];
  if (rest.length === 0) return rootHealth(endpoint, all, query, log);
  const one = rest.length === 1 ? all.find(({ name }) => name === rest[0]) : undefined;
  if (!one) return pageNotFound();
  const error = await failure(one);
  if (!error) return text(200, "ok");
  log.warn("health check failed", { check: one.name, error });
  return text(500, "internal server error: reason withheld\n");
}

async function rootHealth(endpoint: string, checks: readonly HealthCheck[], query: URLSearchParams, log: Log): Promise<Response> {
  const excluded = new Set(query.getAll("exclude"));
  let lines = "";
  let failed = false;
  const outcomes = await Promise.all(
    checks.map(async (check) => ({ check, error: excluded.has(check.name) ? undefined : await failure(check) })),
  );
  for (const { check, error } of outcomes) {
    if (error) {
      failed = true;
      log.warn("health check failed", { check: check.name, error });
    }
    lines += error
      ? `[-]${check.name} failed: reason withheld\n`
      : `[+]${check.name}${excluded.has(check.name) ? " excluded: ok" : " ok"}\n`;
  }
  const unknown = [...excluded].filter((name) => !checks.some((check) => check.name === name));
  if (unknown.length > 0) {
    const names = unknown
      .toSorted()
      .map((name) => JSON.stringify(name))
      .join(",");
    lines += `warn: some health checks cannot be excluded: no matches for ${names}\n`;
  }
  if (failed) return text(500, `${lines}${endpoint} check failed\n`);
  return text(200, query.has("verbose") ? `${lines}${endpoint} check passed\n` : "ok");
}

const failure = (check: HealthCheck): Promise<unknown> =>
  check.check().then(
    () => undefined,
    (error: unknown) => error ?? new Error("failed"),
  );

const text = (status: number, body: string): Response =>
  new Response(body, { status, headers: { "content-type": "text/plain; charset=utf-8", "x-content-type-options": "nosniff" } });
