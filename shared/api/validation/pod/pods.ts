/** Pods: on create, on update and on update of their status. */
import type { ContainerStatus, Pod, PodSpec } from "../../generated/types.ts";
import { wholeNumber } from "../../json.ts";
import type { Problem } from "../../kind.ts";
import { dnsSubdomainProblems, qualifiedNameProblems } from "../../names.ts";
import { isDualStackPair, validateIp } from "../addresses.ts";
import { describeChanges } from "../changes.ts";
import { validateImmutable } from "../metadata.ts";
import { eachItem, forbidden, invalid, invalidEach, required } from "../problems.ts";
import { semanticallyEqual } from "../semantic-equality.ts";
import { validateAnnotationChange, validatePodAnnotations, validateProfilesMatch } from "./annotations.ts";
import { validateImageSpaces } from "./containers.ts";
import { allContainers, validateDeadline, validatePodSpec } from "./pod-spec.ts";
import { validateTolerations } from "./scheduling.ts";

/** What holds for every Pod at any time. */
export function validatePod({ metadata, spec }: Pod): Problem[] {
  const problems = [
    ...validatePodAnnotations(metadata.annotations, spec, allContainers(spec, "spec"), "metadata.annotations"),
    ...validatePodSpec(spec, { isPod: true, podName: metadata.name ?? "" }, "spec"),
  ];
  if (!spec.serviceAccountName) {
    problems.push(
      ...eachItem("spec.volumes", spec.volumes, ({ projected }, at) =>
        eachItem(`${at}.projected.sources`, projected?.sources, ({ serviceAccountToken }, sourcePath) =>
          serviceAccountToken
            ? [forbidden(`${sourcePath}.serviceAccountToken`, "must not be specified when serviceAccountName is not set")]
            : [],
        ),
      ),
    );
  }
  return [
    ...problems,
    ...eachItem("spec.containers", spec.containers, ({ image }, at) => validateImageSpaces(image, at)),
    ...eachItem("spec.initContainers", spec.initContainers, ({ image }, at) => validateImageSpaces(image, at)),
  ];
}

/** What holds for new Pods besides. */
export function validateNewPod({ metadata, spec }: Pod): Problem[] {
  const problems: Problem[] = [];
  if ((spec.ephemeralContainers ?? []).length > 0) problems.push(forbidden("spec.ephemeralContainers", "cannot be set on create"));
  if (spec.nodeName && (spec.schedulingGates ?? []).length > 0) {
    problems.push(forbidden("spec.nodeName", "cannot be set until all schedulingGates have been cleared"));
  }
  return [...problems, ...validateProfilesMatch(metadata.annotations, spec, allContainers(spec, "spec"), "spec")];
}

const changeable = [
  "`spec.containers[*].image`",
  "`spec.initContainers[*].image`",
  "`spec.activeDeadlineSeconds`",
  "`spec.tolerations` (only additions to existing tolerations)",
  "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
].join(",");

/** A Pod's spec is settled at its creation, but for a few fields. */
export function validatePodChange(next: Pod, previous: Pod): Problem[] {
  const problems = validateAnnotationChange(next.metadata.annotations, previous.metadata.annotations, "metadata.annotations");
  for (const list of ["containers", "initContainers"] as const) {
    const [after, before] = [next.spec[list] ?? [], previous.spec[list] ?? []];
    if (after.length !== before.length) return [...problems, forbidden(`spec.${list}`, "pod updates may not add or remove containers")];
    problems.push(
      ...eachItem(`spec.${list}`, after, ({ image }, at) => [
        ...(image ? [] : [required(`${at}.image`)]),
        ...validateImageSpaces(image, at),
      ]),
    );
  }
  const deadline = validateDeadlineChange(next.spec.activeDeadlineSeconds, previous.spec.activeDeadlineSeconds);
  if (deadline.stop) return [...problems, ...deadline.problems];
  problems.push(
    ...deadline.problems,
    ...validateAddedTolerations(next.spec, previous.spec),
    ...validateRemovedGates(next.spec, previous.spec),
  );
  if (semanticallyEqual(next.spec, previous.spec)) return problems;

  const { spec: settled, problems: gated } = withoutChangeableFields(next.spec, previous.spec);
  problems.push(...gated);
  if (!semanticallyEqual(settled, previous.spec)) {
    const detail = `pod updates may not change fields other than ${changeable}\n${describeChanges(previous.spec, settled, "spec")}`;
    problems.push(forbidden("spec", detail));
  }
  return problems;
}

