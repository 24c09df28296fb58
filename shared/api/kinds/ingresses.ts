/** Ingresses and IngressClasses. */
import type { Ingress, IngressBackend, IngressClass } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { ingressClasses, ingresses } from "../kinds.ts";
import {
  dnsLabelProblems,
  dnsSubdomainProblems,
  pathSegmentProblems,
  portNameProblems,
  portNumberProblems,
  wildcardSubdomainProblems,
} from "../names.ts";
import { parseAddress, validateIp } from "../validation/addresses.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { eachItem, forbidden, invalid, invalidEach, notSupported, required, tooLong } from "../validation/problems.ts";
import { behaviour, specGeneration, statusBehaviour } from "./behaviour.ts";
import { age, name, text } from "./cells.ts";
import { ingressPoints } from "./services.ts";

const classMark = "kubernetes.io/ingress.class";

const hostProblems = (host: string): string[] => (host.includes("*") ? wildcardSubdomainProblems(host) : dnsSubdomainProblems(host));

type Path = NonNullable<NonNullable<NonNullable<Ingress["spec"]>["rules"]>[number]["http"]>["paths"][number];

const forbiddenParts = ["//", "/./", "/../", "%2f", "%2F"];
const forbiddenEnds = ["/..", "/."];
const pathTypes = ["Exact", "ImplementationSpecific", "Prefix"];

function validatePath({ path = "", pathType, backend }: Path, at: string): Problem[] {
  const field = `${at}.path`;
  if (pathType === undefined) return [required(`${at}.pathType`, "pathType must be specified")];
  const problems: Problem[] = [];
  if (!pathTypes.includes(pathType)) problems.push(notSupported(`${at}.pathType`, pathType, pathTypes));
  else {
    const isLoose = pathType === "ImplementationSpecific";
    if (!path.startsWith("/") && !(isLoose && path === "")) problems.push(invalid(field, path, "must be an absolute path"));
    if (!isLoose) {
      const parts = forbiddenParts.filter((part) => path.includes(part)).map((part) => `must not contain '${part}'`);
      const ends = forbiddenEnds.filter((end) => path.endsWith(end)).map((end) => `cannot end with '${end}'`);
      problems.push(...invalidEach(field, path, [...parts, ...ends]));
    }
  }
  return [...problems, ...validateBackend(backend ?? {}, `${at}.backend`)];
}

interface Reference {
  readonly apiGroup?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
}

const validateReference = ({ apiGroup, kind, name: target }: Reference, path: string): Problem[] => [
  ...(apiGroup === undefined ? [] : invalidEach(`${path}.apiGroup`, apiGroup, dnsSubdomainProblems(apiGroup))),
  ...(kind ? invalidEach(`${path}.kind`, kind, pathSegmentProblems(kind)) : [required(`${path}.kind`)]),
  ...(target ? invalidEach(`${path}.name`, target, pathSegmentProblems(target)) : [required(`${path}.name`)]),
];

function validateBackend({ resource, service }: IngressBackend, path: string): Problem[] {
  if (resource && service) return [invalid(path, "", "cannot set both resource and service backends")];
  if (resource) return validateReference(resource, `${path}.resource`);
  if (!service) return [invalid(path, "", "resource or service backend is required")];
  const { name: portName, number } = service.port ?? {};
  const at = `${path}.service`;
  const problems = service.name ? invalidEach(`${at}.name`, service.name, dnsLabelProblems(service.name)) : [required(`${at}.name`)];
  if (portName && number) problems.push(invalid(path, "", "cannot set both port name & port number"));
  else if (portName) problems.push(...invalidEach(`${at}.port.name`, portName, portNameProblems(portName)));
  else if (number) problems.push(...invalidEach(`${at}.port.number`, number, portNumberProblems(number)));
  else problems.push(required(path, "port name or number is required"));
  return problems;
}

type Rule = NonNullable<NonNullable<Ingress["spec"]>["rules"]>[number];

