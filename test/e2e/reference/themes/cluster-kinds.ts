/** Kinds that describe the cluster, its rights and its network: what is wrong with them, and what may not change of them. */
import {
  aPod,
  asTable,
  clusterScoped,
  get,
  mergePatch,
  namespaced,
  pods,
  post,
  put,
  remove,
  strategicPatch,
  type Theme,
} from "../requests.ts";

const rbac = "rbac.authorization.k8s.io/v1";
const roles = namespaced("roles", rbac);
const clusterRoles = clusterScoped("clusterroles", rbac);
const bindings = namespaced("rolebindings", rbac);
const clusterBindings = clusterScoped("clusterrolebindings", rbac);
const endpoints = namespaced("endpoints");
const slices = namespaced("endpointslices", "discovery.k8s.io/v1");
const leases = namespaced("leases", "coordination.k8s.io/v1");
const nodes = clusterScoped("nodes");
const priorities = clusterScoped("priorityclasses", "scheduling.k8s.io/v1");
const runtimes = clusterScoped("runtimeclasses", "node.k8s.io/v1");
const ingressClasses = clusterScoped("ingressclasses", "networking.k8s.io/v1");
const policies = namespaced("networkpolicies", "networking.k8s.io/v1");
const ingresses = namespaced("ingresses", "networking.k8s.io/v1");
const budgets = namespaced("poddisruptionbudgets", "policy/v1");
const templates = namespaced("podtemplates");
const revisions = namespaced("controllerrevisions", "apps/v1");
const services = clusterScoped("apiservices", "apiregistration.k8s.io/v1");

const named = (name: string, fields: object = {}) => ({ metadata: { name }, ...fields });
const withSpec = (name: string, spec: object) => named(name, { spec });
const own = "{namespace}";
const rule = { apiGroups: [""], resources: ["pods"], verbs: ["get"] };
const node = (patch: object) => mergePatch(`${nodes}/${own}`, patch);
const backend = { service: { name: "s", port: { number: 1 } } };
const since = "2020-01-01T00:00:00Z";

