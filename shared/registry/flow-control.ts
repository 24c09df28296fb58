/**
 * The FlowSchemas and PriorityLevelConfigurations that a cluster has from the start. Clients list them and refer to them; requests are
 * rationed by user here, not by these.
 * @see k8s.io/apiserver/pkg/apis/flowcontrol/bootstrap
 */
import type { FlowSchema, PriorityLevelConfiguration, PriorityLevelConfigurationSpec } from "../api/generated/types.ts";
import type { Draft } from "../api/objects.ts";

type Rules = NonNullable<NonNullable<FlowSchema["spec"]>["rules"]>[number];
type Subject = Rules["subjects"][number];

/** Whoever manages these keeps them as they are shipped. */
const annotations = { "apf.kubernetes.io/autoupdate-spec": "true" };

const level = (name: string, spec: PriorityLevelConfigurationSpec): Draft<PriorityLevelConfiguration> => ({
  metadata: { name, annotations },
  spec,
});

/** @param queues none: who finds no seat is refused at once */
const limited = (
  name: string,
  nominalConcurrencyShares: number,
  lendablePercent: number,
  queues?: { readonly queues: number; readonly handSize: number },
): Draft<PriorityLevelConfiguration> =>
  level(name, {
    type: "Limited",
    limited: {
      nominalConcurrencyShares,
      lendablePercent,
      limitResponse: queues ? { type: "Queue", queuing: { ...queues, queueLengthLimit: 50 } } : { type: "Reject" },
    },
  });

export const defaultPriorityLevels: readonly Draft<PriorityLevelConfiguration>[] = [
  level("exempt", { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }),
  limited("catch-all", 5, 0),
  limited("system", 30, 33, { queues: 64, handSize: 6 }),
  limited("node-high", 40, 25, { queues: 64, handSize: 6 }),
  limited("leader-election", 10, 0, { queues: 16, handSize: 4 }),
  limited("workload-high", 40, 50, { queues: 128, handSize: 6 }),
  limited("workload-low", 100, 90, { queues: 128, handSize: 6 }),
  limited("global-default", 20, 50, { queues: 128, handSize: 6 }),
];

const groups = (...names: readonly string[]): Subject[] => names.map((name) => ({ kind: "Group", group: { name } }));
const users = (...names: readonly string[]): Subject[] => names.map((name) => ({ kind: "User", user: { name } }));
const systemServiceAccounts: Subject = { kind: "ServiceAccount", serviceAccount: { name: "*", namespace: "kube-system" } };
const everybody = groups("system:unauthenticated", "system:authenticated");
const nodes = groups("system:nodes");

const resources = (verbs: string[], apiGroups: string[], names: string[], clusterScope: boolean) => ({
  verbs,
  apiGroups,
  resources: names,
  namespaces: ["*"],
  ...(clusterScope && { clusterScope }),
});

const everything = (subjects: Subject[]): Rules => ({
  subjects,
  resourceRules: [resources(["*"], ["*"], ["*"], true)],
  nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
});

const schema = (
  name: string,
  priorityLevel: string,
  matchingPrecedence: number,
  distinguisher: "ByUser" | "ByNamespace" | undefined,
  rules: Rules,
): Draft<FlowSchema> => ({
  metadata: { name, annotations },
  spec: {
    priorityLevelConfiguration: { name: priorityLevel },
    matchingPrecedence,
    ...(distinguisher && { distinguisherMethod: { type: distinguisher } }),
    rules: [rules],
  },
});

const leases = (verbs: string[]) => resources(verbs, ["coordination.k8s.io"], ["leases"], false);

/** By precedence: the first that matches a request is the one. */
export const defaultFlowSchemas: readonly Draft<FlowSchema>[] = [
  schema("exempt", "exempt", 1, undefined, everything(groups("system:masters"))),
  schema("probes", "exempt", 2, undefined, {
    subjects: everybody,
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] }],
  }),
  schema("system-leader-election", "leader-election", 100, "ByUser", {
    subjects: [...users("system:kube-controller-manager", "system:kube-scheduler"), systemServiceAccounts],
    resourceRules: [leases(["get", "create", "update"])],
  }),
  schema("system-node-high", "node-high", 400, "ByUser", {
    subjects: nodes,
    resourceRules: [resources(["*"], [""], ["nodes", "nodes/status"], true), leases(["*"])],
  }),
  schema("system-nodes", "system", 500, "ByUser", everything(nodes)),
  schema("kube-controller-manager", "workload-high", 800, "ByNamespace", everything(users("system:kube-controller-manager"))),
  schema("kube-scheduler", "workload-high", 800, "ByNamespace", everything(users("system:kube-scheduler"))),
  schema("kube-system-service-accounts", "workload-high", 900, "ByNamespace", everything([systemServiceAccounts])),
  schema("service-accounts", "workload-low", 9_000, "ByUser", everything(groups("system:serviceaccounts"))),
  schema("global-default", "global-default", 9_900, "ByUser", everything(everybody)),
  schema("catch-all", "catch-all", 10_000, "ByUser", everything(everybody)),
];
