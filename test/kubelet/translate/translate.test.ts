import { describe, expect, it } from "vitest";
import type { Container, Pod } from "../../../shared/api/generated/types.ts";
import { bareEcs } from "../../../shared/kubelet/engine-features.ts";
import { hooksLabel } from "../../../shared/kubelet/hooks.ts";
import { endsWithLabel, sidecarLabel } from "../../../shared/kubelet/pod-tags.ts";
import { probesLabel } from "../../../shared/kubelet/probes.ts";
import { filledVolumes, subPaths } from "../../../shared/kubelet/volumes.ts";
import { aWorkPod } from "../../support/nodes.ts";
import { type Surroundings, taskOf, translate } from "../../support/translation.ts";

const container = (given: Partial<Container> = {}): Container => ({ name: "app", image: "example/app:1", ...given });
const podWith = (given: Partial<Container>, spec: Partial<Pod["spec"]> = {}) =>
  aWorkPod({ spec: { containers: [container(given)], ...spec } });
const definitionOf = (pod: Pod, surroundings?: Surroundings) => taskOf(pod, surroundings).definition.containerDefinitions[0];
const overrideOf = (pod: Pod, surroundings?: Surroundings) => taskOf(pod, surroundings).overrides?.containerOverrides?.[0];

const needs = (name: string, cpu: string, memory: string) => container({ name, resources: { requests: { cpu, memory } } });
const fieldRef = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });

describe("a Pod as a task definition", () => {
  it("holds what all Pods of its template share", () => {
    const { definition, overrides } = taskOf(
      podWith({ command: ["serve"], args: ["--port", "80"], workingDir: "/srv", env: [{ name: "A", value: "1" }] }),
    );
    expect(overrides).toBeUndefined();
    expect(definition).toMatchObject({ networkMode: "awsvpc", requiresCompatibilities: ["EC2"], executionRoleArn: expect.any(String) });
    expect(definition.containerDefinitions).toEqual([
      {
        name: "app",
        image: "example/app:1",
        essential: true,
        memoryReservation: 6,
        entryPoint: ["serve"],
        command: ["--port", "80"],
        workingDirectory: "/srv",
        environment: [{ name: "A", value: "1" }],
        stopTimeout: 30,
        logConfiguration: {
          logDriver: "awslogs",
          options: { "awslogs-group": "/test/pods", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "pods" },
        },
      },
    ]);
  });

  it("is the same for Pods that differ in name, node and labels, and another one for another image", () => {
    const env = [{ name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }];
    const family = (name: string, image = "example/app:1") =>
      taskOf(aWorkPod({ name, nodeName: `node-of-${name}`, spec: { containers: [container({ env, image })] } })).definition.family;
    expect(family("one")).toBe(family("two"));
    expect(family("one")).not.toBe(family("one", "example/app:2"));
    expect(family("one")).toMatch(/^binnacle-test-[0-9a-f]{24}$/);
  });

  it("is the same for Pods whose token volumes admission named differently", () => {
    const family = (suffix: string) => {
      const name = `kube-api-access-${suffix}`;
      const projected = { sources: [{ serviceAccountToken: { path: "token", expirationSeconds: 3607 } }] };
      return taskOf(podWith({ volumeMounts: [{ name, mountPath: "/var/run/secrets" }] }, { volumes: [{ name, projected }] })).definition;
    };
    expect(family("a1b2c")).toEqual(family("x7y8z"));
    expect(family("a1b2c").volumes).toEqual([{ name: "kube-api-access", host: {} }]);
  });

  it.each([
    ["nginx", "nginx:latest"],
    ["localhost:5000/app", "localhost:5000/app:latest"],
    ["nginx:1.27", "nginx:1.27"],
    [`nginx@sha256:${"a".repeat(64)}`, `nginx@sha256:${"a".repeat(64)}`],
  ])("runs image %s as %s", (image, expected) => {
    expect(definitionOf(podWith({ image }))?.image).toBe(expected);
  });

  it("does not start an image whose name cannot be", () => {
    expect(translate(podWith({ image: "Not An Image" }))).toMatchObject({ type: "notReady", container: "app", reason: "InvalidImageName" });
  });

  it("maps each port once", () => {
    const ports = [{ containerPort: 80 }, { containerPort: 80, name: "again" }, { containerPort: 53, protocol: "UDP" }];
    expect(definitionOf(podWith({ ports }))?.portMappings).toEqual([
      { containerPort: 80, protocol: "tcp" },
      { containerPort: 53, protocol: "udp" },
    ]);
  });

  it("carries users, capabilities and the read-only root", () => {
    const securityContext = {
      runAsUser: 1000,
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"], add: ["CAP_NET_BIND_SERVICE"] },
    };
    expect(definitionOf(podWith({ securityContext }, { securityContext: { runAsGroup: 2000 } }))).toMatchObject({
      user: "1000:2000",
      readonlyRootFilesystem: true,
      dockerSecurityOptions: ["no-new-privileges"],
      linuxParameters: { capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] } },
    });
  });
});

