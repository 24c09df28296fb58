/** What the server says it serves, and what it says to paths and methods that it does not. */
import { get, namespaced, plain, post, remove, type Step, type Theme, until } from "../requests.ts";

const aggregated = { accept: "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList" };
const definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const group = "/apis/{namespace}.example.com";
const reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

const groupVersions = [
  "admissionregistration.k8s.io/v1",
  "apiextensions.k8s.io/v1",
  "apiregistration.k8s.io/v1",
  "apps/v1",
  "authentication.k8s.io/v1",
  "authorization.k8s.io/v1",
  "autoscaling/v1",
  "autoscaling/v2",
  "batch/v1",
  "certificates.k8s.io/v1",
  "coordination.k8s.io/v1",
  "discovery.k8s.io/v1",
  "events.k8s.io/v1",
  "flowcontrol.apiserver.k8s.io/v1",
  "networking.k8s.io/v1",
  "node.k8s.io/v1",
  "policy/v1",
  "rbac.authorization.k8s.io/v1",
  "resource.k8s.io/v1",
  "scheduling.k8s.io/v1",
  "storage.k8s.io/v1",
];

const anything = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
const version = (name: string, more: object) => ({ name, served: true, schema: { openAPIV3Schema: anything }, ...more });
const gizmos = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "gizmos.{namespace}.example.com" },
  spec: {
    group: "{namespace}.example.com",
    scope: "Namespaced",
    names: { plural: "gizmos", singular: "gizmo", kind: "Gizmo", listKind: "GizmoList", shortNames: ["gz"], categories: ["all"] },
    versions: [
      version("v1", {
        storage: true,
        subresources: { status: {}, scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" } },
      }),
      version("v1beta1", { storage: false, deprecated: true }),
    ],
  },
};

/** Every method with what it would carry. */
const withAllMethods = (path: string): Step[] => [
  post(path, {}),
  plain("PUT", path, { "content-type": "application/json" }, "{}"),
  plain("PATCH", path, { "content-type": "application/merge-patch+json" }, "{}"),
  remove(path),
  plain("OPTIONS", path, {}),
  plain("BOGUS", path, {}),
];

export const discovery: Theme = {
  name: "discovery",
  scenarios: {
    "says what there is": ["/api/v1", ...groupVersions.flatMap((each) => [`/apis/${each.split("/")[0]}`, `/apis/${each}`])].map((path) =>
      get(path),
    ),
    "says it in one document": [
      get("/api", aggregated),
      get("/apis", aggregated),
      get("/api/v1", aggregated),
      get("/apis/apps", aggregated),
    ],
    "says what a definition adds": [
      post(definitions, gizmos),
      until(`${group}/v1`, ({ resources }) => resources?.length > 0),
      until(`${group}/v1beta1/gizmos`, ({ kind }) => kind === "GizmoList"),
      until("/apis", ({ groups }) => groups.some(({ name }: { name: string }) => name.endsWith(".example.com"))),
      get(group),
      get(`${group}/v1`),
      get(`${group}/v1beta1`),
      get("/apis", aggregated),
      get(`${group}/v1beta1/gizmos`),
      get(`${group}/v2`),
      get(`${group}/v2/gizmos`),
      get(`${group}/v1/nope`),
      get(`${group}/v1/gizmos/x`),
      post(`${group}/v1/gizmos`, {}),
      get(`${group}/v1/namespaces/{namespace}/gizmos/x/scale`),
    ],
    "does not know other paths": [
      "/nope",
      "/swagger.json",
      "/api/v2",
      "/api/v1/nope",
      "/api/v1/nope/x",
      "/api/v1/pods/x",
      "/api/v1/nodes/x/nope",
      namespaced("nope"),
      namespaced("nope/x"),
      namespaced("nodes"),
      namespaced("nodes/x"),
      namespaced("pods/x/nope"),
      namespaced("configmaps/a/b"),
      namespaced("bindings/x"),
      "/apis/nope",
      "/apis/nope/v1",
      "/apis/nope/v1/things",
      "/apis/apps/v2",
      "/apis/apps/v2/deployments",
      "/apis/apps/v1/nope",
      "/apis/apps/v1/deployments/x",
      namespaced("deployments/x/nope", "apps/v1"),
      "/apis/apps/v1beta1/deployments",
      "/apis/extensions/v1beta1/ingresses",
      `${reviews}/x`,
    ].map((path) => get(path)),
    "does not know other methods": [
      "/api/v1",
      "/apis/apps/v1",
      "/version",
      "/nope",
      "/api/v1/configmaps",
      namespaced("pods/x/log"),
      namespaced("nope"),
      "/apis/nope/v1/x",
      `${reviews}/x`,
    ].flatMap(withAllMethods),
    "ignores a slash at the end": ["/api/v1/", "/apis/apps/", "/apis/apps/v1/", namespaced("configmaps/")].map((path) => get(path)),
    "says how the server is": ["/healthz", "/livez", "/readyz", "/healthz/ping", "/livez/ping", "/readyz/ping", "/healthz/nope"].map(
      (path) => get(path),
    ),
  },
};
