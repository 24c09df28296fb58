/** Pods as they are in clusters: a plain one of about 2 KiB, and one of about 10 KiB with the fields' managers and a full status. */
import { createHash } from "node:crypto";
import type { JsonObject } from "../../shared/api/objects.ts";

/** Numbers and names that are the same in every run, and as different from one Pod to the next as real ones. */
const digest = (...parts: readonly (string | number)[]): string => createHash("sha256").update(parts.join("/")).digest("hex");
const uidOf = (name: string): string => digest("uid", name).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, "$1-$2-$3-$4-$5");
const instant = (index: number): string => new Date(Date.UTC(2026, 9, 1) + index * 7_001).toISOString().replace(/\.\d+Z$/u, "Z");

const nameOf = (index: number): string => `checkout-${digest("hash", index % 40).slice(0, 10)}-${digest("suffix", index).slice(0, 5)}`;

/** The key in the store, in one of ten namespaces. */
export const keyOf = (index: number): string => `team-${index % 10}/${nameOf(index)}`;

/** @param version what an update changes: conditions and times of the status */
export function smallPod(index: number, version = 0): JsonObject {
  const name = nameOf(index);
  const time = instant(index);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      generateName: name.slice(0, -5),
      namespace: `team-${index % 10}`,
      uid: uidOf(name),
      creationTimestamp: time,
      labels: { app: "checkout", "pod-template-hash": name.split("-")[1]! },
      annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8080" },
      ownerReferences: [
        {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: name.slice(0, -6),
          uid: uidOf(name.slice(0, -6)),
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      containers: [
        {
          name: "server",
          image: `registry.example/shop/checkout@sha256:${digest("image", index % 5)}`,
          ports: [{ containerPort: 8080, protocol: "TCP" }],
          env: [
            { name: "PAYMENT_SERVICE_ADDR", value: "payment.shop.svc:50051" },
            { name: "CURRENCY_SERVICE_ADDR", value: "currency.shop.svc:7000" },
            { name: "RELEASE", value: digest("release", index % 5).slice(0, 12) },
          ],
          resources: { limits: { cpu: "200m", memory: "128Mi" }, requests: { cpu: "100m", memory: "64Mi" } },
          readinessProbe: { grpc: { port: 8080 }, periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3 },
          terminationMessagePath: "/dev/termination-log",
          terminationMessagePolicy: "File",
          imagePullPolicy: "IfNotPresent",
        },
      ],
      restartPolicy: "Always",
      terminationGracePeriodSeconds: 30,
      dnsPolicy: "ClusterFirst",
      serviceAccountName: "checkout",
      nodeName: `node-${digest("node", index % 200).slice(0, 8)}`,
      schedulerName: "default-scheduler",
      tolerations: ["not-ready", "unreachable"].map((name) => ({
        key: `node.kubernetes.io/${name}`,
        operator: "Exists",
        effect: "NoExecute",
        tolerationSeconds: 300,
      })),
    },
    status: {
      phase: "Running",
      hostIP: `10.0.${index % 256}.${(index * 7) % 256}`,
      podIP: `10.1.${(index + version) % 256}.${(index * 13) % 256}`,
      startTime: time,
      conditions: ["PodScheduled", "Initialized", "ContainersReady", "Ready"].map((type, number) => ({
        type,
        status: number > 1 && version % 2 === 1 ? "False" : "True",
        lastTransitionTime: instant(index + version * number),
      })),
    },
  };
}

/** The same Pod as other tools leave it: who manages which field, volumes, and statuses of several containers. */
export function largePod(index: number, version = 0): JsonObject {
  const pod = smallPod(index, version) as {
    metadata: JsonObject;
    spec: { containers: JsonObject[] } & JsonObject;
    status: JsonObject;
  } & JsonObject;
  const [server] = pod.spec.containers;
  const names = ["server", "proxy", "metrics", "log-shipper", "reloader", "profiler"];
  const containers = names.map((name) => ({
    ...server,
    name,
    image: `registry.example/shop/${name}@sha256:${digest("image", name, index % 5)}`,
    volumeMounts: [{ name: "config", mountPath: `/etc/${name}`, readOnly: true }],
  }));
  const fields = Object.fromEntries(
    names.map((name) => [
      `k:{"name":"${name}"}`,
      {
        ".": {},
        "f:env": { ".": {}, "f:RELEASE": {} },
        "f:image": {},
        "f:imagePullPolicy": {},
        "f:name": {},
        "f:resources": { "f:limits": {}, "f:requests": {} },
      },
    ]),
  );
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      managedFields: [
        {
          manager: "kube-controller-manager",
          operation: "Update",
          apiVersion: "v1",
          time: instant(index),
          fieldsType: "FieldsV1",
          fieldsV1: { "f:metadata": { "f:labels": { "f:app": {} } }, "f:spec": { "f:containers": fields } },
        },
        {
          manager: "kubelet",
          operation: "Update",
          apiVersion: "v1",
          time: instant(index + version),
          fieldsType: "FieldsV1",
          fieldsV1: { "f:status": { "f:conditions": {}, "f:containerStatuses": {}, "f:podIP": {} } },
          subresource: "status",
        },
      ],
    },
    spec: { ...pod.spec, containers, volumes: [{ name: "config", configMap: { name: "checkout", defaultMode: 420 } }] },
    status: {
      ...pod.status,
      containerStatuses: names.map((name) => ({
        name,
        ready: version % 2 === 0,
        started: true,
        restartCount: version,
        image: `registry.example/shop/${name}@sha256:${digest("image", name, index % 5)}`,
        imageID: `sha256:${digest("id", name, index % 5)}`,
        containerID: `ecs://${digest("container", name, index, version)}`,
        state: { running: { startedAt: instant(index + version) } },
        lastState: {
          terminated: {
            exitCode: 137,
            reason: "OOMKilled",
            finishedAt: instant(index + version),
            containerID: `ecs://${digest("container", name, index, version - 1)}`,
          },
        },
      })),
    },
  };
}
