import { describe, expect, it } from "vitest";
import { type ContainerSpecInput, containerSpec } from "../../../../local/engine/docker/container-spec.ts";
import { anEngineContainer, anEngineTask } from "../../../support/engine-tasks.ts";

const spec = (input: Partial<ContainerSpecInput> = {}): any =>
  containerSpec({
    task: anEngineTask(),
    container: anEngineContainer(),
    owner: "me",
    flavour: { hostname: () => ({}), logConfig: { Type: "json-file", Config: {} } },
    sandboxId: "5a4d",
    hostname: "web",
    mounts: [],
    ...input,
  });
const host = (container: Parameters<typeof anEngineContainer>[0]) => spec({ container: anEngineContainer(container) }).HostConfig;

describe("a container of a task", () => {
  it("shares its sandbox's network and memory, and processes where the task asks for it", () => {
    expect(spec().HostConfig).toMatchObject({ NetworkMode: "container:5a4d", IpcMode: "container:5a4d" });
    expect(spec().HostConfig).not.toHaveProperty("PidMode");
    expect(spec({ task: anEngineTask({ pidMode: "task" }) }).HostConfig.PidMode).toBe("container:5a4d");
  });

  it("runs what its definition says, and else what its image says", () => {
    const container = anEngineContainer({
      entryPoint: ["sh"],
      command: ["-c", "true"],
      workingDirectory: "/srv",
      user: "1000:2000",
      environment: [{ name: "A", value: "b=c" }],
      pseudoTerminal: true,
      interactive: true,
    });
    expect(spec({ container })).toMatchObject({
      Entrypoint: ["sh"],
      Cmd: ["-c", "true"],
      WorkingDir: "/srv",
      User: "1000:2000",
      Env: ["A=b=c"],
      Tty: true,
      OpenStdin: true,
    });
    const bare = spec();
    for (const member of ["Entrypoint", "Cmd", "WorkingDir", "User"]) expect(bare).not.toHaveProperty(member);
  });

  it("gets its share of the CPU, and no more memory than its limit, swap included", () => {
    expect(host({ cpu: 512, memory: 64, memoryReservation: 32 })).toMatchObject({
      CpuShares: 512,
      Memory: 64 << 20,
      MemorySwap: 64 << 20,
      MemoryReservation: 32 << 20,
    });
    expect(host({})).toMatchObject({ CpuShares: 2 });
    expect(host({ memoryReservation: 32 })).not.toHaveProperty("Memory");
    expect(host({ memory: 32, memoryReservation: 32 })).not.toHaveProperty("MemoryReservation");
  });

  it("is confined as it asks to be", () => {
    expect(
      host({
        readonlyRootFilesystem: true,
        dockerSecurityOptions: ["no-new-privileges"],
        linuxParameters: { capabilities: { add: ["NET_ADMIN"], drop: ["ALL"] }, initProcessEnabled: true },
      }),
    ).toMatchObject({
      ReadonlyRootfs: true,
      SecurityOpt: ["no-new-privileges"],
      CapAdd: ["NET_ADMIN"],
      CapDrop: ["ALL"],
      Init: true,
      Privileged: false,
    });
  });

  it("sees what it mounts", () => {
    const { Binds, Mounts } = spec({
      mounts: [
        { type: "bind", source: "/data/hosts", target: "/etc/hosts", readOnly: false },
        { type: "bind", source: "/data/config", target: "/config", readOnly: true },
        { type: "volume", source: "scratch", target: "/tmp", readOnly: true },
        { type: "volume", source: "scratch", target: "/sub", readOnly: false, subPath: "a" },
      ],
    }).HostConfig;
    expect(Binds).toEqual(["/data/hosts:/etc/hosts:z", "/data/config:/config:ro,z"]);
    expect(Mounts).toEqual([
      { Type: "volume", Source: "scratch", Target: "/tmp", ReadOnly: true, VolumeOptions: { NoCopy: true } },
      { Type: "volume", Source: "scratch", Target: "/sub", ReadOnly: false, VolumeOptions: { NoCopy: true, Subpath: "a" } },
    ]);
  });

  it("says whose it is, in the words of ECS' agent and of the kubelet", () => {
    const task = anEngineTask();
    expect(spec({ task, container: anEngineContainer({ dockerLabels: { own: "label" } }) }).Labels).toMatchObject({
      own: "label",
      "binnacle.dev/owner": "me",
      "binnacle.dev/role": "container",
      "com.amazonaws.ecs.task-arn": task.taskArn,
      "com.amazonaws.ecs.container-name": "main",
      "io.kubernetes.pod.namespace": "shop",
      "io.kubernetes.pod.name": "web",
      "io.kubernetes.container.name": "main",
    });
  });
});
