/**
 * Runs tasks as real containers, by the Docker Engine API. A task is a sandbox, which has the address and holds the network namespace
 * open, and containers that share it. Nothing about them is kept here: labels say whose they are, so another process finds them again.
 */
import { readdir } from "node:fs/promises";
import { dnsLabel, hostAliasesLabel, hostnameLabel, podOfTask, subdomainLabel } from "../../../shared/kubelet/pod-tags.ts";
import type { Clock } from "../../../shared/runtime/clock.ts";
import type { Log } from "../../../shared/runtime/log.ts";
import { sleep } from "../agent/checks.ts";
import { type ContainerRuntime, type RunningContainer, StartError } from "../container-runtime.ts";
import type { EngineContainer, EngineTask } from "../engine.ts";
import { ApiError, type EngineApi, isNotFound, isUnreachable } from "./api.ts";
import { containerSpec } from "./container-spec.ts";
import { flavourOf } from "./flavour.ts";
import type { ContainerLogs } from "./log-follower.ts";
import { containerName, idOf, labelled, labels, ownerLabel, roleLabel, sandboxName, taskLabel } from "./names.ts";
import { type PodNetwork, podNetwork, subnetsInUse } from "./network.ts";
import { type DnsWishes, type HostAlias, hosts, type PodDns, resolvConf } from "./pod-files.ts";
import { type Puller, pullImage } from "./pull.ts";
import { resolverRelay } from "./resolver-relay.ts";
import { type Inspected, watch } from "./running.ts";
import { sandboxImage, sandboxPath } from "./sandbox-image.ts";
import { taskVolumes } from "./task-volumes.ts";

export interface DockerRuntimeOptions {
  readonly api: EngineApi;
  /** Which control plane this is; see `ownerOf`. */
  readonly owner: string;
  /** For the files of Pods. */
  readonly folder: string;
  readonly logs: ContainerLogs;
  /**
   * Called when the network's gateway is an address of this machine, which it may not be before a container stands in the network:
   * starts what Pods are served there. Called again when it failed.
   */
  readonly serve: (network: ServedNetwork) => Promise<PodDns>;
  readonly ownRegistry: Puller["ownRegistry"];
  readonly clock: Clock;
  readonly log: Log;
}

export interface ServedNetwork extends PodNetwork {
  /** Where nobody here may listen on port 53: somebody else does, at the address that is returned. @see ResolverRelay.start */
  readonly relayResolver: (port: number) => Promise<string>;
}

export interface DockerRuntime extends ContainerRuntime {
  readonly network: PodNetwork;
  /** Of the machine that the engine runs on. */
  readonly architecture: "amd64" | "arm64";
  /** ARN of the ECS cluster whose task has this address. */
  clusterAt(address: string): string | undefined;
}

interface Sandbox {
  readonly id: string;
  readonly address: string;
  readonly clusterArn: string;
}

const retryMs = 1_000;
/** How often the removal of a task is tried while the engine does not answer. */
const removalAttempts = 60;
/** Linux allows no longer host names. */
const maxHostnameLength = 63;

