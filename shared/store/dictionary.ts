/**
 * What stored objects have in common: a dictionary for compression. An object of Kubernetes is short and mostly made of words that every
 * object of its kind has, so compression alone finds little in it, and with this about twice as much. A write is charged by the kilobyte.
 *
 * **Never change it**: what is stored can be read only with the very bytes that it was written with (a test pins them). Better words are a
 * new version beside this one.
 */

const meta = {
  name: "",
  generateName: "",
  namespace: "default",
  uid: "",
  generation: 1,
  creationTimestamp: "2026-01-01T00:00:00Z",
  deletionTimestamp: "2026-01-01T00:00:00Z",
  deletionGracePeriodSeconds: 30,
  labels: {
    "app.kubernetes.io/name": "",
    "app.kubernetes.io/instance": "",
    "app.kubernetes.io/component": "",
    "app.kubernetes.io/part-of": "",
    "app.kubernetes.io/version": "",
    "app.kubernetes.io/managed-by": "Helm",
    "helm.sh/chart": "",
    "kubernetes.io/metadata.name": "",
    "k8s-app": "",
    app: "",
    component: "",
    tier: "",
    role: "",
    version: "v1",
    "controller-revision-hash": "",
    "statefulset.kubernetes.io/pod-name": "",
    "batch.kubernetes.io/job-name": "",
    "pod-template-hash": "",
  },
  annotations: {
    "kubectl.kubernetes.io/last-applied-configuration": "",
    "kubectl.kubernetes.io/restartedAt": "",
    "meta.helm.sh/release-name": "",
    "meta.helm.sh/release-namespace": "",
    "deployment.kubernetes.io/revision": "1",
    "deployment.kubernetes.io/desired-replicas": "1",
    "deployment.kubernetes.io/max-replicas": "2",
    "prometheus.io/path": "/metrics",
    "prometheus.io/port": "",
    "prometheus.io/scrape": "true",
    "control-plane.alpha.kubernetes.io/leader": "",
    "kubernetes.io/description": "",
  },
  finalizers: ["kubernetes", "foregroundDeletion", "kubernetes.io/pvc-protection", "kubernetes.io/pv-protection"],
};

const owner = (apiVersion: string, kind: string) => [{ apiVersion, kind, name: "", uid: "", controller: true, blockOwnerDeletion: true }];

const condition = (type: string, status = "True") => ({
  type,
  status,
  lastProbeTime: null,
  lastTransitionTime: "2026-01-01T00:00:00Z",
  reason: "",
  message: "",
});

const probe = {
  httpGet: { path: "/healthz", port: 8080, scheme: "HTTP" },
  tcpSocket: { port: 8080 },
  grpc: { port: 8080 },
  exec: { command: ["/bin/sh", "-c", ""] },
  initialDelaySeconds: 10,
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
};

const container = {
  name: "",
  image: "docker.io/library/nginx:latest",
  command: ["/bin/sh", "-c"],
  args: ["--"],
  workingDir: "/",
  ports: [
    { name: "http", containerPort: 80, protocol: "TCP" },
    { name: "https", containerPort: 443, protocol: "TCP" },
    { name: "metrics", containerPort: 8080, protocol: "TCP" },
  ],
  envFrom: [{ configMapRef: { name: "" } }, { secretRef: { name: "" } }],
  env: [
    { name: "PORT", value: "8080" },
    { name: "POD_NAME", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.name" } } },
    { name: "POD_NAMESPACE", valueFrom: { fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } } },
    { name: "PASSWORD", valueFrom: { secretKeyRef: { name: "", key: "password" } } },
    { name: "", valueFrom: { configMapKeyRef: { name: "", key: "", optional: true } } },
  ],
  resources: {
    limits: { cpu: "500m", memory: "512Mi", "ephemeral-storage": "1Gi" },
    requests: { cpu: "100m", memory: "128Mi", "ephemeral-storage": "1Gi" },
  },
  volumeMounts: [
    { name: "config", mountPath: "/etc/", readOnly: true, subPath: "" },
    { name: "data", mountPath: "/var/lib/" },
    { name: "tmp", mountPath: "/tmp" },
    { name: "kube-api-access-", readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" },
  ],
  livenessProbe: probe,
  readinessProbe: { httpGet: { path: "/ready", port: 8080 } },
  startupProbe: {},
  lifecycle: { preStop: { exec: { command: ["sleep", "5"] } } },
  terminationMessagePath: "/dev/termination-log",
  terminationMessagePolicy: "File",
  imagePullPolicy: "IfNotPresent",
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    privileged: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: "RuntimeDefault" },
  },
};

