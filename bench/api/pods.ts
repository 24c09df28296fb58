/** Pods as they stand in a busy cluster: a sidecar, probes, volumes, owner, status and managedFields, some 6 KB of JSON. */

const container = (name: string, port: number) => ({
  name,
  image: `registry.example.com/shop/${name}:v1.42.0`,
  args: ["--port", String(port), "--log-format", "json"],
  env: [
    { name: "PORT", value: String(port) },
    { name: "CATALOG_ADDR", value: "catalog.shop.svc.cluster.local:3550" },
    { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
  ],
  ports: [{ name: "http", containerPort: port }],
  resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "200m", memory: "128Mi" } },
  readinessProbe: { httpGet: { path: "/healthz", port }, periodSeconds: 10 },
  livenessProbe: { httpGet: { path: "/healthz", port }, initialDelaySeconds: 10 },
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
  volumeMounts: [{ name: "config", mountPath: "/etc/shop", readOnly: true }],
});

export const podBody = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    labels: { app: "frontend", tier: "web", "pod-template-hash": "7c9f8d6b5d" },
    annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "9090" },
    ownerReferences: [
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: "frontend-7c9f8d6b5d",
        uid: "11111111-2222-4333-8444-555555555555",
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
  },
  spec: {
    containers: [container("server", 8080), container("sidecar", 9090)],
    volumes: [{ name: "config", configMap: { name: "shop" } }],
  },
});

export const podStatus = (name: string) => ({
  metadata: { name },
  status: {
    phase: "Running",
    hostIP: "10.0.0.1",
    podIP: "10.1.2.3",
    podIPs: [{ ip: "10.1.2.3" }],
    startTime: "2026-11-20T00:00:00Z",
    conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type) => ({
      type,
      status: "True",
      lastTransitionTime: "2026-11-20T00:00:00Z",
    })),
    containerStatuses: ["server", "sidecar"].map((name) => ({
      name,
      image: `registry.example.com/shop/${name}:v1.42.0`,
      imageID: `registry.example.com/shop/${name}@sha256:${"0123456789abcdef".repeat(4)}`,
      containerID: `ecs://${"0123456789abcdef".repeat(2)}`,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: "2026-11-20T00:00:00Z" } },
    })),
  },
});