function validateDeadlineChange(next: number | undefined, previous: number | undefined): { problems: Problem[]; stop: boolean } {
  const field = "spec.activeDeadlineSeconds";
  if (next === undefined) {
    const removed = previous === undefined ? [] : [invalid(field, undefined, "must not update from a positive integer to nil value")];
    return { problems: removed, stop: false };
  }
  const wrong = validateDeadline(next, 0, field);
  if (wrong.length > 0) return { problems: wrong, stop: true };
  return previous !== undefined && wholeNumber(previous) < wholeNumber(next)
    ? { problems: [invalid(field, next, "must be less than or equal to previous value")], stop: true }
    : { problems: [], stop: false };
}

function validateAddedTolerations(next: PodSpec, previous: PodSpec): Problem[] {
  const field = "spec.tolerations";
  const kept = (previous.tolerations ?? []).every((before) =>
    (next.tolerations ?? []).some((after) => semanticallyEqual({ ...before, tolerationSeconds: after.tolerationSeconds }, after)),
  );
  return kept
    ? validateTolerations(next.tolerations, field)
    : [forbidden(field, "existing toleration can not be modified except its tolerationSeconds")];
}

function validateRemovedGates(next: PodSpec, previous: PodSpec): Problem[] {
  const known = new Set((previous.schedulingGates ?? []).map(({ name }) => name));
  return eachItem("spec.schedulingGates", next.schedulingGates, ({ name }, at) =>
    known.has(name) ? [] : [forbidden(`${at}.name`, `only deletion is allowed, but found new scheduling gate '${name}'`)],
  );
}

