/** One object of nearly every kind: created, read, shown as a row, updated, its status patched, and deleted. */
import { asTable, clusterScoped, get, mergePatch, namespaced, post, put, remove, type Step, type Theme } from "../requests.ts";

/** Where a kind is, and what an object of it needs. Those without a namespace are named after the scenario's. */
interface Sample {
  readonly path: string;
  readonly body: object;
  readonly name?: string;
}

const containers = [{ name: "main", image: "nginx" }];
const selector = { matchLabels: { app: "shop" } };
const template = { metadata: { labels: { app: "shop" } }, spec: { containers } };
const jobTemplate = (restartPolicy: string) => ({ spec: { containers, restartPolicy } });
const claim = { storageClassName: "fast", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } };
const deviceRequest = { devices: { requests: [{ name: "r", exactly: { deviceClassName: "d" } }] } };

const inNamespace = (resource: string, groupVersion: string, body: object): Sample => ({ path: namespaced(resource, groupVersion), body });
const ofCluster = (resource: string, groupVersion: string, body: object): Sample => ({
  path: clusterScoped(resource, groupVersion),
  body,
  name: "{namespace}",
});

const samples: readonly Sample[] = [
  inNamespace("configmaps", "v1", { data: { a: "b" }, binaryData: { z: "AAA=" } }),
  inNamespace("secrets", "v1", { stringData: { a: "b" } }),
  inNamespace("serviceaccounts", "v1", {}),
  inNamespace("endpoints", "v1", { subsets: [{ addresses: [{ ip: "1.2.3.4" }], ports: [{ port: 80 }] }] }),
  inNamespace("events", "v1", {
    involvedObject: { namespace: "{namespace}", kind: "Pod", name: "p" },
    reason: "Started",
    message: "it runs",
    type: "Normal",
  }),
  inNamespace("limitranges", "v1", { spec: { limits: [{ type: "Container", default: { cpu: "1" } }] } }),
  inNamespace("persistentvolumeclaims", "v1", { spec: claim }),
  inNamespace("podtemplates", "v1", { template }),
  inNamespace("replicationcontrollers", "v1", { spec: { template } }),
  inNamespace("resourcequotas", "v1", { spec: { hard: { "requests.cpu": 1 } } }),
  ofCluster("persistentvolumes", "v1", {
    spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/x" } },
  }),
  ofCluster("nodes", "v1", {}),
  inNamespace("controllerrevisions", "apps/v1", { revision: 1, data: { a: 1 } }),
  inNamespace("deployments", "apps/v1", { spec: { selector, template } }),
  inNamespace("replicasets", "apps/v1", { spec: { selector, template } }),
  inNamespace("statefulsets", "apps/v1", {
    spec: { selector, template, volumeClaimTemplates: [{ metadata: { name: "data" }, spec: claim }] },
  }),
  inNamespace("jobs", "batch/v1", { spec: { template: jobTemplate("Never") } }),
  inNamespace("cronjobs", "batch/v1", {
    spec: { schedule: "* * * * *", jobTemplate: { spec: { template: jobTemplate("OnFailure") } } },
  }),
  inNamespace("horizontalpodautoscalers", "autoscaling/v1", {
    spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 50, scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "x" } },
  }),
  inNamespace("ingresses", "networking.k8s.io/v1", {
    spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } },
  }),
  inNamespace("networkpolicies", "networking.k8s.io/v1", {
    spec: { podSelector: {}, ingress: [{ ports: [{ port: 80 }], from: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] },
  }),
  ofCluster("ingressclasses", "networking.k8s.io/v1", { spec: { controller: "a.b/c" } }),
  inNamespace("poddisruptionbudgets", "policy/v1", { spec: { minAvailable: "50%", selector } }),
  inNamespace("endpointslices", "discovery.k8s.io/v1", {
    addressType: "IPv4",
    endpoints: [{ addresses: ["1.2.3.4"] }],
    ports: [{ port: 80 }],
  }),
  inNamespace("leases", "coordination.k8s.io/v1", {
    spec: { holderIdentity: "h", renewTime: "2020-01-01T00:00:00.000000Z", leaseDurationSeconds: 5 },
  }),
  inNamespace("events", "events.k8s.io/v1", {
    eventTime: "2020-01-01T00:00:00.000000Z",
    reportingController: "a.b/c",
    reportingInstance: "i",
    action: "a",
    reason: "r",
    type: "Warning",
    regarding: { kind: "Pod", name: "q", namespace: "{namespace}" },
    note: "n",
  }),
  inNamespace("roles", "rbac.authorization.k8s.io/v1", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] }),
  inNamespace("rolebindings", "rbac.authorization.k8s.io/v1", {
    roleRef: { kind: "Role", name: "x" },
    subjects: [
      { kind: "User", name: "u" },
      { kind: "ServiceAccount", name: "s" },
    ],
  }),
  ofCluster("clusterroles", "rbac.authorization.k8s.io/v1", { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] }),
  ofCluster("clusterrolebindings", "rbac.authorization.k8s.io/v1", { roleRef: { kind: "ClusterRole", name: "x" } }),
  inNamespace("csistoragecapacities", "storage.k8s.io/v1", { storageClassName: "b", capacity: "1Gi" }),
  ofCluster("csidrivers", "storage.k8s.io/v1", { spec: {} }),
  ofCluster("csinodes", "storage.k8s.io/v1", { spec: { drivers: [{ name: "a.b", nodeID: "n", topologyKeys: ["zone"] }] } }),
  ofCluster("storageclasses", "storage.k8s.io/v1", { provisioner: "a.b/c" }),
  ofCluster("volumeattachments", "storage.k8s.io/v1", {
    spec: { attacher: "a.b", nodeName: "n", source: { persistentVolumeName: "p" } },
  }),
  ofCluster("priorityclasses", "scheduling.k8s.io/v1", { value: 5 }),
  ofCluster("runtimeclasses", "node.k8s.io/v1", { handler: "h" }),
  inNamespace("resourceclaims", "resource.k8s.io/v1", { spec: deviceRequest }),
  inNamespace("resourceclaimtemplates", "resource.k8s.io/v1", { spec: { spec: deviceRequest } }),
  ofCluster("deviceclasses", "resource.k8s.io/v1", { spec: { selectors: [{ cel: { expression: "true" } }] } }),
];

const lifeOf = ({ path, body, name = "x" }: Sample): Step[] => [
  post(path, { metadata: { name }, ...body }),
  get(`${path}/${name}`),
  get(`${path}/${name}`, asTable),
  put(`${path}/${name}`, (earlier) => ({ ...earlier[1], metadata: { ...earlier[1].metadata, labels: { q: "r" } } })),
  mergePatch(`${path}/${name}/status`, { status: { unheardOf: 1 }, metadata: { labels: { s: "t" } } }),
  remove(`${path}/${name}`),
  get(`${path}?fieldSelector=unheard%3D1`),
];

export const kinds: Theme = {
  name: "kinds",
  scenarios: Object.fromEntries(samples.map((sample) => [sample.path, lifeOf(sample)])),
};
