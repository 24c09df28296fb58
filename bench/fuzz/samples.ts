/** Right objects of many kinds: what the cluster holds before the run, and what requests are spoilt from. */

export interface Sample {
  /** Path of the collection. */
  readonly collection: string;
  readonly object: { readonly metadata: { readonly name: string } & Readonly<Record<string, unknown>> } & Readonly<Record<string, unknown>>;
  /** OpenAPI definition, for protobuf. */
  readonly definition?: string;
  readonly subresources?: readonly string[];
}

const inDefault = "/api/v1/namespaces/default";
const labels = { app: "web" };
const podSpec = {
  containers: [
    {
      name: "web",
      image: "example.com/web:1",
      ports: [{ name: "http", containerPort: 80 }],
      env: [{ name: "A", value: "b" }],
      resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "32Mi" } },
      readinessProbe: { httpGet: { path: "/", port: "http" } },
      volumeMounts: [{ name: "data", mountPath: "/data" }],
    },
  ],
  volumes: [{ name: "data", emptyDir: {} }],
  tolerations: [{ key: "a", operator: "Exists" }],
};
const template = { metadata: { labels }, spec: podSpec };
const core = "io.k8s.api.core.v1.";

/** A custom kind with a schema of its own. */
export const crontabs = {
  metadata: { name: "crontabs.example.com" },
  spec: {
    group: "example.com",
    scope: "Namespaced",
    names: { plural: "crontabs", singular: "crontab", kind: "CronTab", shortNames: ["ct"] },
    versions: [
      {
        name: "v1",
        served: true,
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" } },
        schema: {
          openAPIV3Schema: {
            type: "object",
            properties: {
              spec: {
                type: "object",
                required: ["schedule"],
                "x-kubernetes-validations": [
                  { rule: "self.replicas <= 10", message: "too many" },
                  { rule: "!has(self.parts) || self.parts.all(part, part.name.size() < 100)", fieldPath: ".parts" },
                  { rule: "oldSelf.schedule == self.schedule || self.schedule.matches('^[0-9* ]+$')" },
                ],
                properties: {
                  schedule: { type: "string", pattern: "^[0-9* ]+$" },
                  replicas: { type: "integer", minimum: 0, maximum: 10, default: 1 },
                  anything: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
                  port: { "x-kubernetes-int-or-string": true },
                  parts: { type: "array", items: { type: "object", properties: { name: { type: "string" } } } },
                },
              },
              status: { type: "object", properties: { replicas: { type: "integer" } } },
            },
          },
        },
      },
    ],
  },
} as const;

