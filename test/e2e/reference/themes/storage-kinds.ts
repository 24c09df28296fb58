/** Kinds of storage, of devices and of admission: what is wrong with them, and what may not change of them. */
import { asTable, clusterScoped, get, mergePatch, namespaced, post, remove, type Theme } from "../requests.ts";

const storage = "storage.k8s.io/v1";
const classes = clusterScoped("storageclasses", storage);
const attributes = clusterScoped("volumeattributesclasses", storage);
const attachments = clusterScoped("volumeattachments", storage);
const csiNodes = clusterScoped("csinodes", storage);
const drivers = clusterScoped("csidrivers", storage);
const capacities = namespaced("csistoragecapacities", storage);
const volumes = clusterScoped("persistentvolumes");
const claims = namespaced("persistentvolumeclaims");
const deviceClaims = namespaced("resourceclaims", "resource.k8s.io/v1");
const admission = "admissionregistration.k8s.io/v1";
const policies = clusterScoped("validatingadmissionpolicies", admission);
const policyBindings = clusterScoped("validatingadmissionpolicybindings", admission);
const validating = clusterScoped("validatingwebhookconfigurations", admission);
const mutating = clusterScoped("mutatingwebhookconfigurations", admission);

const own = "{namespace}";
const since = "2020-01-01T00:00:00Z";
const named = (name: string, fields: object = {}) => ({ metadata: { name }, ...fields });
const withSpec = (name: string, spec: object) => named(name, { spec });
const volume = (name: string, more: object = {}) =>
  post(
    volumes,
    withSpec(name, {
      capacity: { storage: "1Gi" },
      accessModes: ["ReadWriteOnce"],
      hostPath: { path: "/x" },
      storageClassName: "x",
      ...more,
    }),
  );
const claim = (name: string, more: object = {}) =>
  post(
    claims,
    withSpec(name, { storageClassName: "x", accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } }, ...more }),
  );
const onNodes = (key: string) => ({
  nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: "Exists" }] }] } },
});
const rules = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["pods"], operations: ["CREATE"] }];
const hook = (more: object = {}) => ({
  name: "a.b.c",
  clientConfig: { service: { namespace: "x", name: "y" } },
  sideEffects: "None",
  admissionReviewVersions: ["v1"],
  objectSelector: { matchLabels: { never: "matches" } },
  rules,
  ...more,
});

