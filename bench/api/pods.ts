/**
 * A Pod as a ReplicaSet makes it from a usual template: one container with probes, some 2 KiB of JSON as posted. Defaults, status and
 * managedFields come on top, as in a cluster.
 */

const port = 8080;

const httpGet = (path: string) => ({ httpGet: { path, port: "http", scheme: "HTTP" } });

const container = {
  name: "server",
  image: "registry.example.com/shop/server:v1.42.0",
  args: ["--port", String(port), "--log-format", "json"],
  env: [
    { name: "PORT", value: String(port) },
    { name: "CATALOG_ADDR", value: "catalog.shop.svc.cluster.local:3550" },
    { name: "CART_ADDR", value: "cart.shop.svc.cluster.local:7070" },
    { name: "CURRENCY_ADDR", value: "currency.shop.svc.cluster.local:7000" },
    { name: "LOG_LEVEL", value: "info" },
    { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
    { name: "SESSION_KEY", valueFrom: { secretKeyRef: { name: "shop-session", key: "key" } } },
  ],
  ports: [{ name: "http", containerPort: port, protocol: "TCP" }],
  resources: { requests: { cpu: "100m", memory: "64Mi" }, limits: { cpu: "200m", memory: "128Mi" } },
  startupProbe: { ...httpGet("/readyz"), periodSeconds: 2, failureThreshold: 30 },
  readinessProbe: { ...httpGet("/readyz"), initialDelaySeconds: 5, periodSeconds: 10 },
  livenessProbe: { ...httpGet("/healthz"), initialDelaySeconds: 10, periodSeconds: 10 },
  securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ["ALL"] } },
  volumeMounts: [
    { name: "config", mountPath: "/etc/shop", readOnly: true },
    { name: "scratch", mountPath: "/tmp" },
  ],
};

export const podBody = (name: string) => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name,
    labels: {
      "app.kubernetes.io/name": "frontend",
      "app.kubernetes.io/part-of": "shop",
      "app.kubernetes.io/version": "v1.42.0",
      "pod-template-hash": "7c9f8d6b5d",
    },
    annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": String(port) },
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
    containers: [container],
    securityContext: { runAsNonRoot: true, runAsUser: 1000, fsGroup: 1000 },
    terminationGracePeriodSeconds: 30,
    volumes: [
      { name: "config", configMap: { name: "shop" } },
      { name: "scratch", emptyDir: { sizeLimit: "64Mi" } },
    ],
  },
});

/** What a kubelet reports of it. */
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
    containerStatuses: [
      {
        name: container.name,
        image: container.image,
        imageID: `registry.example.com/shop/server@sha256:${"0123456789abcdef".repeat(4)}`,
        containerID: `ecs://${"0123456789abcdef".repeat(2)}`,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: "2026-11-20T00:00:00Z" } },
      },
    ],
  },
});