function validateRule({ host, http }: Rule, at: string, tolerant: boolean): Problem[] {
  const problems: Problem[] = [];
  if (host) {
    if (parseAddress(host)) problems.push(invalid(`${at}.host`, host, "must be a DNS name, not an IP address"));
    problems.push(...invalidEach(`${at}.host`, host, hostProblems(host)));
    if (host.includes("*") && tolerant) return problems;
  }
  if (!http) return problems;
  const path = `${at}.http.paths`;
  return [...problems, ...((http.paths ?? []).length === 0 ? [required(path)] : []), ...eachItem(path, http.paths, validatePath)];
}

const secretProblems = (secret: string | undefined): string[] => (secret ? dnsSubdomainProblems(secret) : []);

/** @param previous undefined for a new Ingress; what was wrong before may stay so */
function validateSpec({ spec }: Ingress, previous: Ingress | undefined): Problem[] {
  const { rules = [], defaultBackend, tls, ingressClassName } = spec;
  const oldRules = previous?.spec?.rules ?? [];
  const tolerateRules = oldRules.some((rule) => rule.host?.includes("*") && validateRule({ ...rule, host: "" }, "", false).length > 0);
  const tolerateSecrets = (previous?.spec?.tls ?? []).some(({ secretName }) => secretProblems(secretName).length > 0);
  return [
    ...(rules.length === 0 && !defaultBackend
      ? [invalid("spec", spec.rules ?? null, "either `defaultBackend` or `rules` must be specified")]
      : []),
    ...(defaultBackend ? validateBackend(defaultBackend, "spec.defaultBackend") : []),
    ...eachItem("spec.rules", rules, (rule, at) => validateRule(rule, at, tolerateRules)),
    ...eachItem("spec.tls", tls, ({ hosts, secretName }, at) => [
      ...eachItem(`${at}.hosts`, hosts, (host, field) => invalidEach(field, host, hostProblems(host))),
      ...(tolerateSecrets ? [] : invalidEach(`${at}.secretName`, secretName, secretProblems(secretName))),
    ]),
    ...(ingressClassName === undefined
      ? []
      : invalidEach("spec.ingressClassName", ingressClassName, dnsSubdomainProblems(ingressClassName))),
  ];
}

function validateNew(ingress: Ingress): Problem[] {
  const mark = ingress.metadata.annotations?.[classMark];
  const wanted = ingress.spec?.ingressClassName;
  const disagree = mark !== undefined && wanted !== undefined && mark !== wanted;
  return [
    ...validateSpec(ingress, undefined),
    ...(disagree ? [invalid(`annotations.${classMark}`, mark, "must match `ingressClassName` when both are specified")] : []),
  ];
}

