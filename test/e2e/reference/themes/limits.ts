/** ResourceQuotas and LimitRanges: what they may say, and what they keep out. Nobody counts here, so the status is written by hand. */
import {
  aConfigMap,
  aDeployment,
  aPod,
  configMaps,
  deployments,
  get,
  mergePatch,
  namespaced,
  pods,
  post,
  remove,
  type Step,
  secrets,
  services,
  type Theme,
  until,
} from "../requests.ts";

const quotas = namespaced("resourcequotas");
const ranges = namespaced("limitranges");
const claims = namespaced("persistentvolumeclaims");

type Amounts = Readonly<Record<string, string>>;

const quota = (name: string, spec: object) => post(quotas, { metadata: { name }, spec });
const selecting = (...matchExpressions: readonly object[]) => ({ hard: { pods: "1" }, scopeSelector: { matchExpressions } });
/** What may be there, and nothing is. */
const counted = (name: string, hard: Amounts): Step[] => [
  mergePatch(`${quotas}/${name}/status`, {
    status: { hard, used: Object.fromEntries(Object.keys(hard).map((resource) => [resource, "0"])) },
  }),
  until(`${quotas}/${name}`, ({ status }) => status.used !== undefined),
];
/** Upstream's plugin reads what a watch has told it. */
function aMoment(): Step {
  let began: number | undefined;
  return until(quotas, () => Date.now() - (began ??= Date.now()) > 300);
}
const range = (name: string, ...limits: readonly object[]) => post(ranges, { metadata: { name }, spec: { limits } });
const sized = (name: string, resources: object = {}, spec: object = {}) =>
  post(pods, aPod(name, { containers: [{ name: "main", image: "nginx", resources }], ...spec }));
const claim = (name: string, storage: string) =>
  post(claims, {
    metadata: { name },
    spec: { storageClassName: "x", accessModes: ["ReadWriteOnce"], resources: { requests: { storage } } },
  });
const service = (name: string) => post(services, { metadata: { name }, spec: { ports: [{ port: 80 }] } });

const hard: Amounts = {
  pods: "1",
  "requests.cpu": "1",
  "limits.memory": "1Gi",
  configmaps: "2",
  "count/secrets": "1",
  "count/deployments.apps": "1",
  services: "1",
  "services.nodeports": "0",
  persistentvolumeclaims: "1",
  "requests.storage": "1Gi",
};