/** The next spec with the previous values of everything that may change. */
function withoutChangeableFields(next: PodSpec, previous: PodSpec): { spec: PodSpec; problems: Problem[] } {
  const withImages = (list: "containers" | "initContainers") =>
    next[list]?.map((container, index) => ({ ...container, image: previous[list]?.[index]?.image }));
  const spec: PodSpec = {
    ...next,
    containers: withImages("containers") ?? [],
    initContainers: withImages("initContainers"),
    activeDeadlineSeconds: previous.activeDeadlineSeconds,
    schedulingGates: previous.schedulingGates,
    tolerations: previous.tolerations,
  };
  if (wholeNumber(previous.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1) {
    spec.terminationGracePeriodSeconds = previous.terminationGracePeriodSeconds;
  }
  if ((previous.schedulingGates ?? []).length === 0) return { spec, problems: [] };

  // While a Pod is gated, where it may run can still be narrowed.
  const problems: Problem[] = [];
  const lost = Object.entries(previous.nodeSelector ?? {}).some(([key, value]) => next.nodeSelector?.[key] !== value);
  if (lost) {
    const detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
    problems.push(invalid("spec.nodeSelector", next.nodeSelector, detail));
  }
  spec.nodeSelector = previous.nodeSelector;
  const [after, before] = [next.affinity?.nodeAffinity, previous.affinity?.nodeAffinity];
  if (!semanticallyEqual(after, before)) {
    problems.push(...validateNarrowerAffinity(after, before));
    spec.affinity = { ...next.affinity, nodeAffinity: before };
  }
  return { spec, problems };
}

type NodeAffinity = NonNullable<NonNullable<PodSpec["affinity"]>["nodeAffinity"]>;

function validateNarrowerAffinity(next: NodeAffinity | undefined, previous: NodeAffinity | undefined): Problem[] {
  const path = "spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms";
  const before = previous?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  const after = next?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (before.length === 0) return [];
  if (before.length !== after.length) {
    return [invalid(path, after, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")];
  }
  return eachItem(path, after, (term, at, index) => {
    const old = before[index] ?? {};
    const isEmpty = (old.matchExpressions ?? []).length === 0 && (old.matchFields ?? []).length === 0;
    const grows = (["matchExpressions", "matchFields"] as const).every((list) =>
      semanticallyEqual((term[list] ?? []).slice(0, (old[list] ?? []).length), old[list]),
    );
    const isFilled = (term.matchExpressions ?? []).length > 0 || (term.matchFields ?? []).length > 0;
    return grows && !(isEmpty && isFilled) ? [] : [invalid(at, term, "only additions are allowed (no mutations or deletions)")];
  });
}

const systemConditions = new Set(["PodScheduled", "Ready", "Initialized"]);

export function validatePodStatusChange(next: Pod, previous: Pod): Problem[] {
  const [after, before] = [next.status ?? {}, previous.status ?? {}];
  const problems = [
    ...validateAnnotationChange(next.metadata.annotations, previous.metadata.annotations, "metadata.annotations"),
    ...validatePodAnnotations(next.metadata.annotations, next.spec, allContainers(next.spec, "spec"), "metadata.annotations"),
    ...eachItem("status.conditions", after.conditions, ({ type, observedGeneration = 0 }, at) => [
      ...(observedGeneration < 0 ? [invalid(`${at}.observedGeneration`, observedGeneration, "must be a non-negative integer")] : []),
      ...(systemConditions.has(type) ? [] : invalidEach(`${at}.Type`, type ?? "", qualifiedNameProblems(type ?? ""))),
    ]),
  ];
  const nominated = after.nominatedNodeName;
  if (nominated && nominated !== before.nominatedNodeName) {
    problems.push(...invalidEach("status.nominatedNodeName", nominated, dnsSubdomainProblems(nominated)));
    if (previous.spec.nodeName) {
      problems.push(forbidden("status.nominatedNodeName", "may not be set on pods that are already bound to a node"));
    }
  }
  if ((after.observedGeneration ?? 0) < 0) {
    problems.push(invalid("status.observedGeneration", after.observedGeneration, "must be a non-negative integer"));
  }
  return [
    ...problems,
    ...validateImmutable(after.qosClass, before.qosClass, "status.qosClass"),
    ...validateRestarts(previous.spec, "containerStatuses", after.containerStatuses, before.containerStatuses),
    ...validateRestarts(previous.spec, "initContainerStatuses", after.initContainerStatuses, before.initContainerStatuses),
    ...validateRestarts(previous.spec, "ephemeralContainerStatuses", after.ephemeralContainerStatuses, before.ephemeralContainerStatuses),
    ...validatePodAddresses(after, before),
  ];
}

/** A container that has ended does not start again, unless its restart policy says so. */
function validateRestarts(
  spec: PodSpec,
  list: "containerStatuses" | "initContainerStatuses" | "ephemeralContainerStatuses",
  next: readonly ContainerStatus[] | undefined,
  previous: readonly ContainerStatus[] | undefined,
): Problem[] {
  const containers = list === "containerStatuses" ? spec.containers : list === "initContainerStatuses" ? spec.initContainers : [];
  const restartsAll = [...(spec.containers ?? []), ...(spec.initContainers ?? [])].some(({ restartPolicyRules }) =>
    restartPolicyRules?.some(({ action }) => action === "RestartAllContainers"),
  );
  if (restartsAll && list !== "ephemeralContainerStatuses") return [];
  return eachItem(`status.${list}`, previous, ({ name, state }, at) => {
    if (!state?.terminated) return [];
    const after = next?.find((status) => status.name === name);
    if (!after || after.state?.terminated) return [];
    const container = containers?.find((candidate) => candidate.name === name);
    if (container && mayRestart(container, spec, state.terminated.exitCode ?? 0)) return [];
    return [forbidden(`${at}.state`, "may not be transitioned to non-terminated state")];
  });
}

function mayRestart(container: NonNullable<PodSpec["containers"]>[number], spec: PodSpec, exitCode: number): boolean {
  for (const { exitCodes } of container.restartPolicyRules ?? []) {
    const matches = exitCodes?.values?.includes(exitCode) ?? false;
    if (exitCodes && matches === (exitCodes.operator === "In")) return true;
  }
  const policy = container.restartPolicy ?? spec.restartPolicy;
  return policy === "Always" || (policy === "OnFailure" && exitCode !== 0);
}

type Status = NonNullable<Pod["status"]>;

const addressesOf = (list: readonly { readonly ip?: string | undefined }[] | undefined) => (list ?? []).map(({ ip }) => ip ?? "");

function validatePodAddresses(next: Status, previous: Status): Problem[] {
  const problems: Problem[] = [];
  const [hosts, pods] = [addressesOf(next.hostIPs), addressesOf(next.podIPs)];
  problems.push(...validateAddressList(pods, addressesOf(previous.podIPs), "status.podIPs"));
  if (hosts.length > 0 && next.hostIP !== hosts[0]) {
    problems.push(invalid("status.hostIPs[0].ip", hosts[0], "must be equal to `hostIP`"));
  }
  return [...problems, ...validateAddressList(hosts, addressesOf(previous.hostIPs), "status.hostIPs")];
}

function validateAddressList(addresses: readonly string[], tolerated: readonly string[], path: string): Problem[] {
  const problems = eachItem(path, addresses, (address, at) => validateIp(address, at, { tolerated }));
  if (addresses.length > 1 && !isDualStackPair(addresses)) {
    problems.push(
      invalid(
        path,
        addresses.map((IP) => ({ IP })),
        "may specify no more than one IP for each IP family",
      ),
    );
  }
  return problems;
}
