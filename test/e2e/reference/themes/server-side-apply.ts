/** Server-side apply: who owns a field, who may change it, and what a manifest must say. */
import {
  aConfigMap,
  aDeployment,
  apply,
  configMaps,
  deployments,
  forceApply,
  get,
  jsonPatch,
  mergePatch,
  put,
  services,
  type Theme,
} from "../requests.ts";

const a = `${configMaps}/a`;
const shop = `${deployments}/shop`;
const front = `${services}/front`;

/** A manifest of the Deployment that says only this of its one container. */
const container = (fields: object) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "shop" },
  spec: { template: { spec: { containers: [{ name: "main", ...fields }] } } },
});
const deploymentSpec = (spec: object) => ({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "shop" }, spec });
const service = (spec: object, metadata: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "front", ...metadata },
  spec,
});
const owner = { apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "u1" };

const managedFields = (entry: object) => ({ metadata: { managedFields: [entry] } });
const ownership = { manager: "x", operation: "Update", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:data": { "f:n": {} } } };

export const serverSideApply: Theme = {
  name: "server-side apply",
  scenarios: {
    "needs a manager, whose name is short and printable": [
      apply(a, "", aConfigMap("a", { x: "1" })),
      apply(a, "x".repeat(129), aConfigMap("a")),
      apply(a, "a%0Ab", aConfigMap("a")),
      apply(a, "one&force=maybe", aConfigMap("a")),
      apply(a, "one&fieldValidation=Bogus", aConfigMap("a")),
      mergePatch(`${a}?force=true`, { data: { x: "5" } }),
    ],
    "creates, and changes nothing the second time": [
      apply(a, "one", aConfigMap("a", { x: "1", y: "2" })),
      apply(a, "one", aConfigMap("a", { x: "1", y: "2" })),
      get(a),
    ],
    "conflicts over a value that differs, and shares one that does not": [
      apply(a, "one", aConfigMap("a", { x: "1", y: "2" })),
      apply(a, "two", aConfigMap("a", { x: "2" })),
      apply(a, "two", aConfigMap("a", { x: "2", y: "3" })),
      apply(a, "two", aConfigMap("a", { x: "1" })),
      forceApply(a, "two", aConfigMap("a", { x: "2" })),
      apply(a, "one", aConfigMap("a", { y: "2" })),
    ],
    "removes what its manager no longer says": [
      apply(a, "one", aConfigMap("a", { x: "1", y: "2" })),
      apply(a, "one", aConfigMap("a", { y: "2" })),
      apply(a, "one", aConfigMap("a", {})),
    ],
    "takes over from an update only by force": [
      apply(a, "one", aConfigMap("a", { x: "1" })),
      mergePatch(`${a}?fieldManager=editor`, { data: { n: "1" } }),
      apply(a, "two", aConfigMap("a", { n: "2" })),
      forceApply(a, "two", aConfigMap("a", { n: "2" })),
      put(`${a}?fieldManager=editor`, aConfigMap("a", { k: "v" })),
    ],
    "holds a manifest to the object that is there": [
      apply(a, "one", aConfigMap("a", { z: "1" }, { resourceVersion: "1" })),
      apply(a, "one", aConfigMap("c", { z: "1" })),
      apply(a, "one", aConfigMap("a", { z: "1" }, { namespace: "other" })),
      apply(a, "one", aConfigMap("a", { z: "1" }, { managedFields: [{ manager: "x" }] })),
      apply(a, "one", aConfigMap("a", { z: "2" }, { resourceVersion: "1" })),
    ],
    "reads YAML, and says what is wrong with it": [
      apply(a, "one", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  q: 'yes'\n"),
      apply(a, "one", "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n"),
      apply(a, "one", "kind: ConfigMap\nmetadata:\n  name: a\n"),
      apply(a, "one", "apiVersion: v2\nkind: ConfigMap\nmetadata:\n  name: a\n"),
      apply(a, "one", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n---\nkind: X\n"),
      apply(a, "one", aConfigMap("a", { z: null })),
    ],
    "tries out without keeping": [
      apply(a, "one&dryRun=All", aConfigMap("a")),
      apply(a, "one&dryRun=All", aConfigMap("a")),
      apply(a, "one&dryRun=Some", aConfigMap("a")),
      get(a),
    ],
    "lets managedFields be cleared and checks what is put there": [
      apply(a, "one", aConfigMap("a", { x: "1" })),
      mergePatch(`${a}?fieldManager=editor`, { metadata: { managedFields: null } }),
      mergePatch(`${a}?fieldManager=editor`, managedFields({})),
      apply(a, "one", aConfigMap("a", { x: "2" })),
      mergePatch(`${a}?fieldManager=editor`, managedFields(ownership)),
      mergePatch(`${a}?fieldManager=editor`, managedFields({ ...ownership, fieldsType: "FieldsV2" })),
      mergePatch(`${a}?fieldManager=editor`, { metadata: { managedFields: null } }),
      put(`${a}?fieldManager=editor`, aConfigMap("a", { k: "v2" }, { managedFields: [{}] })),
      put(`${a}?fieldManager=editor`, aConfigMap("a", { k: "v3" })),
    ],
    "merges a container's ports and variables by their keys": [
      apply(shop, "one", aDeployment("shop", { ports: [{ containerPort: 80 }], env: [{ name: "A", value: "1" }] })),
      apply(shop, "two", container({ image: "nginx:2", ports: [{ containerPort: 80, protocol: "UDP" }] })),
      apply(shop, "two", container({ ports: [{ containerPort: 80, protocol: "UDP" }], env: [{ name: "B", value: "1" }] })),
      apply(shop, "two", container({ ports: [{ containerPort: 80, name: "web" }] })),
      apply(shop, "one", aDeployment("shop")),
    ],
    "refuses elements without keys, and twice the same": [
      apply(shop, "one", aDeployment("shop")),
      apply(shop, "two", container({ ports: [{ protocol: "UDP", name: "web" }] })),
      apply(shop, "two", deploymentSpec({ template: { spec: { containers: [{ image: "nginx" }] } } })),
    ],
    "shares replicas with whoever scales": [
      apply(shop, "one", aDeployment("shop", {}, { replicas: 1 })),
      apply(shop, "two", deploymentSpec({ replicas: 3 })),
      forceApply(shop, "two", deploymentSpec({ replicas: 3, paused: true })),
      apply(`${shop}/scale`, "scaler", { apiVersion: "autoscaling/v1", kind: "Scale", metadata: { name: "shop" }, spec: { replicas: 5 } }),
      forceApply(`${shop}/scale`, "scaler", {
        apiVersion: "autoscaling/v1",
        kind: "Scale",
        metadata: { name: "shop" },
        spec: { replicas: 0 },
      }),
    ],
    "owns of a status what a controller says": [
      apply(shop, "one", aDeployment("shop")),
      apply(`${shop}/status`, "controller", {
        ...deploymentSpec({ replicas: 9 }),
        status: { observedGeneration: 7, replicas: 1 },
      }),
      get(shop),
    ],
    "takes over what client-side apply left": [
      mergePatch(`${shop}?fieldManager=kubectl-client-side-apply`, {}),
      apply(shop, "one", aDeployment("shop")),
      mergePatch(`${shop}?fieldManager=kubectl-client-side-apply`, {
        metadata: { annotations: { "kubectl.kubernetes.io/last-applied-configuration": "{}" } },
      }),
      apply(shop, "kubectl", aDeployment("shop", { image: "other" })),
      forceApply(shop, "kubectl", aDeployment("shop", { image: "other" })),
    ],
    "merges a Service's ports, finalizers and owners": [
      apply(front, "one", service({ ports: [{ port: 80 }, { port: 80, protocol: "UDP", name: "u" }] })),
      apply(
        front,
        "one",
        service(
          {
            ports: [
              { port: 80, name: "t" },
              { port: 80, protocol: "UDP", name: "u" },
            ],
          },
          { finalizers: ["a.b/c", "a.b/d"], ownerReferences: [owner] },
        ),
      ),
      apply(front, "two", service({ ports: [{ port: 81, name: "z" }], selector: { a: "b" } }, { finalizers: ["a.b/e", "a.b/d"] })),
      apply(front, "one", service({ ports: [{ port: 80, name: "t" }], selector: { c: "d" } })),
      forceApply(front, "one", service({ ports: [{ port: 80, name: "t" }], selector: { c: "d" } })),
      jsonPatch(front, [{ op: "remove", path: "/metadata/finalizers" }]),
    ],
  },
};
