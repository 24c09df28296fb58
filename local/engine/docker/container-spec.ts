/** A container of a task as the engine's API takes it. Pure. */
import type { EngineContainer, EngineTask } from "../engine.ts";
import type { Flavour } from "./flavour.ts";
import { containerLabel, labels, roleLabel } from "./names.ts";

/** Something from outside that a container sees. */
export type Mount =
  /** A file or folder of the engine's machine. */
  | { readonly type: "bind"; readonly source: string; readonly target: string; readonly readOnly: boolean }
  /** One of the engine's volumes, or a folder in it. */
  | { readonly type: "volume"; readonly source: string; readonly target: string; readonly readOnly: boolean; readonly subPath?: string };

export interface ContainerSpecInput {
  readonly task: EngineTask;
  readonly container: EngineContainer;
  readonly owner: string;
  readonly flavour: Pick<Flavour, "hostname" | "logConfig">;
  /** Container whose namespaces it shares. */
  readonly sandboxId: string;
  readonly hostname: string;
  readonly mounts: readonly Mount[];
}

const mebibyte = 1_024 * 1_024;
/** The least that the kernel takes; what a container without a request gets. */
const leastCpuShares = 2;

export function containerSpec({ task, container, owner, flavour, sandboxId, hostname, mounts }: ContainerSpecInput): object {
  const { memory, memoryReservation, linuxParameters, dockerSecurityOptions } = container;
  const memoryBytes = memory === undefined ? undefined : memory * mebibyte;
  const sandbox = `container:${sandboxId}`;
  return {
    Image: container.image,
    ...(container.entryPoint && { Entrypoint: container.entryPoint }),
    ...(container.command && { Cmd: container.command }),
    ...(container.workingDirectory !== undefined && { WorkingDir: container.workingDirectory }),
    ...(container.user !== undefined && { User: container.user }),
    Env: (container.environment ?? []).map(({ name, value }) => `${name}=${value}`),
    Tty: container.pseudoTerminal ?? false,
    OpenStdin: container.interactive ?? false,
    Labels: {
      ...container.dockerLabels,
      ...labels(owner, task),
      [roleLabel]: "container",
      [containerLabel]: container.name,
      "io.kubernetes.container.name": container.name,
    },
    ...flavour.hostname(hostname),
    HostConfig: {
      NetworkMode: sandbox,
      IpcMode: sandbox,
      ...(task.pidMode === "task" && { PidMode: sandbox }),
      CpuShares: Math.max(leastCpuShares, container.cpu ?? 0),
      // Without swap, a limit is a limit.
      ...(memoryBytes !== undefined && { Memory: memoryBytes, MemorySwap: memoryBytes }),
      ...(memoryReservation !== undefined && memoryReservation !== memory && { MemoryReservation: memoryReservation * mebibyte }),
      CapAdd: linuxParameters?.capabilities?.add ?? [],
      CapDrop: linuxParameters?.capabilities?.drop ?? [],
      Init: linuxParameters?.initProcessEnabled ?? false,
      Privileged: container.privileged ?? false,
      ReadonlyRootfs: container.readonlyRootFilesystem ?? false,
      SecurityOpt: dockerSecurityOptions ?? [],
      LogConfig: flavour.logConfig,
      Binds: mounts.flatMap((mount) => (mount.type === "bind" ? [bind(mount)] : [])),
      Mounts: mounts.flatMap((mount) => (mount.type === "volume" ? [volume(mount)] : [])),
    },
  };
}

/** The engine makes the folder where it is missing. `z` lets containers in where SELinux guards files, and means nothing elsewhere. */
const bind = ({ source, target, readOnly }: Extract<Mount, { type: "bind" }>): string => `${source}:${target}:${readOnly ? "ro," : ""}z`;

const volume = ({ source, target, readOnly, subPath }: Extract<Mount, { type: "volume" }>) => ({
  Type: "volume",
  Source: source,
  Target: target,
  ReadOnly: readOnly,
  // An emptyDir hides what the image has in its place.
  VolumeOptions: { NoCopy: true, ...(subPath !== undefined && { Subpath: subPath }) },
});