export const limits: Theme = {
  name: "quotas and limits",
  scenarios: {
    "a quota is of what can be counted": [
      quota("a", { hard: { cpu: "-1" } }),
      quota("b", { hard: { bogus: "1" } }),
      quota("c", { hard: { pods: "1.5" } }),
      quota("d", { hard: { pods: "x" } }),
      quota("e", { hard: { "count/pods": 1 } }),
      quota("f", { hard: { "limits.nvidia.com/gpu": "1" } }),
      quota("g", {
        hard: { "hugepages-2Mi": "4Mi", "requests.hugepages-2Mi": "1Mi", "a.storageclass.storage.k8s.io/requests.storage": "1" },
      }),
      quota("h", { hard: { memory: "1.5Gi", cpu: 0.5, "ephemeral-storage": "1G", persistentvolumeclaims: "010" } }),
      quota("i", {}),
      quota("A", { hard: {} }),
    ],
    "a quota has a scope": [
      quota("a", { hard: { services: "1" }, scopes: ["BestEffort"] }),
      quota("b", { hard: { pods: "1" }, scopes: ["BestEffort", "NotBestEffort"] }),
      quota("c", { hard: { pods: "1" }, scopes: ["Bogus"] }),
      quota("d", { hard: { cpu: "1" }, scopes: ["BestEffort"] }),
      quota("e", { hard: { pods: "1" }, scopes: ["PriorityClass"] }),
      quota("f", selecting({ scopeName: "PriorityClass", operator: "In" })),
      quota("g", selecting({ scopeName: "PriorityClass", operator: "Exists", values: ["x"] })),
      quota("h", selecting({ scopeName: "BestEffort", operator: "In", values: ["x"] })),
      quota("i", selecting({ scopeName: "X", operator: "Y" })),
      quota("j", selecting({ scopeName: "CrossNamespacePodAffinity", operator: "Exists" })),
      quota("k", {
        ...selecting({ scopeName: "VolumeAttributesClass", operator: "In", values: ["x"] }),
        hard: { persistentvolumeclaims: 1 },
      }),
      mergePatch(`${quotas}/e`, { spec: { scopes: ["NotBestEffort"] } }),
      mergePatch(`${quotas}/e`, { spec: { hard: { pods: 2 } } }),
    ],
    "a quota is counted": [
      quota("a", { hard: { pods: 1 } }),
      mergePatch(`${quotas}/a/status`, { status: { hard: { pods: -1 }, used: { pods: "x" } } }),
      mergePatch(`${quotas}/a/status`, { status: { hard: { bogus: 1 }, used: { pods: "1.5" } } }),
      mergePatch(`${quotas}/a/status`, { spec: { hard: { pods: 9 } }, status: { hard: { pods: 5 }, used: { pods: 2 } } }),
      get(`${quotas}/a`),
    ],
    "a quota is exceeded": [
      quota("q", { hard }),
      ...counted("q", hard),
      aMoment(),
      sized("a"),
      sized("b", { requests: { cpu: "2" }, limits: { memory: "2Gi" } }),
      sized("c", { requests: { cpu: "1" }, limits: { memory: "1Gi" } }),
      sized("d", { requests: { cpu: "1m" }, limits: { memory: "1Mi" } }),
      ...["a", "b", "c"].map((name) => post(configMaps, aConfigMap(name))),
      post(`${configMaps}?dryRun=All`, aConfigMap("c")),
      ...["a", "b"].map((name) => post(secrets, { metadata: { name } })),
      ...["a", "b"].map(service),
      mergePatch(`${services}/a`, { spec: { type: "NodePort" } }),
      claim("a", "2Gi"),
      claim("b", "1Gi"),
      claim("c", "1Mi"),
      ...["a", "b"].map((name) => post(deployments, aDeployment(name))),
    ],
    "nobody has counted yet": [
      quota("q", { hard: { pods: "1", configmaps: "1" } }),
      mergePatch(`${quotas}/q/status`, { status: { hard: { pods: "1", configmaps: "1" } } }),
      aMoment(),
      sized("a"),
      post(configMaps, aConfigMap("a")),
    ],
    "a limit is within bounds": [
      range("a", { type: "Container", min: { cpu: "2" }, max: { cpu: "1" } }),
      range("b", { type: "Container", default: { cpu: "2" }, max: { cpu: "1" } }),
      range("c", { type: "Container", defaultRequest: { cpu: "2" }, default: { cpu: "1" } }),
      range("d", { type: "Pod", default: { cpu: "2" }, defaultRequest: { cpu: 1 } }),
      range("e", { type: "Bogus", min: { cpu: "2" } }),
      range("f", { type: "PersistentVolumeClaim" }),
      range("g", { type: "PersistentVolumeClaim", max: { storage: "1Gi" }, min: { storage: "2Gi" } }),
      range("h", { type: "Container", maxLimitRequestRatio: { cpu: "0.5" } }),
      range("i", { type: "Container", maxLimitRequestRatio: { cpu: "5" }, min: { cpu: "1" }, max: { cpu: "2" } }),
      range("j", { type: "Container", min: { bogus: 1 } }),
      range("k", { type: "Container" }, { type: "Container" }),
      range("l", { max: { cpu: 1 } }),
      range("m", { type: "Container", min: { cpu: "-1" } }),
      range("n", { type: "Container", min: { cpu: "1" }, default: { cpu: "500m" }, defaultRequest: { cpu: "250m" } }),
      range("o", { type: "example.com/Custom", max: { cpu: "1" } }),
      range("p", { type: "Container", max: { cpu: "1", memory: "1Gi", "nvidia.com/gpu": 1 } }),
      range("q", { type: "Container", min: { cpu: "100m" } }),
    ],
    "Pods and claims are within limits": [
      range(
        "l",
        { type: "Container", min: { cpu: "100m" }, max: { cpu: "1" }, default: { cpu: "500m" }, maxLimitRequestRatio: { cpu: "2" } },
        { type: "Pod", max: { cpu: "1500m" }, min: { cpu: "150m" } },
        { type: "PersistentVolumeClaim", min: { storage: "1Gi" }, max: { storage: "2Gi" } },
      ),
      sized("a"),
      sized("b", { requests: { cpu: "10m" }, limits: { cpu: "2" } }),
      sized("c", { requests: { cpu: "200m" }, limits: { cpu: "500m" } }),
      sized("d", { limits: { cpu: "100m", memory: "64Mi" } }),
      sized("e", { limits: { "ephemeral-storage": "1Gi" } }),
      post(pods, aPod("f", { containers: ["a", "b"].map((name) => ({ name, image: "x", resources: { limits: { cpu: "1" } } })) })),
      sized("g", {}, { initContainers: [{ name: "i", image: "x", resources: { limits: { cpu: "2" } } }] }),
      claim("a", "512Mi"),
      claim("b", "3Gi"),
      claim("c", "1Gi"),
      post(deployments, aDeployment("a", { resources: { limits: { cpu: 5 } } })),
      remove(`${ranges}/l`),
    ],
  },
};