/** @throws {ApiError} or an Error that says what the engine lacks */
export async function dockerRuntime(options: DockerRuntimeOptions): Promise<DockerRuntime> {
  const { api, owner, folder, logs, ownRegistry, clock, log } = options;
  const flavour = flavourOf(api);
  const image = await sandboxImage(api, flavour);
  const network = await podNetwork({ api, flavour, owner, taken: subnetsInUse() });
  const relay = resolverRelay({ api, flavour, owner, network, image });
  const volumes = taskVolumes({ api, flavour, owner, folder, clock });
  const sandboxes = new Map<string, Sandbox>();
  /** Containers whose end is known: another start means another container. */
  const ended = new Set<string>();
  const closed = new AbortController();
  let tidied: Promise<void> = Promise.resolve();
  let served: Promise<PodDns> | undefined;

  const inspect = async (nameOrId: string): Promise<Inspected | undefined> => {
    try {
      return await api.call<Inspected>("GET", `/containers/${nameOrId}/json`);
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  };

  const serve = async (): Promise<PodDns | undefined> => {
    served ??= options.serve({ ...network, relayResolver: relay.start });
    try {
      return await served;
    } catch (error) {
      served = undefined;
      log.error("Pods are not served at their network's gateway", { gateway: network.gateway, error });
      return undefined;
    }
  };

  const makeSandbox = async (task: EngineTask, address: string): Promise<string> => {
    const mounts = await volumes.make(task);
    const { Id: id } = await api.call<{ readonly Id: string }>("POST", "/containers/create", {
      query: { name: sandboxName(task) },
      body: {
        Image: image,
        Entrypoint: [sandboxPath],
        Hostname: hostnameOf(task),
        Labels: { ...labels(owner, task), [roleLabel]: "sandbox" },
        HostConfig: {
          NetworkMode: network.name,
          IpcMode: "shareable",
          CapDrop: ["ALL"],
          SecurityOpt: ["no-new-privileges"],
          // Whoever runs a container without root still expects it to serve on port 80.
          Sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
          LogConfig: flavour.logConfig,
          Mounts: mounts.map(({ source, target }) => ({ Type: "volume", Source: source, Target: target, VolumeOptions: { NoCopy: true } })),
        },
        NetworkingConfig: { EndpointsConfig: { [network.name]: { IPAMConfig: { IPv4Address: address } } } },
      },
    });
    await api.call("POST", `/containers/${id}/start`);
    await volumes.open(task, id);
    return id;
  };

  /** Containers with a label; those that have ended, too. */
  const list = (label: string, value: string) =>
    api.call<readonly { readonly Id: string; readonly Labels: Readonly<Record<string, string>> }[]>("GET", "/containers/json", {
      query: { all: true, filters: labelled(label, value) },
    });

  const removeContainer = async (id: string): Promise<void> => {
    try {
      await api.call("DELETE", `/containers/${id}`, { query: { force: true, v: true } });
    } catch (error) {
      // Somebody else removes it at this moment, or did.
      if (!isNotFound(error) && !(error instanceof ApiError && error.status === 409)) throw error;
    }
  };

  const removeTask = async (taskArn: string): Promise<void> => {
    const found = await list(taskLabel, taskArn);
    const isSandbox = ({ Labels }: (typeof found)[number]) => Labels[roleLabel] === "sandbox";
    await Promise.all(found.filter((one) => !isSandbox(one)).map(({ Id }) => removeContainer(Id)));
    await Promise.all(found.filter(isSandbox).map(({ Id }) => removeContainer(Id)));
    await volumes.remove(taskArn);
  };

  /** Goes on trying while the engine does not answer: what is left behind would keep its address. */
  const removeInTheEnd = async (taskArn: string): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await removeTask(taskArn);
      } catch (error) {
        if (closed.signal.aborted || attempt >= removalAttempts || !isUnreachable(error)) throw error;
      }
      await sleep(clock, retryMs, closed.signal);
    }
  };

  const watched = (task: EngineTask, container: EngineContainer, inspected: Inspected, isNew: boolean): RunningContainer =>
    watch({
      api,
      task,
      container,
      inspected,
      address: sandboxes.get(task.taskArn)?.address ?? "",
      logs,
      logFrom: isNew ? undefined : logs.position(task, container),
      ended: (id) => ended.add(id),
      clock,
      log,
      closed: closed.signal,
    });

  /** Starts a container that exists. Nothing is left of one that cannot be started. */
  const startContainer = async (task: EngineTask, container: EngineContainer, id: string): Promise<RunningContainer> => {
    try {
      await api.call("POST", `/containers/${id}/start`);
    } catch (error) {
      await removeContainer(id).catch(() => undefined);
      throw startError("CannotStartContainerError", error);
    }
    const inspected = await inspect(id);
    if (!inspected) throw new StartError("CannotStartContainerError: the container was removed when it had started");
    return watched(task, container, inspected, true);
  };

  return {
    name: "docker",
    notice: `Pods run as containers of ${flavour.title} (${api.address}), with addresses of their own in ${network.cidr}.`,
    network,
    // There are sandboxes for no other.
    architecture: api.architecture === "arm64" ? "arm64" : "amd64",
    clusterAt: (address) => [...sandboxes.values()].find((sandbox) => sandbox.address === address)?.clusterArn,

    async openSandbox(task) {
      if (task.networkMode !== "awsvpc" || task.privateIpv4Address === undefined) {
        throw new StartError(`ResourceInitializationError: containers run in tasks of network mode awsvpc only, not ${task.networkMode}`);
      }
      await tidied;
      const address = network.addressOf(task.privateIpv4Address);
      try {
        const found = await inspect(sandboxName(task));
        if (found && !found.State.Running) await api.call("POST", `/containers/${found.Id}/start`);
        const id = found?.Id ?? (await makeSandbox(task, address));
        sandboxes.set(task.taskArn, { id, address, clusterArn: task.clusterArn });
        const dns = (await serve()) ?? withoutResolver;
        await volumes.writePodFiles(task, podFiles(task, address, dns));
      } catch (error) {
        throw startError("ResourceInitializationError", error);
      }
      return { privateIpv4Address: address };
    },

    async closeSandbox(task) {
      await removeInTheEnd(task.taskArn);
      sandboxes.delete(task.taskArn);
    },

    async pull(_task, container, signal) {
      const digest = await pullImage({ api, flavour, ownRegistry }, container, signal);
      return digest === undefined ? {} : { digest };
    },

    async start(task, container) {
      const sandbox = sandboxes.get(task.taskArn);
      if (!sandbox) throw new StartError("CannotCreateContainerError: the task has no network namespace");
      const name = containerName(task, container);
      let id: string;
      try {
        const found = await inspect(name);
        if (found && !ended.has(found.Id)) {
          // An earlier process made it and could not say so any more.
          return found.State.Status === "created"
            ? await startContainer(task, container, found.Id)
            : watched(task, container, found, false);
        }
        if (found) await removeContainer(found.Id);
        const mounts = await volumes.mounts(task, container, sandbox.id);
        const body = containerSpec({ task, container, owner, flavour, sandboxId: sandbox.id, hostname: hostnameOf(task), mounts });
        ({ Id: id } = await api.call<{ readonly Id: string }>("POST", "/containers/create", { query: { name }, body }));
      } catch (error) {
        throw startError("CannotCreateContainerError", error);
      }
      return startContainer(task, container, id);
    },

    async adopt(task, container, { runtimeId }) {
      const found = runtimeId === undefined ? undefined : await inspect(runtimeId);
      return found?.Config.Labels?.[taskLabel] === task.taskArn ? watched(task, container, found, false) : undefined;
    },

    fillVolume: (task, volume, files) => volumes.fill(task, volume.name, files),

    keepOnly(taskArns) {
      tidied = (async () => {
        try {
          const left = new Set((await list(ownerLabel, owner)).flatMap(({ Labels }) => Labels[taskLabel] ?? []));
          const ids = new Set([...taskArns].map((taskArn) => idOf({ taskArn })));
          for (const name of await readdir(folder).catch(() => [])) if (!ids.has(name)) left.add(name);
          await Promise.all([...left].filter((taskArn) => !taskArns.has(taskArn)).map(removeInTheEnd));
        } catch (error) {
          log.warn("containers of tasks that are no more could not be removed", { error });
        }
      })();
    },

    async close() {
      closed.abort();
      try {
        await tidied;
        // It leads nowhere without this process.
        await relay.stop();
        if ((await list(ownerLabel, owner)).length === 0) await network.removeIfEmpty();
      } catch (error) {
        log.warn("the Pods' network could not be removed", { network: network.name, error });
      }
    },
  };
}

