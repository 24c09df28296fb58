/** MutatingWebhookConfigurations and ValidatingWebhookConfigurations. */
import type { MutatingWebhook, MutatingWebhookConfiguration, ValidatingWebhook } from "../generated/types.ts";
import type { KindBehaviour, Problem } from "../kind.ts";
import { mutatingWebhookConfigurations, validatingWebhookConfigurations } from "../kinds.ts";
import { dns1035LabelProblems, dnsSubdomainProblems, portNumberProblems } from "../names.ts";
import type { KubeObject } from "../objects.ts";
import { defaultSelection, failurePolicies, matchPolicies, validateMatchConditions, validateRule } from "../validation/admission-rules.ts";
import { validateLabelSelector } from "../validation/labels.ts";
import { duplicate, eachItem, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { oneOf } from "../validation/values.ts";
import { behaviour } from "./behaviour.ts";
import { count } from "./cells.ts";

type Webhook = MutatingWebhook | ValidatingWebhook;

interface Configuration extends KubeObject {
  webhooks?: Webhook[] | undefined;
}

function setDefaults({ webhooks }: Configuration): void {
  for (const hook of webhooks ?? []) {
    hook.failurePolicy ??= "Fail";
    hook.timeoutSeconds ??= 10;
    defaultSelection(hook, hook.rules);
    if (hook.clientConfig?.service) hook.clientConfig.service.port ??= 443;
  }
}

const versions = ["v1", "v1beta1"];

function validateReviewVersions(given: readonly string[], path: string): Problem[] {
  if (given.length === 0) return [required(path, `must specify one of ${versions.join(", ")}`)];
  const seen = new Set<string>();
  const problems = eachItem(path, given, (version, at) => {
    if (seen.has(version)) return [invalid(at, version, "duplicate version")];
    seen.add(version);
    return invalidEach(at, version, dns1035LabelProblems(version));
  });
  return given.some((version) => versions.includes(version))
    ? problems
    : [...problems, invalid(path, given, `must include at least one of ${versions.join(", ")}`)];
}

const form = "; desired format: https://host[/path]";

/** The parts of a URL, any of which may be missing. */
const urlPattern = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s;

function validateUrl(text: string, path: string): Problem[] {
  const [, scheme = "", user, host = "", query = "", fragment = ""] = urlPattern.exec(text) ?? [];
  return [
    ...(scheme === "https" ? [] : [invalid(path, scheme, `'https' is the only allowed URL scheme${form}`)]),
    ...(host ? [] : [invalid(path, "", `host must be specified${form}`)]),
    ...(user === undefined ? [] : [invalid(path, user, "user information is not permitted in the URL")]),
    ...(fragment ? [invalid(path, fragment, "fragments are not permitted in the URL")] : []),
    ...(query ? [invalid(path, query, "query parameters are not permitted in the URL")] : []),
  ];
}

function validateServicePath(file: string | undefined, path: string): Problem[] {
  if (!file || file === "/") return [];
  if (file === "//") return [invalid(path, file, "segment[0] may not be empty")];
  const steps = file.slice(1).replace(/\/$/, "").split("/");
  return [
    ...(file.startsWith("/") ? [] : [invalid(path, file, "must start with a '/'")]),
    ...steps.flatMap((step, index) =>
      step === ""
        ? [invalid(path, file, `segment[${index}] may not be empty`)]
        : dnsSubdomainProblems(step).map((message) => invalid(path, file, `segment[${index}]: ${message}`)),
    ),
  ];
}

/** What a client that calls a webhook may be, also one that converts. */
export function validateClient({ url, service }: Webhook["clientConfig"], path: string): Problem[] {
  if ((url === undefined) === (service === undefined)) return [required(path, "exactly one of url or service is required")];
  if (url !== undefined) return validateUrl(url, `${path}.url`);
  const at = `${path}.service`;
  const port = service?.port ?? 0;
  const wrong = portNumberProblems(port);
  return [
    // Kubernetes mixes the two up: the field that is named is the other one.
    ...(service?.namespace ? [] : [required(`${at}.name`)]),
    ...(service?.name ? [] : [required(`${at}.namespace`)]),
    ...(wrong.length > 0 ? [invalid(`${at}.port`, port, `port is not valid: ${wrong.join(", ")}`)] : []),
    ...validateServicePath(service?.path, `${at}.path`),
  ];
}

/** `name.domain.example`: at least three parts. */
function validateName(name: string | undefined, field: string): Problem[] {
  if (!name) return [required(field)];
  const problems = dnsSubdomainProblems(name);
  if (problems.length > 0) return invalidEach(field, name, problems);
  return name.split(".").length >= 3 ? [] : [invalid(field, name, "should be a domain with at least three segments separated by dots")];
}

const sideEffects = ["None", "NoneOnDryRun"];
const reinvocationPolicies = ["IfNeeded", "Never"];

function validateHook(hook: Webhook, at: string): Problem[] {
  const { timeoutSeconds, sideEffects: effects } = hook;
  return [
    ...validateName(hook.name, `${at}.name`),
    ...eachItem(`${at}.rules`, hook.rules, validateRule),
    ...oneOf(hook.failurePolicy, failurePolicies, `${at}.failurePolicy`),
    ...oneOf(hook.matchPolicy, matchPolicies, `${at}.matchPolicy`),
    ...(effects === undefined
      ? [required(`${at}.sideEffects`, `must specify one of ${sideEffects.join(", ")}`)]
      : sideEffects.includes(effects)
        ? []
        : [notSupported(`${at}.sideEffects`, effects, sideEffects)]),
    ...(timeoutSeconds !== undefined && (timeoutSeconds > 30 || timeoutSeconds < 1)
      ? [invalid(`${at}.timeoutSeconds`, timeoutSeconds, "the timeout value must be between 1 and 30 seconds")]
      : []),
    ...validateLabelSelector(hook.namespaceSelector, `${at}.namespaceSelector`),
    ...validateLabelSelector(hook.objectSelector, `${at}.objectSelector`),
    ...("reinvocationPolicy" in hook ? oneOf(hook.reinvocationPolicy, reinvocationPolicies, `${at}.reinvocationPolicy`) : []),
    ...validateClient(hook.clientConfig ?? {}, `${at}.clientConfig`),
    ...validateMatchConditions(hook.matchConditions, `${at}.matchConditions`),
    ...validateReviewVersions(hook.admissionReviewVersions ?? [], `${at}.admissionReviewVersions`),
  ];
}

function validate({ webhooks }: Configuration): Problem[] {
  const names = new Set<string>();
  return eachItem("webhooks", webhooks, (hook, at) => {
    const twin = Boolean(hook.name) && names.has(hook.name);
    names.add(hook.name);
    return [...validateHook(hook, at), ...(twin ? [duplicate(`${at}.name`, hook.name)] : [])];
  });
}

const shared: KindBehaviour<Configuration> = {
  defaults: setDefaults,
  validate,
  generationFields: ({ webhooks = [] }) => webhooks,
  allowUnconditionalUpdate: false,
  columns: [count("Webhooks", ({ webhooks }) => webhooks?.length)],
};

export const validatingWebhookConfigurationBehaviour = behaviour(validatingWebhookConfigurations, shared as KindBehaviour<any>);
export const mutatingWebhookConfigurationBehaviour = behaviour(mutatingWebhookConfigurations, {
  ...(shared as KindBehaviour<any>),
  defaults: (configuration: MutatingWebhookConfiguration) => {
    for (const hook of configuration.webhooks ?? []) hook.reinvocationPolicy ??= "Never";
    setDefaults(configuration);
  },
});
