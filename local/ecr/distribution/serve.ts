/**
 * The registry's own protocol, which Docker, podman and everybody else pushes and pulls with: OCI's distribution specification 1.1, as far
 * as Amazon ECR has it. There is no catalog, and layers are not deleted; they go with the last image that has them.
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Log } from "../../../shared/runtime/log.ts";
import type { StreamService } from "../../wire/server.ts";
import type { Registry } from "../registry.ts";
import { registryUser } from "../tokens.ts";
import { blobs } from "./blobs.ts";
import { asRegistryError, RegistryError } from "./errors.ts";
import { type Answer, type Asked, json } from "./exchange.ts";
import { manifests, referrers, tags } from "./manifests.ts";
import { uploads } from "./uploads.ts";

export interface DistributionOptions {
  readonly registry: Registry;
  /** Where it listens: `http://127.0.0.1:PORT`. */
  readonly url: () => string;
  readonly log: Log;
}

type Collection = (registry: Registry, asked: Asked) => Answer | Promise<Answer>;

/** The first that matches counts: names of repositories have slashes, too. */
const collections: readonly (readonly [pattern: RegExp, collection: Collection])[] = [
  [/^\/v2\/(?<name>.+)\/blobs\/uploads\/(?<reference>[^/]*)$/u, uploads],
  [/^\/v2\/(?<name>.+)\/blobs\/uploads(?<reference>)$/u, uploads],
  [/^\/v2\/(?<name>.+)\/blobs\/(?<reference>[^/]+)$/u, blobs],
  [/^\/v2\/(?<name>.+)\/manifests\/(?<reference>[^/]+)$/u, manifests],
  [/^\/v2\/(?<name>.+)\/referrers\/(?<reference>[^/]+)$/u, referrers],
  [/^\/v2\/(?<name>.+)\/tags\/(?<reference>[^/]+)$/u, tags],
];

export function distribution({ registry, url, log }: DistributionOptions): StreamService {
  return {
    handles: (path) => path === "/v2" || path.startsWith("/v2/"),
    async handle(request, response) {
      let answer: Answer;
      try {
        answer = await reply(registry, url(), request);
      } catch (error) {
        const known = asRegistryError(error);
        if (!known) log.error("the registry failed", { method: request.method, url: request.url, error });
        answer = failure(known);
      }
      await send(request, response, answer);
    },
  };
}

async function reply(registry: Registry, base: string, request: IncomingMessage): Promise<Answer> {
  const { pathname, searchParams: query } = new URL(request.url ?? "/", base);
  authenticate(registry, base, request.headers.authorization, query.get("token"));
  if (/^\/v2\/?$/u.test(pathname)) return json({});
  for (const [pattern, collection] of collections) {
    const { name, reference = "" } = pattern.exec(decode(pathname))?.groups ?? {};
    if (name === undefined) continue;
    const method = request.method === "HEAD" ? "GET" : (request.method ?? "GET");
    return collection(registry, {
      method,
      query,
      headers: request.headers,
      body: request,
      repository: registry.repositories.get(name),
      reference,
    });
  }
  throw new RegistryError("UNSUPPORTED", "The operation is unsupported.");
}

function decode(pathname: string): string {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return pathname;
  }
}

/** @param downloadToken of an address that `GetDownloadUrlForLayer` gave @throws {RegistryError} */
function authenticate({ tokens }: Registry, base: string, authorization: string | undefined, downloadToken: string | null): void {
  const [, basic = ""] = /^Basic +(\S+)$/iu.exec(authorization ?? "") ?? [];
  const [, user, password = ""] = /^([^:]*):(.*)$/su.exec(Buffer.from(basic, "base64").toString("utf8")) ?? [];
  switch (tokens.check(downloadToken ?? (user === registryUser ? password : ""))) {
    case "valid":
      return;
    case "expired":
      throw new RegistryError("DENIED", "Your authorization token has expired. Reauthenticate and try again.");
    case "invalid":
      throw new RegistryError("UNAUTHORIZED", "Not Authorized", {
        "WWW-Authenticate": `Basic realm="${base}/",service="ecr.amazonaws.com"`,
      });
  }
}

const failure = (error: RegistryError | undefined): Answer => ({
  status: error?.status ?? 500,
  headers: { "Content-Type": "application/json", ...error?.headers },
  body: JSON.stringify({ errors: [{ code: error?.code ?? "UNKNOWN", message: error?.message ?? "An internal error occurred." }] }),
});

async function send(request: IncomingMessage, response: ServerResponse, { status, headers = {}, body }: Answer): Promise<void> {
  // Who is refused while still sending reads the answer when everything is sent.
  request.resume();
  const isStream = body instanceof Readable;
  response.writeHead(status, {
    "Docker-Distribution-API-Version": "registry/2.0",
    ...(body !== undefined && !isStream && { "Content-Length": Buffer.byteLength(body) }),
    ...headers,
  });
  if (request.method === "HEAD" || body === undefined) {
    if (isStream) body.destroy();
    response.end();
    return;
  }
  if (isStream) await pipeline(body, response).catch(() => response.destroy());
  else response.end(body);
}