describe("init containers and sidecars", () => {
  const pod = aWorkPod({
    spec: {
      initContainers: [container({ name: "first" }), container({ name: "proxy", restartPolicy: "Always" }), container({ name: "last" })],
      containers: [container(), container({ name: "other" })],
    },
  });
  const definitions = taskOf(pod).definition.containerDefinitions;
  const dependencies = Object.fromEntries(
    definitions.map(({ name, dependsOn = [] }) => [name, dependsOn.map(({ containerName, condition }) => `${containerName} ${condition}`)]),
  );

  it("run one after the other, and before the containers", () => {
    expect(dependencies).toEqual({
      first: [],
      proxy: ["first SUCCESS"],
      last: ["proxy START"],
      app: ["proxy START", "last SUCCESS"],
      other: ["proxy START", "last SUCCESS"],
    });
  });

  it("are not essential, as Amazon ECS demands of what others wait for; a sidecar's end restarts the Pod", () => {
    expect(definitions.map(({ name, essential }) => [name, essential])).toEqual([
      ["first", false],
      ["proxy", true],
      ["last", false],
      ["app", true],
      ["other", true],
    ]);
    expect(definitions[1]?.dockerLabels?.[sidecarLabel]).toBe("true");
  });
});

describe("CPU and memory", () => {
  it("reserve requests and limit memory, rounded down so that sums fit the machine", () => {
    const resources = { requests: { cpu: "100m", memory: "100M" }, limits: { memory: "256Mi" } };
    expect(definitionOf(podWith({ resources }))).toMatchObject({ cpu: 102, memoryReservation: 95, memory: 256 });
  });

  it("reserve the limit where the request is equal", () => {
    const definition = definitionOf(podWith({ resources: { requests: { memory: "64Mi" }, limits: { memory: "64Mi" } } }));
    expect(definition).toMatchObject({ memory: 64 });
    expect(definition).not.toHaveProperty("memoryReservation");
  });

  it("of init containers count only where they need more than what runs later, though Amazon ECS adds everything up", () => {
    const pod = aWorkPod({
      spec: { initContainers: [needs("small", "100m", "32Mi"), needs("big", "1", "512Mi")], containers: [needs("app", "500m", "128Mi")] },
    });
    const definitions = taskOf(pod).definition.containerDefinitions;
    const total = (name: "cpu" | "memoryReservation") => definitions.reduce((sum, definition) => sum + (definition[name] ?? 0), 0);
    expect(total("cpu")).toBe(1024);
    expect(total("memoryReservation")).toBe(512 + 6);
  });
});