export const clusterKinds: Theme = {
  name: "kinds of a cluster",
  scenarios: {
    roles: [
      post(roles, named("a b", { rules: [rule] })),
      post(roles, named("..", { rules: [rule] })),
      post(roles, named("a%b", { rules: [rule] })),
      post(roles, named("b", { rules: [{}] })),
      post(
        roles,
        named("c", {
          rules: [
            { verbs: ["get"], nonResourceURLs: ["/x"] },
            { ...rule, nonResourceURLs: ["/x"] },
            { ...rule, resources: [] },
            { ...rule, apiGroups: [] },
            { ...rule, verbs: [] },
          ],
        }),
      ),
      post(clusterRoles, named(own, { rules: [{ verbs: ["get"], nonResourceURLs: ["/x", "x", "/y*"] }] })),
      post(clusterRoles, named(`${own}-2`, { aggregationRule: {} })),
      post(clusterRoles, named(`${own}-3`, { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { "a b": "c" } }] } })),
    ],
    bindings: [
      post(bindings, named("a")),
      post(bindings, named("b", { roleRef: { kind: "X", name: "y", apiGroup: "z" } })),
      post(bindings, named("c", { roleRef: { kind: "ClusterRole", name: "a/b" } })),
      post(
        bindings,
        named("d", {
          roleRef: { kind: "ClusterRole", name: "view" },
          subjects: [
            {},
            { kind: "User" },
            { kind: "User", name: "x", apiGroup: "y" },
            { kind: "ServiceAccount", name: "A" },
            { kind: "ServiceAccount", name: "a", namespace: "x", apiGroup: "y" },
            { kind: "Bogus", name: "x" },
            { kind: "Group", name: "g", namespace: "x" },
          ],
        }),
      ),
      post(bindings, named("e", { roleRef: { kind: "ClusterRole", name: "view" }, subjects: [{ kind: "Group", name: "g" }] })),
      mergePatch(`${bindings}/e`, { roleRef: { name: "edit" } }),
      mergePatch(`${bindings}/e`, { subjects: null }),
      post(clusterBindings, named(own, { roleRef: { kind: "Role", name: "x" } })),
      post(clusterBindings, named(own, { roleRef: { kind: "ClusterRole", name: "x" }, subjects: [{ kind: "ServiceAccount", name: "a" }] })),
      post(clusterBindings, named(own, { roleRef: { kind: "ClusterRole", name: "x" }, subjects: [{ kind: "User", name: "u" }] })),
      get(`${clusterBindings}/${own}`, asTable),
      mergePatch(`${clusterBindings}/${own}`, { roleRef: { name: "y" } }),
    ],
    endpoints: [
      post(
        endpoints,
        named("a", {
          subsets: [
            {
              addresses: [{ ip: "1.2.3.4", hostname: "h", nodeName: "n", targetRef: { kind: "Pod", name: "p" } }, { ip: "1.2.3.3" }],
              notReadyAddresses: [{ ip: "1.2.3.9" }],
              ports: [
                { port: 80, name: "b" },
                { port: 81, name: "a", protocol: "UDP", appProtocol: "x" },
              ],
            },
            { addresses: [{ ip: "1.2.3.4" }], ports: [{ port: 82, name: "c" }] },
          ],
        }),
      ),
      post(endpoints, named("b", { subsets: [{}] })),
      post(
        endpoints,
        named("c", {
          subsets: [
            {
              addresses: ["x", "127.0.0.1", "0.0.0.0", "169.254.1.1", "224.0.0.1", "01.2.3.4"].map((ip) => ({ ip })),
              ports: [{ port: 0 }, { port: 1, protocol: "X" }, { port: 80, name: "A" }],
            },
          ],
        }),
      ),
      mergePatch(`${endpoints}/a`, { subsets: null }),
      get(`${endpoints}/a`, asTable),
    ],
    "slices of endpoints": [
      post(slices, named("a")),
      post(slices, named("b", { addressType: "X", endpoints: [] })),
      post(slices, named("c", { addressType: "FQDN", endpoints: [{ addresses: ["a.b"] }], ports: [{ port: 1 }] })),
      post(
        slices,
        named("d", {
          addressType: "IPv4",
          endpoints: [
            { addresses: ["1.2.3.4"], conditions: { ready: true }, nodeName: "n", zone: "z", hints: { forZones: [{ name: "a" }] } },
          ],
          ports: [{ name: "", port: 80, protocol: "TCP", appProtocol: "http" }, { name: "x" }],
        }),
      ),
      post(
        slices,
        named("e", {
          addressType: "IPv4",
          endpoints: [{ addresses: ["127.0.0.1", "x"], hostname: "A", hints: { forZones: [{ name: "" }, { name: "a" }, { name: "a" }] } }],
          ports: [{ name: "A", port: 0, protocol: "X", appProtocol: "a b" }],
        }),
      ),
      post(slices, named("f", { addressType: "IPv6", endpoints: [{ addresses: ["::1", "fe80::1", "2001:db8::1"] }] })),
      mergePatch(`${slices}/d`, { addressType: "IPv6" }),
      get(`${slices}/d`, asTable),
    ],
    leases: [
      post(leases, named("a")),
      post(leases, withSpec("b", { leaseDurationSeconds: 0, leaseTransitions: -1, holderIdentity: "" })),
      post(leases, withSpec("c", { renewTime: "bogus" })),
      post(leases, withSpec("d", { acquireTime: "2020-01-01T00:00:00.5Z", renewTime: "2020-01-01T02:00:00.123456+02:00" })),
      post(leases, withSpec("e", { strategy: "OldestEmulationVersion", preferredHolder: "x" })),
      put(`${leases}/new`, withSpec("new", { holderIdentity: "z", leaseTransitions: 1 })),
      mergePatch(`${leases}/new`, { spec: { leaseTransitions: 0 } }),
      get(`${leases}/new`, asTable),
    ],
    nodes: [
      post(nodes, withSpec(own, { podCIDRs: ["10.0.0.0/24"], providerID: "a://b", taints: [{ key: "a", effect: "NoSchedule" }] })),
      node({ spec: { podCIDRs: ["10.0.1.0/24"] } }),
      node({ spec: { providerID: "c" } }),
      node({ spec: { unschedulable: true } }),
      node({
        spec: {
          taints: [
            { key: "a", effect: "X" },
            { key: "a b", effect: "NoSchedule" },
            { key: "c", value: "a b", effect: "NoExecute" },
            { key: "c", effect: "NoExecute" },
            { key: "c" },
          ],
        },
      }),
      strategicPatch(`${nodes}/${own}`, { spec: { taints: [{ key: "b", value: "x", effect: "NoExecute", timeAdded: since }] } }),
      node({ spec: { taints: null, unschedulable: null } }),
      mergePatch(`${nodes}/${own}/status`, {
        spec: { unschedulable: true },
        status: {
          capacity: { cpu: "4", "nvidia.com/gpu": "1.5" },
          addresses: [
            { type: "InternalIP", address: "1.2.3.4" },
            { type: "InternalIP", address: "1.2.3.4" },
          ],
        },
      }),
      mergePatch(`${nodes}/${own}/status`, {
        status: {
          capacity: { cpu: "4", memory: "1Gi" },
          conditions: [{ type: "Ready", status: "True", lastHeartbeatTime: since, lastTransitionTime: since }],
          addresses: [{ type: "InternalIP", address: "1.2.3.4" }],
        },
      }),
      strategicPatch(`${nodes}/${own}/status`, {
        status: { addresses: [{ type: "Hostname", address: "h" }], conditions: [{ type: "Ready", status: "False" }] },
      }),
      get(`${nodes}/${own}`, asTable),
      post(nodes, withSpec(`${own}-2`, { podCIDR: "x", podCIDRs: ["10.0.0.0/24", "x"] })),
      get(`${nodes}?fieldSelector=spec.unschedulable%3Dtrue,metadata.name%3D${own}`),
      get(`${nodes}?fieldSelector=spec.bogus%3Dtrue`),
      put(`${nodes}/${own}`, named(own)),
      remove(`${nodes}/${own}`),
    ],
    "classes of priorities, runtimes and ingresses": [
      post(priorities, named(own, { value: 5, description: "d", preemptionPolicy: "Never" })),
      post(priorities, named(`${own}-1`, { value: 1_000_000_001 })),
      post(priorities, named("system-x", { value: 1 })),
      post(priorities, named(`${own}-2`, { value: 1, preemptionPolicy: "X" })),
      mergePatch(`${priorities}/${own}`, { value: 6 }),
      mergePatch(`${priorities}/${own}`, { preemptionPolicy: "PreemptLowerPriority" }),
      remove(`${priorities}/system-node-critical`),
      post(
        runtimes,
        named(own, {
          handler: "h",
          overhead: { podFixed: { cpu: "1m" } },
          scheduling: { nodeSelector: { a: "b" }, tolerations: [{ key: "x", operator: "Exists" }] },
        }),
      ),
      post(runtimes, named(`${own}-1`, { handler: "H" })),
      post(runtimes, named(`${own}-2`, {})),
      mergePatch(`${runtimes}/${own}`, { handler: "i" }),
      post(pods, aPod("a", { runtimeClassName: own })),
      post(pods, aPod("b", { runtimeClassName: own, overhead: { cpu: "5m" } })),
      post(
        ingressClasses,
        withSpec(own, { controller: "a.b/c", parameters: { kind: "X", name: "y", apiGroup: "z.z", scope: "Namespace", namespace: "n" } }),
      ),
      post(ingressClasses, withSpec(`${own}-1`, {})),
      post(ingressClasses, withSpec(`${own}-2`, { controller: "x", parameters: { kind: "", name: "", scope: "Namespace" } })),
      post(ingressClasses, withSpec(`${own}-3`, { controller: "a.b/c", parameters: { kind: "X", name: "y", namespace: "x" } })),
      mergePatch(`${ingressClasses}/${own}`, { spec: { controller: "a.b/d" } }),
      get(`${ingressClasses}/${own}`, asTable),
    ],
    "policies of the network": [
      post(policies, withSpec("a", {})),
      post(
        policies,
        withSpec("b", {
          podSelector: {},
          egress: [
            {
              to: [
                { ipBlock: { cidr: "10.0.0.0/8", except: ["11.0.0.0/8", "10.0.0.0/8", "x"] } },
                { namespaceSelector: {}, ipBlock: { cidr: "10.0.0.0/8" } },
              ],
              ports: [{ port: "a b" }, { port: 0 }, { protocol: "X" }, { port: "http", endPort: 5 }],
            },
          ],
        }),
      ),
      post(policies, withSpec("c", { podSelector: {}, egress: [{}], ingress: [{}] })),
      post(policies, withSpec("d", { podSelector: {}, policyTypes: ["Ingress", "Egress", "X"] })),
      mergePatch(`${policies}/c`, { spec: { podSelector: { matchLabels: { a: "b" } } } }),
      get(`${policies}/c`, asTable),
    ],
    ingresses: [
      post(ingresses, withSpec("a", { ingressClassName: "x", defaultBackend: { service: { name: "s", port: { name: "p" } } } })),
      post(ingresses, withSpec("b", {})),
      post(
        ingresses,
        withSpec("c", { ingressClassName: "A b", defaultBackend: { service: { name: "A", port: { name: "p", number: 5 } } } }),
      ),
      post(ingresses, {
        metadata: { name: "d", annotations: { "kubernetes.io/ingress.class": "x" } },
        spec: { ingressClassName: "x", defaultBackend: backend },
      }),
      post(
        ingresses,
        withSpec("e", {
          rules: [
            { host: "A.b", http: { paths: [] } },
            {
              http: {
                paths: [
                  { pathType: "Bogus", path: "/x", backend: { service: { name: "s", port: {} }, resource: { kind: "X", name: "y" } } },
                  { pathType: "Exact", path: "/a//b/../c%2f", backend: { service: { name: "s", port: { number: 99999 } } } },
                  { backend },
                ],
              },
            },
          ],
        }),
      ),
      mergePatch(`${ingresses}/a/status`, {
        status: { loadBalancer: { ingress: [{ ip: "x", hostname: "A", ports: [{ port: 0, protocol: "X", error: "a b" }] }] } },
      }),
      mergePatch(`${ingresses}/a/status`, { status: { loadBalancer: { ingress: [{ ip: "1.2.3.4" }, { hostname: "a.b" }] } } }),
      get(`${ingresses}/a`, asTable),
    ],
    budgets: [
      post(budgets, withSpec("a", { minAvailable: 1, maxUnavailable: 1 })),
      post(budgets, withSpec("b", { minAvailable: -1 })),
      post(budgets, withSpec("c", { minAvailable: "150%", selector: { matchLabels: { "a b": "c" } } })),
      post(budgets, withSpec("d", { maxUnavailable: "x" })),
      post(budgets, withSpec("e", {})),
      post(budgets, withSpec("f", { maxUnavailable: "50%", unhealthyPodEvictionPolicy: "X" })),
      post(budgets, withSpec("g", { maxUnavailable: 0, selector: {}, unhealthyPodEvictionPolicy: "AlwaysAllow" })),
      mergePatch(`${budgets}/g`, { spec: { maxUnavailable: 5 } }),
      mergePatch(`${budgets}/g/status`, { status: { disruptionsAllowed: -1, currentHealthy: -1 } }),
      mergePatch(`${budgets}/g/status`, { status: { disruptionsAllowed: 1, currentHealthy: 2, desiredHealthy: 1, expectedPods: 2 } }),
      get(`${budgets}/g`, asTable),
    ],
    "templates and revisions": [
      post(templates, named("a")),
      post(templates, named("b", { template: { spec: { containers: [] } } })),
      post(templates, named("c", { template: { metadata: { labels: { a: "b" } }, spec: { containers: [{ name: "c", image: "x" }] } } })),
      mergePatch(`${templates}/c`, { template: { spec: { restartPolicy: "Never" } } }),
      post(revisions, named("a", { revision: 1, data: { a: 1 } })),
      post(revisions, named("b", { revision: -1 })),
      post(revisions, named("c", { revision: 1, data: [1] })),
      mergePatch(`${revisions}/a`, { data: { b: 1 } }),
      mergePatch(`${revisions}/a`, { revision: 2 }),
      mergePatch(`${revisions}/a`, { revision: 0 }),
    ],
    "aggregated APIs": [
      post(services, withSpec("x", { group: "a.b", version: "v1", groupPriorityMinimum: 1000, versionPriority: 10 })),
      post(services, withSpec("v3.a.b", { group: "a.b", version: "v3" })),
      post(
        services,
        withSpec("v2.a.b", {
          group: "a.b",
          version: "v2",
          groupPriorityMinimum: 0,
          versionPriority: 0,
          service: {},
          insecureSkipTLSVerify: true,
        }),
      ),
    ],
  },
};
