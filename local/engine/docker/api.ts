/**
 * Calls of the Docker Engine API, over dockerode's transport (Unix socket, TCP with TLS, SSH), at a version that the engine knows.
 * Which engine it is (Docker or podman) decides what `flavour.ts` does differently.
 */
import { Agent, type IncomingMessage } from "node:http";
import Docker, { type DialError } from "dockerode";

export interface CallOptions {
  /** Objects are sent as JSON, as filters are. */
  readonly query?: Readonly<Record<string, string | number | boolean | object>>;
  readonly body?: object;
  readonly tar?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE";

export interface EngineApi {
  /** Where it was found, as `DOCKER_HOST` would name it. */
  readonly address: string;
  readonly engine: "docker" | "podman";
  /** The engine's own version, such as `28.2.2`. */
  readonly version: string;
  /** Of the API that is spoken, such as `1.41`. */
  readonly apiVersion: string;
  /** As the engine names it: `amd64`, `arm64`. */
  readonly architecture: string;
  /** @returns the answer's JSON @throws {ApiError} */
  call<T = unknown>(method: Method, path: string, options?: CallOptions): Promise<T>;
  /** A call of podman's own API. @throws {ApiError} */
  libpod<T = unknown>(method: Method, path: string, options?: CallOptions): Promise<T>;
  /** A call of podman's own API. @returns the answer as it comes @throws {ApiError} */
  libpodStream(method: Method, path: string, options?: CallOptions): Promise<IncomingMessage>;
  /** @returns the answer as it comes @throws {ApiError} */
  stream(method: Method, path: string, options?: CallOptions): Promise<IncomingMessage>;
}

/** The engine refused a call, or cannot be reached: then there is no status. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number | undefined;
  /** Of the operating system, such as `ECONNREFUSED`. */
  readonly code: string | undefined;

  constructor(message: string, status?: number, code?: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

export const isNotFound = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
/** The engine did not answer: it may, later. */
export const isUnreachable = (error: unknown): boolean => error instanceof ApiError && error.status === undefined;

const accepted = { 200: true, 201: true, 202: true, 204: true, 304: true } as const;
/** The newest API that this code was written for; what an engine does not know yet, or no more, is adjusted to it. */
const wantedVersion = "1.45";

interface Version {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion: string;
  readonly Arch: string;
  readonly Components?: readonly { readonly Name: string; readonly Details?: { readonly MinAPIVersion?: string } }[];
}

/**
 * Speaks to the engine at an address.
 * @param socketPath absent for what only dockerode's transport understands (`tcp://`, `ssh://`), as `DOCKER_HOST` names it
 * @throws {ApiError} when it does not answer as a Docker Engine API does
 */
export async function connect(address: string, socketPath: string | undefined, timeoutMs: number): Promise<EngineApi> {
  const docker = new Docker({
    ...(socketPath !== undefined && { socketPath }),
    // An engine that is started again breaks kept connections.
    agent: new Agent({ keepAlive: false }),
  });
  const stream = (method: Method, path: string, options: CallOptions = {}): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const { query = {}, body = {}, tar, headers, signal } = options;
      docker.modem.dial(
        {
          method,
          path: `${path}?`,
          options: { _query: query, _body: body },
          ...(tar && { file: tar }),
          headers: { ...headers, ...(tar && { "Content-Type": "application/x-tar" }) },
          // Read here: the transport would wait for ever for the rest of an answer whose connection broke.
          isStream: true,
          abortSignal: signal,
          statusCodes: accepted,
        },
        (error, answer) => (error ? reject(apiError(error)) : resolve(answer)),
      );
    });
  const call = async (method: Method, path: string, options: CallOptions = {}): Promise<unknown> => {
    const answer = await stream(method, path, options);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of answer) chunks.push(chunk);
    } catch (error) {
      throw apiError(error as DialError);
    }
    const text = Buffer.concat(chunks).toString("utf8");
    try {
      return JSON.parse(text);
    } catch {
      // Nothing, or several answers one after the other: nobody wants them.
      return undefined;
    }
  };

  const version = (await call("GET", "/version", { signal: AbortSignal.timeout(timeoutMs) })) as Version | undefined;
  if (typeof version?.ApiVersion !== "string") throw new ApiError("what answers there is no Docker Engine API");
  const podman = version.Components?.find(({ Name }) => Name === "Podman Engine");
  const apiVersion = within(wantedVersion, version.MinAPIVersion, version.ApiVersion);
  const libpodVersion = podman?.Details?.MinAPIVersion ?? "4.0.0";
  return {
    address,
    engine: podman ? "podman" : "docker",
    version: version.Version,
    apiVersion,
    architecture: version.Arch,
    call: (method, path, options) => call(method, `/v${apiVersion}${path}`, options) as Promise<never>,
    libpod: (method, path, options) => call(method, `/v${libpodVersion}/libpod${path}`, options) as Promise<never>,
    libpodStream: (method, path, options) => stream(method, `/v${libpodVersion}/libpod${path}`, options),
    stream: (method, path, options) => stream(method, `/v${apiVersion}${path}`, options),
  };
}

/** Compares `1.9` and `1.41` as versions. */
export function compareVersions(one: string, other: string): number {
  const parts = (text: string) => text.split(".").map(Number);
  const [a, b] = [parts(one), parts(other)];
  return a.map((part, index) => part - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

/** The wanted version if the engine speaks it, else the nearest one that it speaks. */
const within = (wanted: string, least: string, most: string): string =>
  compareVersions(wanted, most) > 0 ? most : compareVersions(wanted, least) < 0 ? least : wanted;

/** The transport puts the engine's message after words of its own. */
function apiError(error: DialError): ApiError {
  const text = error.message.replace(/^\(HTTP code \d+\) unexpected - /u, "").trim();
  return new ApiError(text, error.statusCode, error.code, { cause: error });
}