describe("the environment", () => {
  const configMaps = { settings: { COLOUR: "blue", SIZE: "9" } };
  const secrets = { login: { PASSWORD: "hunter2" } };

  it("takes ConfigMaps into the definition, with prefix, and lets env win", () => {
    const pod = podWith({
      envFrom: [{ prefix: "APP_", configMapRef: { name: "settings" } }],
      env: [
        { name: "APP_SIZE", value: "10" },
        { name: "ONE", valueFrom: { configMapKeyRef: { name: "settings", key: "COLOUR" } } },
      ],
    });
    expect(definitionOf(pod, { configMaps })?.environment).toEqual([
      { name: "APP_COLOUR", value: "blue" },
      { name: "APP_SIZE", value: "10" },
      { name: "ONE", value: "blue" },
    ]);
  });

  it("keeps Secrets out of the definition", () => {
    const pod = podWith({
      envFrom: [{ secretRef: { name: "login" } }],
      env: [
        { name: "P", valueFrom: { secretKeyRef: { name: "login", key: "PASSWORD" } } },
        { name: "URL", value: "db://user:$(P)@host" },
      ],
    });
    const { definition, overrides } = taskOf(pod, { secrets });
    expect(JSON.stringify(definition)).not.toContain("hunter2");
    expect(overrides?.containerOverrides).toEqual([
      {
        name: "app",
        environment: [
          { name: "PASSWORD", value: "hunter2" },
          { name: "P", value: "hunter2" },
          { name: "URL", value: "db://user:hunter2@host" },
        ],
      },
    ]);
  });

  it("refuses Secrets where overrides can be read by others", () => {
    const pod = podWith({ env: [{ name: "P", valueFrom: { secretKeyRef: { name: "login", key: "PASSWORD" } } }] });
    expect(translate(pod, { secrets, features: bareEcs })).toMatchObject({
      type: "refused",
      problems: [{ field: "spec.containers[0].env[0].valueFrom.secretKeyRef" }],
    });
  });

  it("gives each Pod its own facts by override", () => {
    const pod = aWorkPod({
      nodeName: "node-1",
      metadata: { labels: { app: "web" }, annotations: { note: "a" } },
      spec: {
        serviceAccountName: "robot",
        containers: [
          container({
            env: [
              fieldRef("NAME", "metadata.name"),
              fieldRef("NODE", "spec.nodeName"),
              fieldRef("HOST", "status.hostIP"),
              fieldRef("LABEL", "metadata.labels['app']"),
              fieldRef("NOTES", "metadata.annotations"),
              fieldRef("ACCOUNT", "spec.serviceAccountName"),
            ],
          }),
        ],
      },
    });
    expect(overrideOf(pod)?.environment).toEqual([
      { name: "NAME", value: "pod-1" },
      { name: "NODE", value: "node-1" },
      { name: "HOST", value: "10.0.0.11" },
      { name: "LABEL", value: "web" },
      { name: "NOTES", value: 'note="a"' },
    ]);
    expect(definitionOf(pod)?.environment).toEqual([{ name: "ACCOUNT", value: "robot" }]);
  });

  it.each([
    ["limits.cpu", undefined, "2"],
    ["requests.cpu", "1m", "250"],
    ["limits.memory", "1Mi", "64"],
    ["requests.memory", undefined, "0"],
  ])("divides %s by %s and rounds up", (resource, divisor, expected) => {
    const env = [{ name: "N", valueFrom: { resourceFieldRef: { resource, ...(divisor && { divisor }) } } }];
    const pod = podWith({ env, resources: { requests: { cpu: "250m" }, limits: { memory: "64Mi" } } });
    const { definition, overrides } = taskOf(pod);
    const all = [...(definition.containerDefinitions[0]?.environment ?? []), ...(overrides?.containerOverrides?.[0]?.environment ?? [])];
    expect(all).toEqual([{ name: "N", value: expected }]);
  });

  it.each([
    {
      name: "a ConfigMap",
      env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "none", key: "x" } } }],
      message: 'configmap "none" not found',
    },
    {
      name: "a key",
      env: [{ name: "A", valueFrom: { configMapKeyRef: { name: "settings", key: "x" } } }],
      message: "couldn't find key x in ConfigMap default/settings",
    },
    { name: "a Secret", env: [{ name: "A", valueFrom: { secretKeyRef: { name: "none", key: "x" } } }], message: 'secret "none" not found' },
  ])("waits for $name that is missing, in the kubelet's words", ({ env, message }) => {
    expect(translate(podWith({ env }), { configMaps })).toEqual({
      type: "notReady",
      container: "app",
      reason: "CreateContainerConfigError",
      message,
    });
  });

  it("does without what is optional", () => {
    const env = [{ name: "A", valueFrom: { configMapKeyRef: { name: "none", key: "x", optional: true } } }];
    expect(definitionOf(podWith({ env }))).not.toHaveProperty("environment");
  });

  it("expands references, leaves unknown ones, and halves $$", () => {
    const env = [
      { name: "A", value: "1" },
      { name: "B", value: "$(A) $(NONE) $$(A) $A" },
    ];
    expect(definitionOf(podWith({ env }))?.environment?.[1]?.value).toBe("1 $(NONE) $(A) $A");
  });
});