/** What Pods get while nothing can be served to them. */
const withoutResolver: PodDns = { nameserver: undefined, clusterDomain: "cluster.local", machine: { nameservers: [], searches: [] } };

const startError = (type: string, error: unknown): unknown =>
  error instanceof ApiError ? new StartError(`${type}: ${error.message}`, { cause: error }) : error;

function hostnameOf(task: EngineTask): string {
  const name = task.containers[0]?.dockerLabels?.[hostnameLabel] ?? podOfTask(task)?.name ?? idOf(task);
  // Cut where a kubelet cuts, without what a name may not end with.
  return name.slice(0, maxHostnameLength).replace(/[-.]+$/u, "");
}

function podFiles(task: EngineTask, address: string, dns: PodDns) {
  const labels = task.containers[0]?.dockerLabels ?? {};
  const namespace = podOfTask(task)?.namespace;
  const hostname = hostnameOf(task);
  const subdomain = labels[subdomainLabel];
  const fqdn =
    subdomain !== undefined && namespace !== undefined ? `${hostname}.${subdomain}.${namespace}.svc.${dns.clusterDomain}` : undefined;
  const aliases: readonly HostAlias[] = JSON.parse(labels[hostAliasesLabel] ?? "[]");
  const wishes: DnsWishes = JSON.parse(labels[dnsLabel] ?? "{}");
  return { "/etc/hosts": hosts({ address, hostname, fqdn, aliases }), "/etc/resolv.conf": resolvConf(dns, namespace, wishes) };
}
