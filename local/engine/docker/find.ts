/** Finds the container engine of this machine: where `DOCKER_HOST` says, else at the sockets that Docker and podman use. */
import { existsSync } from "node:fs";
import { ApiError, connect, type EngineApi } from "./api.ts";

export type Found =
  | { readonly type: "engine"; readonly api: EngineApi }
  /** Something is there, or was named, and does not serve us. `why` is for people and says what to do. */
  | { readonly type: "refused"; readonly address: string; readonly why: string }
  | { readonly type: "none"; readonly looked: readonly string[] };

export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Home folder. */
  readonly home: string;
  /** Milliseconds that an engine may take to answer. */
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 5_000;

/** An engine that answers wins over one that is there and refuses. */
export async function findEngine({ env, home, timeoutMs = defaultTimeoutMs }: Surroundings): Promise<Found> {
  const named = env.DOCKER_HOST;
  if (named) return ask(named, socketOf(named), timeoutMs);
  const sockets = usualSockets(env, home);
  let refused: Found | undefined;
  for (const socket of sockets.filter((path) => existsSync(path))) {
    const found = await ask(`unix://${socket}`, socket, timeoutMs);
    if (found.type === "engine") return found;
    refused ??= found;
  }
  return refused ?? { type: "none", looked: sockets };
}

/** In the order in which they are tried; those of Docker first. */
export function usualSockets(env: Surroundings["env"], home: string): readonly string[] {
  const runtime = env.XDG_RUNTIME_DIR;
  return [
    "/var/run/docker.sock",
    ...(runtime ? [`${runtime}/docker.sock`] : []),
    `${home}/.docker/run/docker.sock`,
    "/run/podman/podman.sock",
    ...(runtime ? [`${runtime}/podman/podman.sock`] : []),
  ];
}

/** Path of a `unix://` address. */
const socketOf = (address: string): string | undefined =>
  address.startsWith("unix://") ? address.slice("unix://".length) : address.startsWith("/") ? address : undefined;

async function ask(address: string, socket: string | undefined, timeoutMs: number): Promise<Found> {
  try {
    return { type: "engine", api: await connect(address, socket, timeoutMs) };
  } catch (error) {
    return { type: "refused", address, why: reason(error, timeoutMs) };
  }
}

function reason(error: unknown, timeoutMs: number): string {
  const { code, status, message } = error instanceof ApiError ? error : { code: undefined, status: undefined, message: String(error) };
  if (error instanceof Error && (code === "ABORT_ERR" || error.cause instanceof DOMException || /aborted/u.test(message))) {
    return `it does not answer within ${timeoutMs / 1_000} seconds. Is the engine hanging?`;
  }
  switch (code) {
    case "EACCES":
    case "EPERM":
      return "this user may not open it. Add the user to the group that owns it (usually docker), or start Binnacle as root.";
    case "ECONNREFUSED":
    case "ECONNRESET":
      return "nobody answers there. Start the engine.";
    case "ENOENT":
      return "there is no such socket. Start the engine, or correct DOCKER_HOST.";
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ETIMEDOUT":
      return `that machine cannot be reached (${code}).`;
    default:
      return status === undefined ? `${message}.` : `it answers with HTTP ${status}: ${message}`;
  }
}
