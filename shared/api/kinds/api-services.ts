/** APIServices: which groups are served, and by whom. */
import type { APIService, APIServiceSpec } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { apiServices } from "../kinds.ts";
import { dns1035LabelProblems, dnsSubdomainProblems, portNumberProblems } from "../names.ts";
import type { Given } from "../validation/given.ts";
import { eachItem, invalid, invalidEach, notSupported, quote, required } from "../validation/problems.ts";
import { behaviour, keepStatus, noGeneration, statusAlone } from "./behaviour.ts";
import { text } from "./cells.ts";

const localCondition = {
  type: "Available",
  status: "True",
  reason: "Local",
  message: "Local APIServices are always available",
};

function validate({ metadata, spec }: APIService): Problem[] {
  const { group = "", version = "", service, caBundle, insecureSkipTLSVerify } = spec ?? {};
  const { groupPriorityMinimum = 0, versionPriority = 0 } = (spec ?? {}) as Given<APIServiceSpec>;
  const name = `${version}.${group}`;
  const problems: Problem[] = [];
  if (metadata.name && metadata.name !== name) {
    problems.push(invalid("metadata.name", metadata.name, `must be \`spec.version+"."+spec.group\`: ${quote(name)}`));
  }
  if (!group && version !== "v1") {
    problems.push(required("spec.group", "only v1 may have an empty group and it better be legacy kube"));
  }
  if (group) problems.push(...invalidEach("spec.group", group, dnsSubdomainProblems(group)));
  problems.push(...invalidEach("spec.version", version, dns1035LabelProblems(version)));
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20_000) {
    problems.push(invalid("spec.groupPriorityMinimum", groupPriorityMinimum, "must be positive and less than 20000"));
  }
  if (versionPriority <= 0 || versionPriority > 1000) {
    problems.push(invalid("spec.versionPriority", versionPriority, "must be positive and less than 1000"));
  }
  if (!service) {
    const bytes = `${Buffer.byteLength(caBundle ?? "", "base64")} bytes`;
    if (caBundle) problems.push(invalid("spec.caBundle", bytes, "local APIServices may not have a caBundle"));
    if (insecureSkipTLSVerify) {
      problems.push(invalid("spec.insecureSkipTLSVerify", true, "local APIServices may not have insecureSkipTLSVerify"));
    }
    return problems;
  }
  if (!service.namespace) problems.push(required("spec.service.namespace"));
  if (!service.name) problems.push(required("spec.service.name"));
  const wrong = portNumberProblems(service.port ?? 0);
  if (wrong.length > 0) problems.push(invalid("spec.service.port", service.port ?? 0, `port is not valid: ${wrong.join(", ")}`));
  if (insecureSkipTLSVerify && caBundle) {
    problems.push(invalid("spec.insecureSkipTLSVerify", true, "may not be true if caBundle is present"));
  }
  return problems;
}

const statuses = ["True", "False", "Unknown"];

function availableCell({ status }: APIService): string {
  const condition = status?.conditions?.find(({ type }) => type === "Available");
  if (!condition) return "Unknown";
  return condition.status !== "True" && condition.reason ? `${condition.status} (${condition.reason})` : condition.status;
}

export const apiServiceBehaviour = behaviour(apiServices, {
  nameRule: "pathSegment",
  defaults: (service) => {
    if (service.spec?.service) service.spec.service.port ??= 443;
    service.status ??= {};
  },
  prepareForCreate: (service) => {
    const { creationTimestamp: now } = service.metadata;
    const isLocal = !service.spec?.service;
    service.status = isLocal ? { conditions: [{ ...localCondition, ...(now && { lastTransitionTime: now }) }] } : {};
  },
  prepareForUpdate: keepStatus,
  ...statusAlone,
  validate,
  validateStatusUpdate: ({ status }) =>
    eachItem("status.conditions", status?.conditions, (condition, at) =>
      statuses.includes(condition.status) ? [] : [notSupported(`${at}.status`, condition.status, statuses)],
    ),
  generationFields: noGeneration,
  allowUnconditionalUpdate: false,
  columns: [
    text("Service", ({ spec }) => (spec?.service ? `${spec.service.namespace ?? ""}/${spec.service.name ?? ""}` : "Local")),
    text("Available", availableCell),
  ],
});
