/** Gets a container's image, as its pull policy says, and says in ECS' words why it cannot. */
import { StringDecoder } from "node:string_decoder";
import { pullPolicyLabel } from "../../../shared/kubelet/pod-tags.ts";
import { StartError } from "../container-runtime.ts";
import type { EngineContainer } from "../engine.ts";
import { ApiError, type EngineApi, isNotFound } from "./api.ts";
import type { Flavour } from "./flavour.ts";
import { authOf, type Credentials, registryAuth, registryOf } from "./registry-auth.ts";

interface Image {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
}

export interface Puller {
  readonly api: EngineApi;
  readonly flavour: Flavour;
  /**
   * For the registry of the account that the tasks run in, which listens on this machine without TLS; undefined for all others. On AWS,
   * too, tasks need no credentials of the user's to pull from the account's own registry.
   */
  readonly ownRegistry: (registry: string) => Credentials | undefined;
}

/**
 * @returns the digest of the image's manifest; undefined for an image that no registry knows
 * @throws {StartError} `CannotPullContainerError: …`
 */
export async function pullImage(puller: Puller, container: EngineContainer, signal: AbortSignal): Promise<string | undefined> {
  const { api } = puller;
  const { image } = container;
  const policy = container.dockerLabels?.[pullPolicyLabel];
  const present = await inspect(api, image);
  if (policy === "Never" && !present) throw cannotPull(`Container image "${image}" is not present with pull policy of Never`);
  const pulls = policy === "Always" || (policy !== "Never" && !present) || policy === undefined;
  if (!pulls) return present && digestOf(present, image);
  try {
    await pull(puller, image, signal);
  } catch (error) {
    // Without a policy, as ECS' agent by default: what is there will do when the registry cannot be asked.
    if (policy === undefined && present) return digestOf(present, image);
    throw error instanceof ApiError ? cannotPull(error.message) : error;
  }
  const pulled = await inspect(api, image);
  return pulled && digestOf(pulled, image);
}

async function inspect(api: EngineApi, image: string): Promise<Image | undefined> {
  try {
    return await api.call<Image>("GET", `/images/${image.split("/").map(encodeURIComponent).join("/")}/json`);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error instanceof ApiError ? cannotPull(error.message) : error;
  }
}

const cannotPull = (why: string) => new StartError(`CannotPullContainerError: ${why}`);

/** @throws {ApiError} */
async function pull({ flavour, ownRegistry }: Puller, image: string, signal: AbortSignal): Promise<void> {
  const registry = registryOf(image);
  const own = ownRegistry(registry);
  const auth = own ? authOf(registry, own) : await registryAuth(image);
  const stream = await flavour.pull({ ...splitReference(image), auth, isPlain: own !== undefined, signal });
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const look = (line: string) => {
    const { error } = line.trim() === "" ? {} : (JSON.parse(line) as { readonly error?: string });
    if (error) throw new ApiError(error, 200);
  };
  // An answer that begins well may still tell of a failure.
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) look(line);
  }
  look(rest);
}

/** `name@sha256:…` or `name:tag`; a colon may also stand before a registry's port. */
export function splitReference(image: string): { readonly name: string; readonly reference: string } {
  const at = image.indexOf("@");
  if (at >= 0) return { name: image.slice(0, at).replace(/:[^:/]+$/u, ""), reference: image.slice(at + 1) };
  const [, name = image, reference = "latest"] = /^(.*):([^:/]+)$/u.exec(image) ?? [];
  return { name, reference };
}

/** The digest under which the image's own repository knows it, else any. */
function digestOf({ RepoDigests }: Image, image: string): string | undefined {
  const digests = RepoDigests ?? [];
  const { name } = splitReference(image);
  const found = digests.find((one) => one.startsWith(`${name}@`)) ?? digests.find((one) => one.includes(`/${name}@`)) ?? digests[0];
  return found?.split("@")[1];
}