describe("command lines that differ between Pods", () => {
  const env = [{ name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }];
  it.each([
    { name: "arguments go into the override", given: { args: ["--name", "$(NAME)"] }, entryPoint: undefined, command: ["--name", "pod-1"] },
    {
      name: "so does the command from the first element that differs",
      given: { command: ["sh", "-c", "echo $(NAME)"], args: ["x"] },
      entryPoint: ["sh", "-c"],
      command: ["echo pod-1", "x"],
    },
    {
      name: "all arguments follow a fixed command",
      given: { command: ["run"], args: ["a", "$(NAME)"] },
      entryPoint: ["run"],
      command: ["a", "pod-1"],
    },
  ])("$name", ({ given, entryPoint, command }) => {
    const pod = podWith({ env, ...given });
    expect(definitionOf(pod)?.entryPoint).toEqual(entryPoint);
    expect(definitionOf(pod)).not.toHaveProperty("command");
    expect(overrideOf(pod)?.command).toEqual(command);
  });

  it("are refused when they do not fit into what Amazon ECS takes", () => {
    const pod = podWith({ env, args: ["$(NAME)", "x".repeat(9_000)] });
    expect(translate(pod)).toMatchObject({
      type: "refused",
      problems: [{ field: "spec.containers", why: expect.stringContaining("8192") }],
    });
  });
});

describe("volumes", () => {
  const volumes = [
    { name: "scratch", emptyDir: {} },
    { name: "settings", configMap: { name: "settings", defaultMode: 0o600, items: [{ key: "a", path: "b/c" }] } },
    { name: "all", projected: { sources: [{ secret: { name: "login" } }, { serviceAccountToken: { path: "token", audience: "vault" } }] } },
  ];
  const pod = podWith(
    {
      volumeMounts: [
        { name: "scratch", mountPath: "/tmp/x" },
        { name: "settings", mountPath: "/etc/app/a.conf", subPath: "b/c", readOnly: true },
      ],
    },
    { volumes },
  );

  it("with content are described by reference, for whoever fills them", () => {
    const { definition } = taskOf(pod);
    expect(definition.volumes).toEqual([
      { name: "scratch", host: {} },
      { name: "settings", host: {} },
      { name: "all", host: {} },
    ]);
    expect(filledVolumes(definition)).toEqual([
      {
        name: "settings",
        defaultMode: 0o600,
        contents: [{ type: "configMap", name: "settings", items: [{ key: "a", path: "b/c" }], optional: false }],
      },
      {
        name: "all",
        defaultMode: 0o644,
        contents: [
          { type: "secret", name: "login", optional: false },
          { type: "serviceAccountToken", path: "token", audience: "vault", expirationSeconds: 3600 },
        ],
      },
    ]);
  });

  it("are mounted, with sub paths beside the mount points", () => {
    const definition = definitionOf(pod);
    expect(definition?.mountPoints).toEqual([
      { sourceVolume: "scratch", containerPath: "/tmp/x" },
      { sourceVolume: "settings", containerPath: "/etc/app/a.conf", readOnly: true },
    ]);
    expect(definition && subPaths(definition)).toEqual({ "/etc/app/a.conf": "b/c" });
  });

  it("of a token that nobody asked for are left out with a warning where nothing can fill them", () => {
    const automatic = podWith(
      { volumeMounts: [{ name: "kube-api-access-x1y2z", mountPath: "/var/run/secrets" }] },
      { volumes: [{ name: "kube-api-access-x1y2z", projected: { sources: [] } }] },
    );
    const { definition, warnings } = taskOf(automatic, { features: bareEcs });
    expect(definition).not.toHaveProperty("volumes");
    expect(definition.containerDefinitions[0]).not.toHaveProperty("mountPoints");
    expect(warnings).toMatchObject([{ field: "spec.volumes[0].projected" }]);
  });
});

