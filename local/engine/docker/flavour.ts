/** Where Docker and podman differ, and nothing else. Measured with Docker 20.10 and podman 4.3. */
import type { IncomingMessage } from "node:http";
import type { EngineApi } from "./api.ts";

export interface Pull {
  readonly name: string;
  /** A tag or a digest. */
  readonly reference: string;
  /** For `X-Registry-Auth`. */
  readonly auth: string;
  /** The registry is on this machine's loopback address, without TLS. */
  readonly isPlain: boolean;
  readonly signal: AbortSignal;
}

export interface ContainerState {
  readonly Running: boolean;
  readonly Status: string;
  readonly OOMKilled: boolean;
  readonly ExitCode: number;
  readonly Error?: string;
  readonly StartedAt: string;
}

export interface Flavour {
  /** What people call it: `Docker 28.2.2`. */
  readonly title: string;
  /** Makes a bridge network without a resolver of its own on it. @throws {ApiError} */
  createNetwork(name: string, subnet: string, gateway: string, labels: Readonly<Record<string, string>>): Promise<void>;
  /** Makes an image of one layer. @param reference with a tag @throws {ApiError} */
  importImage(reference: string, layer: Buffer): Promise<void>;
  /** @returns lines of JSON, of which one with `error` tells of a failure @throws {ApiError} */
  pull(image: Pull): Promise<IncomingMessage>;
  /** Members of a container that shares another's network, for it to have that one's host name. */
  hostname(hostname: string): { readonly Hostname?: string };
  /** How output is kept, so that it can be read back. */
  readonly logConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
  /** Mounts a folder inside a volume by itself, and safely. */
  readonly volumeSubPaths: boolean;
}

export function flavourOf(api: EngineApi): Flavour {
  return api.engine === "podman" ? podman(api) : docker(api);
}

const docker = (api: EngineApi): Flavour => ({
  title: `Docker ${api.version}`,
  async createNetwork(name, subnet, gateway, labels) {
    await api.call("POST", "/networks/create", {
      body: {
        Name: name,
        Driver: "bridge",
        IPAM: { Config: [{ Subnet: subnet, Gateway: gateway }] },
        Labels: labels,
        CheckDuplicate: true,
      },
    });
  },
  async importImage(reference, layer) {
    const [, repo = "", tag = ""] = /^(.*):([^:]+)$/u.exec(reference) ?? [];
    await api.call("POST", "/images/create", { query: { fromSrc: "-", repo, tag }, tar: layer });
  },
  // Registries on loopback addresses need no TLS.
  pull: ({ name, reference, auth, signal }) => pullAsDocker(api, { name, reference, auth, signal }),
  // Containers that share a network namespace share its name, and may not ask for one.
  hostname: () => ({}),
  logConfig: { Type: "json-file", Config: { "max-size": "20m", "max-file": "3" } },
  volumeSubPaths: Number(api.apiVersion.split(".")[1]) >= 45,
});

const pullAsDocker = (api: EngineApi, { name, reference, auth, signal }: Omit<Pull, "isPlain">) =>
  api.stream("POST", "/images/create", { query: { fromImage: name, tag: reference }, headers: { "X-Registry-Auth": auth }, signal });

const podman = (api: EngineApi): Flavour => ({
  title: `podman ${api.version}`,
  // A network made by the Docker-like call gets podman's own resolver on the gateway's port 53.
  async createNetwork(name, subnet, gateway, labels) {
    await api.libpod("POST", "/networks/create", {
      body: { name, driver: "bridge", dns_enabled: false, subnets: [{ subnet, gateway }], labels },
    });
  },
  // The Docker-like call names every image :latest.
  async importImage(reference, layer) {
    await api.libpod("POST", "/images/import", { query: { reference }, tar: layer });
  },
  // Only its own call can be told to do without TLS.
  pull: ({ name, reference, auth, isPlain, signal }) =>
    isPlain
      ? api.libpodStream("POST", "/images/pull", {
          query: { reference: `${name}${reference.includes(":") ? "@" : ":"}${reference}`, tlsVerify: false, policy: "always" },
          headers: { "X-Registry-Auth": auth },
          signal,
        })
      : pullAsDocker(api, { name, reference, auth, signal }),
  hostname: (hostname) => ({ Hostname: hostname }),
  logConfig: { Type: "k8s-file", Config: {} },
  volumeSubPaths: false,
});