function validateStatus({ status }: Ingress, previous: Ingress): Problem[] {
  const tolerated = (previous.status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  return eachItem("status.loadBalancer.ingress", status?.loadBalancer?.ingress, ({ ip, hostname }, at) => [
    ...(ip ? validateIp(ip, `${at}.ip`, { tolerated }) : []),
    ...(hostname ? invalidEach(`${at}.hostname`, hostname, dnsSubdomainProblems(hostname)) : []),
    ...(hostname && parseAddress(hostname) ? [invalid(`${at}.hostname`, hostname, "must be a DNS name, not an IP address")] : []),
  ]);
}

const shownHosts = 3;

/** Rules without a host are counted, though not shown. */
function hostsCell({ spec }: Ingress): string {
  const rules = spec?.rules ?? [];
  const hosts: string[] = [];
  for (const { host } of rules) {
    if (hosts.length === shownHosts) return `${hosts.join(",")} + ${rules.length - shownHosts} more...`;
    if (host) hosts.push(host);
  }
  return hosts.join(",") || "*";
}

export const ingressBehaviour = behaviour(ingresses, {
  ...statusBehaviour,
  defaults: (ingress) => {
    ingress.spec ??= {};
    for (const { http } of ingress.spec?.rules ?? []) for (const { backend } of http?.paths ?? []) defaultBackendPort(backend);
    defaultBackendPort(ingress.spec?.defaultBackend);
    const status = (ingress.status ??= {});
    status.loadBalancer ??= {};
  },
  prepareForCreate: (ingress) => {
    ingress.status = { loadBalancer: {} };
  },
  validateCreate: validateNew,
  validateUpdate: validateSpec,
  validateStatusUpdate: validateStatus,
  warnings: ({ metadata, spec }, previous) => {
    const isOld = !previous && metadata.annotations?.[classMark] !== undefined && spec?.ingressClassName === undefined;
    return isOld ? [`annotation "${classMark}" is deprecated, please use 'spec.ingressClassName' instead`] : [];
  },
  generationFields: specGeneration,
  columns: [
    text("Class", ({ spec }) => spec?.ingressClassName ?? "<none>"),
    text("Hosts", hostsCell),
    text("Address", ({ status }) => ingressPoints(status?.loadBalancer).join(",")),
    text("Ports", ({ spec }) => ((spec?.tls ?? []).length > 0 ? "80, 443" : "80")),
  ],
});

function defaultBackendPort(backend: IngressBackend | undefined): void {
  if (backend?.service) backend.service.port ??= {};
}

const longestController = 250;
const controllerPath = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";

/** `example.com/controller` */
function validateController(controller: string | undefined, field: string): Problem[] {
  if (!controller) return [required(field)];
  const [host = "", ...rest] = controller.split("/");
  const path = rest.join("/");
  if (!host || !path) return [invalid(field, controller, 'must be a domain-prefixed path (such as "acme.io/foo")')];
  return [
    ...(controller.length > longestController ? [tooLong(field, longestController)] : []),
    ...invalidEach(field, host, dnsSubdomainProblems(host)),
    ...(new RegExp(`^${controllerPath}$`).test(path)
      ? []
      : [invalid(field, path, `Invalid path (regex used for validation is '${controllerPath}')`)]),
  ];
}

function validateParameters({ spec }: IngressClass): Problem[] {
  const parameters = spec?.parameters;
  if (!parameters) return [];
  const { scope, namespace } = parameters;
  const path = "spec.parameters";
  const problems = validateReference(parameters, path);
  if (scope === undefined) problems.push(required(`${path}.scope`));
  else if (scope !== "Cluster" && scope !== "Namespace") problems.push(notSupported(`${path}.scope`, scope, ["Cluster", "Namespace"]));
  else if (scope === "Cluster") {
    if (namespace !== undefined) problems.push(forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  } else if (namespace === undefined) problems.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  else problems.push(...invalidEach(`${path}.namespace`, namespace, dnsLabelProblems(namespace)));
  return problems;
}

const isDefault = ({ metadata }: IngressClass): boolean => metadata.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true";

function parametersCell({ spec }: IngressClass): string {
  const { kind, apiGroup, name: target } = spec?.parameters ?? {};
  if (kind === undefined) return "<none>";
  return `${kind}${apiGroup === undefined ? "" : `.${apiGroup}`}/${target}`;
}

export const ingressClassBehaviour = behaviour(ingressClasses, {
  defaults: (ingressClass) => {
    const spec = (ingressClass.spec ??= {});
    if (spec.parameters) spec.parameters.scope ??= "Cluster";
  },
  validate: (ingressClass) => [
    ...validateController(ingressClass.spec?.controller, "spec.controller"),
    ...validateParameters(ingressClass),
  ],
  validateUpdate: (next, previous) => validateImmutable(next.spec?.controller, previous.spec?.controller, "spec.controller"),
  generationFields: specGeneration,
  ownName: true,
  ownAge: true,
  columns: [
    name((ingressClass) => `${ingressClass.metadata.name}${isDefault(ingressClass) ? " (default)" : ""}`),
    text("Controller", ({ spec }) => spec?.controller),
    text("Parameters", parametersCell),
    age,
  ],
});