describe("probes", () => {
  const httpGet = { port: "web", path: "/healthz" };
  const ports = [{ name: "web", containerPort: 8080 }];

  it("travel with defaults filled in and ports resolved", () => {
    const label = definitionOf(
      podWith({ ports, readinessProbe: { httpGet }, livenessProbe: { exec: { command: ["true"] }, periodSeconds: 3 } }),
    )?.dockerLabels?.[probesLabel];
    const times = { initialDelaySeconds: 0, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 };
    expect(JSON.parse(label ?? "")).toEqual({
      readiness: { action: { type: "httpGet", scheme: "HTTP", port: 8080, path: "/healthz", headers: [] }, periodSeconds: 10, ...times },
      liveness: { action: { type: "exec", command: ["true"] }, periodSeconds: 3, ...times },
    });
  });

  it("are refused where nothing runs them", () => {
    expect(translate(podWith({ ports, readinessProbe: { httpGet } }), { features: bareEcs })).toMatchObject({
      problems: [{ field: "spec.containers[0].readinessProbe" }],
    });
  });
});

describe("trap 29: what cannot be honoured is refused by field name", () => {
  it.each<{ field: string; given?: Partial<Container>; spec?: Partial<Pod["spec"]>; bare?: boolean }>([
    { field: "spec.hostNetwork", spec: { hostNetwork: true } },
    { field: "spec.hostPID", spec: { hostPID: true } },
    { field: "spec.hostAliases", spec: { hostAliases: [{ ip: "10.0.0.1" }] }, bare: true },
    { field: "spec.runtimeClassName", spec: { runtimeClassName: "gvisor" } },
    { field: "spec.securityContext.sysctls", spec: { securityContext: { sysctls: [{ name: "a", value: "b" }] } } },
    { field: "spec.volumes[0].hostPath", spec: { volumes: [{ name: "v", hostPath: { path: "/" } }] } },
    { field: "spec.volumes[0].nfs", spec: { volumes: [{ name: "v", nfs: { server: "s", path: "/" } }] } },
    { field: "spec.volumes[0].configMap", spec: { volumes: [{ name: "v", configMap: { name: "c" } }] }, bare: true },
    { field: "spec.containers[0].securityContext.privileged", given: { securityContext: { privileged: true } } },
    { field: "spec.containers[0].securityContext.seccompProfile", given: { securityContext: { seccompProfile: { type: "Unconfined" } } } },
    { field: "spec.containers[0].lifecycle.preStop", given: { lifecycle: { preStop: { exec: { command: ["x"] } } } }, bare: true },
    { field: "spec.containers[0].lifecycle.postStart", given: { lifecycle: { postStart: { exec: { command: ["x"] } } } }, bare: true },
    {
      field: "spec.containers[0].lifecycle.preStop.tcpSocket",
      given: { lifecycle: { preStop: { tcpSocket: { port: 80 } } } },
    },
    { field: "spec.containers[0].ports[0].hostPort", given: { ports: [{ containerPort: 80, hostPort: 80 }] } },
    { field: "spec.containers[0].volumeDevices", given: { volumeDevices: [{ name: "v", devicePath: "/dev/x" }] } },
    {
      field: "spec.containers[0].volumeMounts[0].subPath",
      given: { volumeMounts: [{ name: "v", mountPath: "/x", subPath: "y" }] },
      spec: { volumes: [{ name: "v", emptyDir: {} }] },
      bare: true,
    },
    {
      field: "spec.containers[0].env[0].valueFrom.fieldRef",
      given: { env: [{ name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }] },
      bare: true,
    },
    {
      field: "spec.containers[0].args[0]",
      given: { env: [{ name: "IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } }], args: ["$(IP)"] },
    },
    { field: "spec.containers", spec: { containers: Array.from({ length: 11 }, (_, index) => container({ name: `c${index}` })) } },
    { field: "spec.containers", spec: { restartPolicy: "Never", containers: [container(), container({ name: "b" })] }, bare: true },
  ])("$field", ({ field, given = {}, spec = {}, bare }) => {
    const translation = translate(podWith(given, spec), bare ? { features: bareEcs } : {});
    expect(translation).toMatchObject({ type: "refused", problems: [{ field }] });
  });

  it("all of it at once", () => {
    const translation = translate(podWith({ securityContext: { privileged: true } }, { hostNetwork: true }));
    expect(translation.type === "refused" && translation.problems.map(({ field }) => field)).toEqual([
      "spec.hostNetwork",
      "spec.containers[0].securityContext.privileged",
    ]);
  });

  it("what is honoured in part is warned of", () => {
    const { warnings } = taskOf(podWith({ resources: { limits: { cpu: "1" } } }, { securityContext: { fsGroup: 1 } }));
    expect(warnings.map(({ field }) => field)).toEqual(["spec.securityContext.fsGroup", "spec.containers[0].resources.limits.cpu"]);
  });

  it("root that is asked for and forbidden at once is the kubelet's error", () => {
    const pod = podWith({ securityContext: { runAsNonRoot: true, runAsUser: 0 } });
    expect(translate(pod)).toMatchObject({
      type: "notReady",
      message: expect.stringContaining("container's runAsUser breaks non-root policy"),
    });
  });
});

describe("lifecycle hooks", () => {
  it("travel with the container, with their ports resolved", () => {
    const lifecycle = {
      postStart: { httpGet: { port: "admin", path: "/warm" } },
      preStop: { exec: { command: ["drain"] } },
    };
    const { definition } = taskOf(podWith({ ports: [{ name: "admin", containerPort: 8081 }], lifecycle }));
    expect(JSON.parse(definition.containerDefinitions[0]?.dockerLabels?.[hooksLabel] ?? "")).toEqual({
      postStart: { type: "httpGet", scheme: "HTTP", port: 8081, path: "/warm", headers: [] },
      preStop: { type: "exec", command: ["drain"] },
    });
    const { definition: sleeping } = taskOf(podWith({ lifecycle: { preStop: { sleep: { seconds: 5 } } } }));
    expect(JSON.parse(sleeping.containerDefinitions[0]?.dockerLabels?.[hooksLabel] ?? "")).toEqual({
      preStop: { type: "sleep", seconds: 5 },
    });
  });
});

describe("a Pod that is not restarted as a whole", () => {
  it("goes on until all its containers have ended, where something sees to that", () => {
    const { definition } = taskOf(aWorkPod({ spec: { restartPolicy: "Never", containers: [container(), container({ name: "b" })] } }));
    expect(definition.containerDefinitions[0]?.dockerLabels?.[endsWithLabel]).toBe("all");
  });
});