const podSpec = {
  volumes: [
    { name: "config", configMap: { name: "", defaultMode: 420, items: [{ key: "", path: "" }] } },
    { name: "secret", secret: { secretName: "", defaultMode: 420 } },
    { name: "data", persistentVolumeClaim: { claimName: "" } },
    { name: "tmp", emptyDir: {} },
    {
      name: "kube-api-access-",
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
          { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
          { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
        ],
        defaultMode: 420,
      },
    },
  ],
  initContainers: [{ name: "init", image: "busybox:latest", imagePullPolicy: "Always" }],
  containers: [container],
  restartPolicy: "Always",
  terminationGracePeriodSeconds: 30,
  dnsPolicy: "ClusterFirst",
  nodeSelector: { "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" },
  serviceAccountName: "default",
  serviceAccount: "default",
  automountServiceAccountToken: false,
  nodeName: "ip-10-0-0-1.ec2.internal",
  hostNetwork: true,
  securityContext: { fsGroup: 1000, runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000 },
  imagePullSecrets: [{ name: "" }],
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [""] }] }],
      },
    },
    podAntiAffinity: {
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight: 100, podAffinityTerm: { labelSelector: { matchLabels: { app: "" } }, topologyKey: "kubernetes.io/hostname" } },
      ],
    },
  },
  schedulerName: "default-scheduler",
  tolerations: [
    { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
    { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
    { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
  ],
  priorityClassName: "system-cluster-critical",
  priority: 0,
  enableServiceLinks: true,
  preemptionPolicy: "PreemptLowerPriority",
  topologySpreadConstraints: [
    { maxSkew: 1, topologyKey: "topology.kubernetes.io/zone", whenUnsatisfiable: "ScheduleAnyway", labelSelector: { matchLabels: {} } },
  ],
};

const managed = (manager: string, operation: string, apiVersion: string, fieldsV1: object, subresource?: string) => ({
  manager,
  operation,
  apiVersion,
  time: "2026-01-01T00:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1,
  ...(subresource && { subresource }),
});

const managedContainer = {
  ".": {},
  "f:args": {},
  "f:command": {},
  "f:env": { ".": {}, 'k:{"name":"PORT"}': { ".": {}, "f:name": {}, "f:value": {} } },
  "f:image": {},
  "f:imagePullPolicy": {},
  "f:livenessProbe": {
    ".": {},
    "f:failureThreshold": {},
    "f:httpGet": { ".": {}, "f:path": {}, "f:port": {}, "f:scheme": {} },
    "f:initialDelaySeconds": {},
    "f:periodSeconds": {},
    "f:successThreshold": {},
    "f:timeoutSeconds": {},
  },
  "f:name": {},
  "f:ports": {
    ".": {},
    'k:{"containerPort":8080,"protocol":"TCP"}': { ".": {}, "f:containerPort": {}, "f:name": {}, "f:protocol": {} },
  },
  "f:resources": { ".": {}, "f:limits": { ".": {}, "f:cpu": {}, "f:memory": {} }, "f:requests": { ".": {}, "f:cpu": {}, "f:memory": {} } },
  "f:securityContext": {},
  "f:terminationMessagePath": {},
  "f:terminationMessagePolicy": {},
  "f:volumeMounts": { ".": {}, 'k:{"mountPath":"/tmp"}': { ".": {}, "f:mountPath": {}, "f:name": {}, "f:readOnly": {} } },
};

const managedPodSpec = {
  "f:affinity": {},
  "f:containers": { 'k:{"name":""}': managedContainer },
  "f:dnsPolicy": {},
  "f:enableServiceLinks": {},
  "f:nodeSelector": {},
  "f:restartPolicy": {},
  "f:schedulerName": {},
  "f:securityContext": {},
  "f:serviceAccount": {},
  "f:serviceAccountName": {},
  "f:terminationGracePeriodSeconds": {},
  "f:tolerations": {},
  "f:volumes": { ".": {}, 'k:{"name":""}': { ".": {}, "f:configMap": { ".": {}, "f:defaultMode": {}, "f:name": {} }, "f:name": {} } },
};

const managedMeta = {
  "f:annotations": { ".": {}, "f:kubectl.kubernetes.io/last-applied-configuration": {}, "f:deployment.kubernetes.io/revision": {} },
  "f:generateName": {},
  "f:labels": { ".": {}, "f:app": {}, "f:app.kubernetes.io/name": {}, "f:app.kubernetes.io/instance": {}, "f:pod-template-hash": {} },
  "f:ownerReferences": { ".": {}, 'k:{"uid":""}': {} },
};

const managedConditions = (types: readonly string[]) =>
  Object.fromEntries([
    [".", {}],
    ...types.map((type) => [
      `k:{"type":"${type}"}`,
      { ".": {}, "f:lastProbeTime": {}, "f:lastTransitionTime": {}, "f:message": {}, "f:reason": {}, "f:status": {}, "f:type": {} },
    ]),
  ]);

const podConditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"];
const nodeConditions = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];

const containerStatus = {
  name: "",
  state: {
    running: { startedAt: "2026-01-01T00:00:00Z" },
    waiting: { reason: "ContainerCreating", message: "" },
    terminated: {
      exitCode: 0,
      reason: "Completed",
      startedAt: "2026-01-01T00:00:00Z",
      finishedAt: "2026-01-01T00:00:00Z",
      containerID: "ecs://",
    },
  },
  lastState: { terminated: { exitCode: 1, reason: "Error" } },
  ready: true,
  restartCount: 0,
  image: "",
  imageID: "@sha256:",
  containerID: "ecs://",
  started: true,
  resources: {},
  volumeMounts: [],
};

const template = { metadata: { labels: { app: "" }, annotations: {} }, spec: { containers: [] } };
const selector = { matchLabels: { app: "" } };

const objects: readonly object[] = [
  { apiVersion: "v1", kind: "Namespace", spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } },
  { apiVersion: "v1", kind: "ServiceAccount" },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "" },
    subjects: [{ kind: "ServiceAccount", name: "", namespace: "" }],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get", "list", "watch", "create", "update", "patch", "delete"] }],
  },
  { apiVersion: "v1", kind: "Secret", data: {}, type: "Opaque", immutable: true },
  { apiVersion: "v1", kind: "Secret", type: "helm.sh/release.v1", data: { release: "" } },
  { apiVersion: "v1", kind: "ConfigMap", data: {} },
  {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      volumeName: "",
      storageClassName: "",
      volumeMode: "Filesystem",
    },
    status: { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage: "1Gi" } },
  },
  {
    apiVersion: "v1",
    kind: "Node",
    metadata: { annotations: { "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true" } },
    spec: { podCIDR: "", providerID: "aws:///", taints: [{ key: "node.kubernetes.io/unreachable", effect: "NoExecute" }] },
    status: {
      capacity: { cpu: "2", memory: "8Gi", pods: "110", "ephemeral-storage": "", "hugepages-2Mi": "0" },
      allocatable: { cpu: "2", memory: "8Gi", pods: "110" },
      conditions: nodeConditions.map((type) => ({ ...condition(type), lastHeartbeatTime: "2026-01-01T00:00:00Z" })),
      addresses: [
        { type: "InternalIP", address: "10.0.0.1" },
        { type: "Hostname", address: "" },
      ],
      nodeInfo: {
        machineID: "",
        kernelVersion: "",
        osImage: "",
        containerRuntimeVersion: "",
        kubeletVersion: "v1.36.0",
        architecture: "amd64",
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    spec: {
      ports: [{ name: "http", protocol: "TCP", appProtocol: "http", port: 80, targetPort: 8080, nodePort: 30000 }],
      selector: { app: "" },
      clusterIP: "10.96.0.1",
      clusterIPs: ["10.96.0.1"],
      type: "ClusterIP",
      sessionAffinity: "None",
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      internalTrafficPolicy: "Cluster",
      externalTrafficPolicy: "Cluster",
    },
    status: { loadBalancer: {} },
  },
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { labels: { "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io", "kubernetes.io/service-name": "" } },
    addressType: "IPv4",
    endpoints: [
      {
        addresses: ["10.0.0.1"],
        conditions: { ready: true, serving: true, terminating: false },
        targetRef: { kind: "Pod", namespace: "default", name: "", uid: "" },
        nodeName: "",
        zone: "",
      },
    ],
    ports: [{ name: "http", protocol: "TCP", port: 8080 }],
  },
  {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { namespace: "kube-node-lease" },
    spec: {
      holderIdentity: "",
      leaseDurationSeconds: 40,
      acquireTime: "2026-01-01T00:00:00.000000Z",
      renewTime: "2026-01-01T00:00:00.000000Z",
      leaseTransitions: 0,
    },
  },
  {
    apiVersion: "v1",
    kind: "Event",
    involvedObject: {
      kind: "Pod",
      namespace: "default",
      name: "",
      uid: "",
      apiVersion: "v1",
      resourceVersion: "",
      fieldPath: "spec.containers{}",
    },
    reason: "Scheduled",
    message: "Successfully assigned to ",
    source: { component: "default-scheduler", host: "" },
    firstTimestamp: "2026-01-01T00:00:00Z",
    lastTimestamp: "2026-01-01T00:00:00Z",
    count: 1,
    type: "Normal",
    eventTime: null,
    reportingComponent: "kubelet",
    reportingInstance: "",
  },
  {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { ownerReferences: owner("batch/v1", "CronJob") },
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      completionMode: "NonIndexed",
      suspend: false,
      podReplacementPolicy: "TerminatingOrFailed",
    },
    status: { conditions: [condition("Complete")], startTime: "", completionTime: "", succeeded: 1, uncountedTerminatedPods: {}, ready: 0 },
  },
  {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    spec: {
      podManagementPolicy: "OrderedReady",
      serviceName: "",
      volumeClaimTemplates: [],
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Retain", whenScaled: "Retain" },
    },
    status: { collisionCount: 0, currentRevision: "", updateRevision: "", currentReplicas: 1, updatedReplicas: 1 },
  },
  {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { ownerReferences: owner("apps/v1", "Deployment") },
    spec: { replicas: 1, selector },
    status: { replicas: 1, fullyLabeledReplicas: 1, readyReplicas: 1, availableReplicas: 1, observedGeneration: 1 },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      managedFields: [
        managed("kubectl-client-side-apply", "Update", "apps/v1", {
          "f:metadata": managedMeta,
          "f:spec": {
            "f:progressDeadlineSeconds": {},
            "f:replicas": {},
            "f:revisionHistoryLimit": {},
            "f:selector": {},
            "f:strategy": { "f:rollingUpdate": { ".": {}, "f:maxSurge": {}, "f:maxUnavailable": {} }, "f:type": {} },
            "f:template": { "f:metadata": { "f:labels": { ".": {}, "f:app": {} } }, "f:spec": { "f:containers": {} } },
          },
        }),
        managed(
          "kube-controller-manager",
          "Update",
          "apps/v1",
          {
            "f:status": {
              "f:availableReplicas": {},
              "f:conditions": managedConditions(["Available", "Progressing"]),
              "f:observedGeneration": {},
              "f:readyReplicas": {},
              "f:replicas": {},
              "f:updatedReplicas": {},
            },
          },
          "status",
        ),
      ],
    },
    spec: {
      replicas: 1,
      selector,
      template,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
    },
    status: {
      observedGeneration: 1,
      replicas: 1,
      updatedReplicas: 1,
      readyReplicas: 1,
      availableReplicas: 1,
      unavailableReplicas: 1,
      conditions: [
        {
          type: "Available",
          status: "True",
          lastUpdateTime: "",
          lastTransitionTime: "",
          reason: "MinimumReplicasAvailable",
          message: "Deployment has minimum availability.",
        },
        { type: "Progressing", reason: "NewReplicaSetAvailable", message: 'ReplicaSet "" has successfully progressed.' },
      ],
    },
  },
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      ...meta,
      ownerReferences: owner("apps/v1", "ReplicaSet"),
      managedFields: [
        managed("kube-controller-manager", "Update", "v1", { "f:metadata": {}, "f:spec": managedPodSpec }),
        managed(
          "kubelet",
          "Update",
          "v1",
          {
            "f:status": {
              "f:conditions": managedConditions(podConditions.slice(1, 4)),
              "f:containerStatuses": {},
              "f:hostIP": {},
              "f:hostIPs": {},
              "f:phase": {},
              "f:podIP": {},
              "f:podIPs": { ".": {}, 'k:{"ip":"10.0.0.1"}': { ".": {}, "f:ip": {} } },
              "f:startTime": {},
            },
          },
          "status",
        ),
      ],
    },
    spec: podSpec,
    status: {
      observedGeneration: 1,
      phase: "Running",
      conditions: podConditions.map((type) => condition(type)),
      hostIP: "10.0.0.1",
      hostIPs: [{ ip: "10.0.0.1" }],
      podIP: "10.0.0.1",
      podIPs: [{ ip: "10.0.0.1" }],
      startTime: "2026-01-01T00:00:00Z",
      initContainerStatuses: [],
      containerStatuses: [containerStatus],
      qosClass: "Burstable",
    },
  },
];

/** Beginnings of change records as a slot has them, with the usual authors. */
const records: readonly object[] = [
  {
    i: "",
    k: "default/",
    d: 1,
    p: 0,
    a: { user: "system:serviceaccount:kube-system:", userAgent: "kubectl/v1.36.0 (linux/amd64) kubernetes/", auditId: "" },
  },
  {
    i: "",
    k: "default/",
    p: 0,
    u: { o: { metadata: { o: { generation: { v: 1 } }, d: ["annotations"] }, spec: { o: { replicas: { v: 1 } } } } },
  },
  {
    i: "",
    k: "default/",
    p: 0,
    u: {
      o: {
        status: { o: { conditions: { e: [[2, { o: { status: { v: "False" }, lastTransitionTime: { v: "2026-01-01T00:00:00Z" } } }]] } } },
      },
    },
    a: { user: "system:node:", userAgent: "" },
  },
];

export const dictionary: Buffer = Buffer.from([...objects, ...records].map((each) => JSON.stringify(each)).join("\n"));