export const storageKinds: Theme = {
  name: "kinds of storage and admission",
  scenarios: {
    classes: [
      post(classes, named(own, { provisioner: "a.b/c", parameters: { a: "b" }, mountOptions: ["x"], allowVolumeExpansion: true })),
      post(classes, named(`${own}-1`, {})),
      post(classes, named(`${own}-2`, { provisioner: "a b", reclaimPolicy: "X", volumeBindingMode: "Y" })),
      post(
        classes,
        named(`${own}-3`, {
          provisioner: "x",
          parameters: { "": "x" },
          allowedTopologies: [
            {
              matchLabelExpressions: [
                { key: "", values: [] },
                { key: "a", values: ["x", "x"] },
              ],
            },
          ],
        }),
      ),
      mergePatch(`${classes}/${own}`, { provisioner: "c" }),
      mergePatch(`${classes}/${own}`, { parameters: { b: "c" }, reclaimPolicy: "Retain", volumeBindingMode: "WaitForFirstConsumer" }),
      mergePatch(`${classes}/${own}`, { allowVolumeExpansion: false, mountOptions: [] }),
      get(`${classes}/${own}`, asTable),
      remove(`${classes}/${own}`),
      post(attributes, named(`${own}-1`, {})),
    ],
    volumes: [
      volume(own, { persistentVolumeReclaimPolicy: "Retain", claimRef: { namespace: own, name: "c" } }),
      post(volumes, withSpec(`${own}-1`, {})),
      volume(`${own}-2`, { nfs: { server: "x", path: "y" } }),
      volume(`${own}-3`, {
        capacity: { cpu: 1 },
        accessModes: ["X"],
        persistentVolumeReclaimPolicy: "Y",
        hostPath: { path: "/x/../y" },
        storageClassName: "A b",
        volumeMode: "Z",
      }),
      volume(`${own}-4`, { capacity: { storage: 0 }, accessModes: ["ReadWriteOncePod", "ReadWriteOnce"] }),
      volume(`${own}-5`, { hostPath: undefined, csi: { driver: "", volumeHandle: "" } }),
      volume(`${own}-6`, { hostPath: undefined, local: { path: "/x" } }),
      volume(`${own}-7`, onNodes("a b")),
      mergePatch(`${volumes}/${own}`, { spec: { hostPath: { path: "/y" } } }),
      mergePatch(`${volumes}/${own}`, { spec: { volumeMode: "Block" } }),
      mergePatch(`${volumes}/${own}`, { spec: { capacity: { storage: "2Gi" }, storageClassName: "y" } }),
      mergePatch(`${volumes}/${own}`, { spec: onNodes("a") }),
      mergePatch(`${volumes}/${own}`, { spec: onNodes("b") }),
      mergePatch(`${volumes}/${own}/status`, { status: { phase: "Bound" }, spec: { storageClassName: "q" } }),
      get(`${volumes}/${own}`, asTable),
      remove(`${volumes}/${own}`),
    ],
    claims: [
      claim("a", { storageClassName: "", volumeName: "v" }),
      post(claims, withSpec("b", { storageClassName: "x" })),
      claim("c", { storageClassName: "A", accessModes: ["X"], resources: { requests: { storage: "-1" } }, volumeMode: "Y" }),
      claim("d", { dataSource: { kind: "Pod", name: "a" }, dataSourceRef: { kind: "Secret", name: "b" } }),
      mergePatch(`${claims}/a`, { spec: { accessModes: ["ReadOnlyMany"] } }),
      mergePatch(`${claims}/a`, { spec: { resources: { requests: { storage: "2Gi" } } } }),
      mergePatch(`${claims}/a/status`, { status: { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } } }),
      mergePatch(`${claims}/a`, { spec: { resources: { requests: { storage: "2Gi" } } } }),
      mergePatch(`${claims}/a`, { spec: { resources: { requests: { storage: "512Mi" } } } }),
      mergePatch(`${claims}/a`, { spec: { storageClassName: "z" } }),
      mergePatch(`${claims}/a/status`, {
        status: { allocatedResources: { storage: "1Gi" }, allocatedResourceStatuses: { storage: "ControllerResizeInProgress" } },
      }),
      get(`${claims}/a`, asTable),
      remove(`${claims}/a`),
      get(`${claims}/a`, asTable),
    ],
    "attachments, drivers and capacities": [
      post(attachments, withSpec(own, { attacher: "a.b", nodeName: "n", source: { persistentVolumeName: "p" } })),
      post(attachments, withSpec(`${own}-1`, {})),
      post(
        attachments,
        withSpec(`${own}-2`, { attacher: "a b", nodeName: "n", source: { persistentVolumeName: "p", inlineVolumeSpec: {} } }),
      ),
      mergePatch(`${attachments}/${own}`, { spec: { nodeName: "m" } }),
      mergePatch(`${attachments}/${own}/status`, { status: { attached: true, attachError: { message: "x", time: since, errorCode: 5 } } }),
      mergePatch(`${attachments}/${own}`, { status: { attached: false } }),
      post(csiNodes, withSpec(own, { drivers: [{ name: "a.b", nodeID: "x", topologyKeys: ["a"], allocatable: { count: 5 } }] })),
      post(
        csiNodes,
        withSpec(`${own}-1`, {
          drivers: [
            { name: "a b", nodeID: "", topologyKeys: ["", "x", "x"], allocatable: { count: -1 } },
            { name: "a b", nodeID: "y" },
          ],
        }),
      ),
      mergePatch(`${csiNodes}/${own}`, { spec: { drivers: [{ name: "a.b", nodeID: "y", topologyKeys: ["b"] }] } }),
      post(
        drivers,
        withSpec(own, {
          volumeLifecycleModes: ["X"],
          fsGroupPolicy: "Y",
          tokenRequests: [{ audience: "a", expirationSeconds: 5 }, { audience: "a" }],
        }),
      ),
      post(drivers, withSpec("A_b", {})),
      post(capacities, named("a", { storageClassName: "x", capacity: "1Gi", nodeTopology: { matchLabels: { a: "b" } } })),
      post(capacities, named("b", { capacity: "-1", nodeTopology: { matchLabels: { "a b": "c" } } })),
      mergePatch(`${capacities}/a`, { storageClassName: "y", nodeTopology: null }),
      mergePatch(`${capacities}/a`, { capacity: "2Gi" }),
    ],
    "claims of devices": [
      post(deviceClaims, withSpec("a", { devices: { requests: [{ name: "r", exactly: { deviceClassName: "d" } }] } })),
      mergePatch(`${deviceClaims}/a`, { spec: { devices: { requests: [] } } }),
      mergePatch(`${deviceClaims}/a/status`, {
        status: {
          allocation: { devices: { results: [{ request: "r", driver: "a.b", pool: "p", device: "d" }] } },
          reservedFor: [{ resource: "pods", name: "p", uid: "u" }],
        },
      }),
      get(`${deviceClaims}/a`, asTable),
    ],
    "policies of admission": [
      post(
        policies,
        withSpec(own, { matchConstraints: { resourceRules: rules }, validations: [{ expression: "object.spec.replicas < 5" }] }),
      ),
      post(policies, named(`${own}-1`)),
      post(
        policies,
        withSpec(`${own}-2`, {
          failurePolicy: "X",
          paramKind: { kind: "", apiVersion: "a/b/c" },
          matchConstraints: {
            resourceRules: [{ apiGroups: [], apiVersions: [], resources: ["a/b/c", "*/*", "*"], operations: ["X"] }],
            matchPolicy: "Y",
          },
          validations: [{ expression: "" }],
        }),
      ),
      mergePatch(`${policies}/${own}`, { spec: { validations: [] } }),
      mergePatch(`${policies}/${own}/status`, {
        status: { typeChecking: { expressionWarnings: [{ fieldRef: "x", warning: "y" }, {}] }, conditions: [{ type: "a b", status: "X" }] },
      }),
      mergePatch(`${policies}/${own}/status`, {
        status: {
          observedGeneration: 1,
          conditions: [{ type: "A", status: "True", reason: "R", message: "m", lastTransitionTime: since }],
        },
      }),
      post(policyBindings, withSpec(own, { policyName: own, validationActions: ["Deny"] })),
      post(policyBindings, withSpec(`${own}-1`, {})),
      post(
        policyBindings,
        withSpec(`${own}-2`, {
          policyName: "A b",
          validationActions: ["X", "Deny", "Warn", "Deny"],
          paramRef: {},
          matchResources: { namespaceSelector: { matchLabels: { "a b": "c" } } },
        }),
      ),
      mergePatch(`${policyBindings}/${own}`, { spec: { validationActions: [] } }),
      remove(`${policyBindings}/${own}`),
      remove(`${policies}/${own}`),
    ],
    "webhooks of admission": [
      post(validating, named(own, { webhooks: [hook()] })),
      get(`${validating}/${own}`, asTable),
      post(validating, named(`${own}-1`, {})),
      post(
        validating,
        named(`${own}-2`, {
          webhooks: [
            hook({
              name: "a",
              clientConfig: {},
              sideEffects: undefined,
              admissionReviewVersions: [],
              timeoutSeconds: 50,
              failurePolicy: "X",
            }),
            hook({
              clientConfig: { url: "http://x", service: { namespace: "", name: "", port: 99999, path: "x" } },
              sideEffects: "Some",
              admissionReviewVersions: ["V", "x!"],
              timeoutSeconds: 0,
            }),
            hook({
              clientConfig: { url: "https://u:p@x/?a#b" },
              rules: [
                {
                  apiGroups: ["*", "x"],
                  apiVersions: ["", "*", "v"],
                  resources: ["a", "*"],
                  operations: ["*", "CREATE"],
                  scope: "X",
                },
              ],
            }),
            hook(),
          ],
        }),
      ),
      post(mutating, named(own, { webhooks: [hook({ reinvocationPolicy: "IfNeeded" })] })),
      post(mutating, named(`${own}-1`, { webhooks: [hook({ reinvocationPolicy: "X" })] })),
      mergePatch(`${mutating}/${own}`, { webhooks: null }),
      remove(`${mutating}/${own}`),
      remove(`${validating}/${own}`),
    ],
  },
};