export const samples: readonly Sample[] = [
  {
    collection: "/api/v1/namespaces",
    object: { metadata: { name: "other", labels } },
    definition: `${core}Namespace`,
    subresources: ["status", "finalize"],
  },
  {
    collection: "/api/v1/nodes",
    object: { metadata: { name: "n", labels }, spec: { taints: [{ key: "a", effect: "NoSchedule" }] } },
    definition: `${core}Node`,
    subresources: ["status"],
  },
  {
    collection: `${inDefault}/pods`,
    object: { metadata: { name: "web", labels, annotations: { a: "b" } }, spec: podSpec },
    definition: `${core}Pod`,
    subresources: ["status", "log", "exec", "eviction", "binding", "ephemeralcontainers", "resize", "proxy"],
  },
  {
    collection: `${inDefault}/configmaps`,
    object: { metadata: { name: "settings", labels }, data: { key: "value" } },
    definition: `${core}ConfigMap`,
  },
  {
    collection: `${inDefault}/secrets`,
    object: { metadata: { name: "secret" }, type: "Opaque", data: { key: "dmFsdWU=" } },
    definition: `${core}Secret`,
  },
  {
    collection: `${inDefault}/services`,
    object: { metadata: { name: "web" }, spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: "http" }] } },
    definition: `${core}Service`,
    subresources: ["status", "proxy"],
  },
  {
    collection: `${inDefault}/serviceaccounts`,
    object: { metadata: { name: "robot" } },
    definition: `${core}ServiceAccount`,
    subresources: ["token"],
  },
  {
    collection: `${inDefault}/persistentvolumeclaims`,
    object: { metadata: { name: "claim" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
    definition: `${core}PersistentVolumeClaim`,
    subresources: ["status"],
  },
  {
    collection: `${inDefault}/limitranges`,
    object: { metadata: { name: "limits" }, spec: { limits: [{ type: "Container", default: { cpu: "1" } }] } },
    definition: `${core}LimitRange`,
  },
  {
    collection: `${inDefault}/resourcequotas`,
    object: { metadata: { name: "quota" }, spec: { hard: { "count/jobs.batch": "100" } } },
    definition: `${core}ResourceQuota`,
    subresources: ["status"],
  },
  {
    collection: `${inDefault}/events`,
    object: {
      metadata: { name: "event" },
      involvedObject: { kind: "Pod", name: "web", namespace: "default" },
      reason: "R",
      type: "Normal",
    },
    definition: `${core}Event`,
  },
  {
    collection: "/apis/apps/v1/namespaces/default/deployments",
    object: { metadata: { name: "web", labels }, spec: { replicas: 1, selector: { matchLabels: labels }, template } },
    definition: "io.k8s.api.apps.v1.Deployment",
    subresources: ["status", "scale"],
  },
  {
    collection: "/apis/apps/v1/namespaces/default/statefulsets",
    object: { metadata: { name: "db", labels }, spec: { serviceName: "web", selector: { matchLabels: labels }, template } },
    definition: "io.k8s.api.apps.v1.StatefulSet",
    subresources: ["status", "scale"],
  },
  {
    collection: "/apis/batch/v1/namespaces/default/jobs",
    object: { metadata: { name: "job" }, spec: { template: { spec: { ...podSpec, restartPolicy: "Never" } } } },
    definition: "io.k8s.api.batch.v1.Job",
    subresources: ["status"],
  },
  {
    collection: "/apis/batch/v1/namespaces/default/cronjobs",
    object: {
      metadata: { name: "cron" },
      spec: { schedule: "* * * * *", jobTemplate: { spec: { template: { spec: { ...podSpec, restartPolicy: "Never" } } } } },
    },
    definition: "io.k8s.api.batch.v1.CronJob",
    subresources: ["status"],
  },
  {
    collection: "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
    object: {
      metadata: { name: "web" },
      spec: {
        rules: [
          {
            host: "a.example.com",
            http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }] },
          },
        ],
      },
    },
    definition: "io.k8s.api.networking.v1.Ingress",
    subresources: ["status"],
  },
  {
    collection: "/apis/policy/v1/namespaces/default/poddisruptionbudgets",
    object: { metadata: { name: "budget" }, spec: { minAvailable: "50%", selector: { matchLabels: labels } } },
    definition: "io.k8s.api.policy.v1.PodDisruptionBudget",
    subresources: ["status"],
  },
  {
    collection: "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers",
    object: {
      metadata: { name: "hpa" },
      spec: {
        scaleTargetRef: { kind: "Deployment", name: "web", apiVersion: "apps/v1" },
        maxReplicas: 3,
        metrics: [{ type: "Resource", resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } } }],
      },
    },
    definition: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    subresources: ["status"],
  },
  {
    collection: "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    object: { metadata: { name: "role" }, rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
    definition: "io.k8s.api.rbac.v1.ClusterRole",
  },
  {
    collection: "/apis/scheduling.k8s.io/v1/priorityclasses",
    object: { metadata: { name: "high" }, value: 1000 },
    definition: "io.k8s.api.scheduling.v1.PriorityClass",
  },
  {
    collection: "/apis/coordination.k8s.io/v1/namespaces/default/leases",
    object: { metadata: { name: "lease" }, spec: { holderIdentity: "me", leaseDurationSeconds: 15 } },
    definition: "io.k8s.api.coordination.v1.Lease",
  },
  {
    collection: "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    object: crontabs,
    definition: "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition",
    subresources: ["status"],
  },
  {
    collection: "/apis/example.com/v1/namespaces/default/crontabs",
    object: {
      apiVersion: "example.com/v1",
      kind: "CronTab",
      metadata: { name: "tab" },
      spec: { schedule: "* *", replicas: 2, anything: { x: [1, { y: null }] }, port: "http", parts: [{ name: "a" }] },
    },
    subresources: ["status", "scale"],
  },
];
