/** What is wrong with objects of many kinds, and what may not change of them. */
import { aPod, mergePatch, namespaced, pods, post, secrets, services, type Theme } from "../requests.ts";

const containers = [{ name: "main", image: "nginx" }];
const selector = { matchLabels: { app: "shop" } };
const template = { metadata: { labels: { app: "shop" } }, spec: { containers } };
const statefulSets = namespaced("statefulsets", "apps/v1");
const jobs = namespaced("jobs", "batch/v1");
const cronJobs = namespaced("cronjobs", "batch/v1");
const claims = namespaced("persistentvolumeclaims");
const limits = namespaced("limitranges");

const named = (name: string, fields: object) => ({ metadata: { name }, ...fields });
const withResources = (name: string, resources: object) => aPod(name, { containers: [{ ...containers[0], resources }] });

export const validation: Theme = {
  name: "validation",
  scenarios: {
    "a StatefulSet keeps its service and its way of starting": [
      post(statefulSets, named("s", { spec: { serviceName: "x", selector, template } })),
      mergePatch(`${statefulSets}/s`, { spec: { replicas: 4, ordinals: { start: 2 } } }),
      mergePatch(`${statefulSets}/s`, { spec: { serviceName: "y" } }),
      mergePatch(`${statefulSets}/s`, { spec: { podManagementPolicy: "Parallel" } }),
    ],
    "a Job keeps its template and completions": [
      post(jobs, named("j", { spec: { completions: 2, parallelism: 1, template: { spec: { containers, restartPolicy: "Never" } } } })),
      mergePatch(`${jobs}/j`, { spec: { parallelism: 5, suspend: true } }),
      mergePatch(`${jobs}/j`, { spec: { backoffLimit: 2, activeDeadlineSeconds: 3, ttlSecondsAfterFinished: 5 } }),
      mergePatch(`${jobs}/j`, { spec: { completions: 5 } }),
    ],
    "a CronJob has a schedule": [
      post(
        cronJobs,
        named("c", {
          spec: {
            schedule: "x",
            timeZone: "Bogus/Zone",
            concurrencyPolicy: "x",
            jobTemplate: { spec: { template: { spec: { restartPolicy: "Always", containers: [] } } } },
          },
        }),
      ),
    ],
    "Ingresses and NetworkPolicies": [
      post(
        namespaced("ingresses", "networking.k8s.io/v1"),
        named("i", {
          spec: {
            rules: [{ host: "*.a.b", http: { paths: [{ path: "x", pathType: "Prefix", backend: {} }] } }, { host: "1.2.3.4" }],
            tls: [{ hosts: ["A"] }],
          },
        }),
      ),
      post(
        namespaced("networkpolicies", "networking.k8s.io/v1"),
        named("n", {
          spec: {
            podSelector: { matchLabels: { "a b": "c" } },
            policyTypes: ["X"],
            egress: [{ to: [{}], ports: [{ port: 10, endPort: 5 }] }],
          },
        }),
      ),
    ],
    "endpoints and autoscalers": [
      post(
        namespaced("endpointslices", "discovery.k8s.io/v1"),
        named("e", { addressType: "IPv4", endpoints: [{ addresses: ["::1"] }, { addresses: [] }], ports: [{ name: "A" }, { name: "A" }] }),
      ),
      post(
        namespaced("horizontalpodautoscalers", "autoscaling/v2"),
        named("h", { spec: { minReplicas: 0, maxReplicas: -1, scaleTargetRef: {}, metrics: [{ type: "Resource" }, { type: "Bogus" }] } }),
      ),
    ],
    "Secrets of types": [
      post(secrets, named("tls", { type: "kubernetes.io/tls" })),
      post(secrets, named("basic", { type: "kubernetes.io/basic-auth" })),
      post(secrets, named("ssh", { type: "kubernetes.io/ssh-auth" })),
      post(secrets, named("token", { type: "kubernetes.io/service-account-token" })),
      post(secrets, named("keys", { data: { "a b": "" } })),
    ],
    "Services of types": [
      post(services, named("a", { spec: { ports: [{ port: 80 }], type: "NodePort" } })),
      post(services, named("b", { spec: { ports: [{ port: 80, nodePort: 80 }], type: "NodePort" } })),
      post(services, named("c", { spec: { type: "ExternalName" } })),
      post(services, named("d", { spec: {} })),
      post(services, named("d", { spec: { ports: [{ port: 80 }], ipFamilies: ["IPv6"] } })),
      post(services, named("1f", { spec: { ports: [{ port: 80 }] } })),
    ],
    "a claim is bound": [
      post(
        claims,
        named("a", { spec: { storageClassName: "x", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } }),
      ),
      mergePatch(`${claims}/a/status`, { status: { phase: "Bound", capacity: { storage: "1Gi" } } }),
      mergePatch(`${claims}/a`, { spec: { volumeName: "v" } }),
    ],
    "limits give defaults and set bounds": [
      post(
        limits,
        named("l", {
          spec: {
            limits: [
              {
                type: "Container",
                min: { cpu: "100m" },
                max: { cpu: "1", memory: "1Gi" },
                default: { cpu: "500m", memory: "512Mi" },
                defaultRequest: { cpu: "200m" },
              },
            ],
          },
        }),
      ),
      post(pods, aPod("a")),
      post(pods, withResources("b", { limits: { cpu: "2" } })),
      post(pods, withResources("c", { requests: { cpu: "50m" } })),
      post(limits, named("bad", { spec: { limits: [{ type: "Container", min: { cpu: "2" }, max: { cpu: "1" } }] } })),
    ],
    "Pods name what is there": [
      post(pods, aPod("a", { priorityClassName: "nope" })),
      post(pods, aPod("b", { priority: 5 })),
      post(pods, aPod("c", { runtimeClassName: "nope" })),
      post(pods, aPod("d", { serviceAccountName: "nope" })),
      post(pods, aPod("e", { automountServiceAccountToken: false })),
      post(pods, aPod("f", { tolerations: [{ operator: "Exists" }] })),
      post(pods, aPod("g", { priorityClassName: "system-node-critical" })),
    ],
  },
};
