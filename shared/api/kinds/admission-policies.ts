/**
 * Admission policies and their bindings. They are stored, but this server evaluates no expressions of theirs.
 */
import type { AuditAnnotation, MatchResources, ParamRef, ValidatingAdmissionPolicy, Validation, Variable } from "../generated/types.ts";
import type { KindBehaviour, Problem } from "../kind.ts";
import {
  mutatingAdmissionPolicies,
  mutatingAdmissionPolicyBindings,
  validatingAdmissionPolicies,
  validatingAdmissionPolicyBindings,
} from "../kinds.ts";
import { dnsSubdomainProblems, qualifiedNameProblems } from "../names.ts";
import type { KubeObject } from "../objects.ts";
import {
  defaultSelection,
  failurePolicies,
  validateMatchConditions,
  validateMatchResources,
  validateParamKind,
  validateParamRef,
} from "../validation/admission-rules.ts";
import { validateConditions } from "../validation/conditions.ts";
import type { Given } from "../validation/given.ts";
import { duplicate, eachItem, invalid, invalidEach, notSupported, required, tooMany } from "../validation/problems.ts";
import { oneOf } from "../validation/values.ts";
import { behaviour, specGeneration, statusAlone, statusBehaviour } from "./behaviour.ts";
import { age, count, selectorText, text } from "./cells.ts";

interface PolicySpec {
  failurePolicy?: string | undefined;
  matchConditions?: Parameters<typeof validateMatchConditions>[0];
  matchConstraints?: MatchResources | undefined;
  paramKind?: Parameters<typeof validateParamKind>[0];
  variables?: Variable[] | undefined;
}

const defaultMatch = (match: MatchResources | undefined): void => {
  if (match) defaultSelection(match, match.resourceRules, match.excludeResourceRules);
};

function defaultPolicy(spec: PolicySpec): void {
  spec.failurePolicy ??= "Fail";
  defaultMatch(spec.matchConstraints);
}

/** A name that an expression can use. */
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/;

function validatePolicy(spec: PolicySpec): Problem[] {
  const path = "spec.matchConstraints";
  return [
    ...oneOf(spec.failurePolicy, failurePolicies, "spec.failurePolicy", true),
    ...validateParamKind(spec.paramKind, "spec.paramKind"),
    ...(spec.matchConstraints ? validateMatchResources(spec.matchConstraints, path) : [required(path)]),
    ...(spec.matchConstraints && (spec.matchConstraints.resourceRules ?? []).length === 0 ? [required(`${path}.resourceRules`)] : []),
    ...validateMatchConditions(spec.matchConditions, "spec.matchConditions"),
    ...eachItem("spec.variables", spec.variables, ({ name = "", expression = "" }: Given<Variable>, at) => [
      ...(name.trim() === ""
        ? [required(`${at}.name`, "name is not specified")]
        : identifier.test(name)
          ? []
          : [invalid(`${at}.name`, name, "must be a valid CEL identifier")]),
      ...(expression.trim() === "" ? [required(`${at}.expression`, "expression is not specified")] : []),
    ]),
  ];
}

const mostAnnotations = 20;
const reasons = ["Forbidden", "Invalid", "RequestEntityTooLarge"];

function validateValidations({ metadata, spec }: ValidatingAdmissionPolicy): Problem[] {
  const { validations = [], auditAnnotations = [] } = spec;
  if (validations.length === 0 && auditAnnotations.length === 0) {
    const detail = "validations or auditAnnotations must contain at least one item";
    return [required("spec.validations", detail), required("spec.auditAnnotations", detail)];
  }
  const keys = new Set<string>();
  return [
    ...eachItem(
      "spec.validations",
      validations,
      ({ expression = "", message = "", messageExpression = "", reason }: Given<Validation>, at) => [
        ...(expression.trim() === "" ? [required(`${at}.expression`, "expression is not specified")] : []),
        ...(messageExpression !== "" && messageExpression.trim() === ""
          ? [invalid(`${at}.messageExpression`, messageExpression, "must be non-empty if specified")]
          : []),
        ...(message !== "" && message.trim() === ""
          ? [invalid(`${at}.message`, message, "must be non-empty if specified")]
          : /[\n\r]/.test(message.trim())
            ? [invalid(`${at}.message`, message, "must not contain line breaks")]
            : []),
        ...(reason === undefined || reasons.includes(reason) ? [] : [notSupported(`${at}.reason`, reason, reasons)]),
      ],
    ),
    ...(auditAnnotations.length > mostAnnotations ? [tooMany("spec.auditAnnotations", auditAnnotations.length, mostAnnotations)] : []),
    ...eachItem("spec.auditAnnotations", auditAnnotations, ({ key = "", valueExpression = "" }: Given<AuditAnnotation>, at) => {
      const twin = keys.has(key);
      keys.add(key);
      const name = `${metadata.name}/${key}`;
      return [
        ...invalidEach(`${at}.key`, name, qualifiedNameProblems(name)),
        ...(valueExpression.trim() === "" ? [required(`${at}.valueExpression`, "valueExpression is not specified")] : []),
        ...(twin ? [duplicate(`${at}.key`, key)] : []),
      ];
    }),
  ];
}

const paramKindCell = ({ spec }: { spec?: PolicySpec | undefined }): string =>
  spec?.paramKind ? `${spec.paramKind.apiVersion ?? ""}/${spec.paramKind.kind ?? ""}` : "<unset>";

export const validatingAdmissionPolicyBehaviour = behaviour(validatingAdmissionPolicies, {
  ...statusBehaviour,
  defaults: (policy) => {
    defaultPolicy((policy.spec ??= {}));
    policy.status ??= {};
  },
  ...statusAlone,
  validateStatusUpdate: ({ status }) => [
    ...eachItem("status.typeChecking.expressionWarnings", status?.typeChecking?.expressionWarnings, ({ fieldRef, warning }, at) => [
      ...(warning ? [] : [required(`${at}.warning`)]),
      ...(fieldRef ? [] : [required(`${at}.fieldRef`)]),
    ]),
    ...validateConditions(status?.conditions, "status.conditions"),
  ],
  validate: (policy) => [...validatePolicy(policy.spec ?? {}), ...validateValidations(policy)],
  generationFields: specGeneration,
  allowUnconditionalUpdate: false,
  ownAge: true,
  columns: [count("Validations", ({ spec }) => spec?.validations?.length), text("ParamKind", paramKindCell), age],
});

const mutatingOperations = ["*", "CONNECT", "CREATE", "UPDATE"];

/** What is deleted cannot be mutated. */
const validateMutable = (match: MatchResources | undefined, path: string): Problem[] =>
  (match?.resourceRules ?? []).flatMap(({ operations }) =>
    (operations ?? [])
      .filter((operation) => !mutatingOperations.includes(operation))
      .map((operation) => notSupported(`${path}.resourceRules.operations`, operation, mutatingOperations)),
  );

export const mutatingAdmissionPolicyBehaviour = behaviour(mutatingAdmissionPolicies, {
  defaults: (policy) => defaultPolicy((policy.spec ??= {})),
  validate: ({ spec }) => [
    ...validatePolicy(spec),
    ...validateMutable(spec.matchConstraints, "spec.matchConstraints"),
    ...((spec.mutations ?? []).length === 0 ? [required("spec.mutations", "mutations must contain at least one item")] : []),
    ...oneOf(spec.reinvocationPolicy, ["IfNeeded", "Never"], "spec.reinvocationPolicy", true),
  ],
  generationFields: specGeneration,
  allowUnconditionalUpdate: false,
  ownAge: true,
  columns: [count("Mutations", ({ spec }) => spec?.mutations?.length), text("ParamKind", paramKindCell), age],
});

interface BindingSpec {
  policyName?: string | undefined;
  paramRef?: ParamRef | undefined;
  matchResources?: MatchResources | undefined;
  validationActions?: string[] | undefined;
}

interface Binding extends KubeObject {
  spec?: BindingSpec | undefined;
}

const validateBinding = ({ spec = {} }: Binding): Problem[] => [
  ...(spec.policyName
    ? invalidEach("spec.policyName", spec.policyName, dnsSubdomainProblems(spec.policyName))
    : [required("spec.policyName")]),
  ...validateParamRef(spec.paramRef, "spec.paramRef"),
  ...validateMatchResources(spec.matchResources, "spec.matchResources"),
];

const validationActions = ["Audit", "Deny", "Warn"];

function validateActions({ spec }: Binding): Problem[] {
  const path = "spec.validationActions";
  const actions = spec?.validationActions ?? [];
  const seen = new Set<string>();
  return [
    ...eachItem(path, actions, (action, at) => {
      const twin = seen.has(action);
      seen.add(action);
      return [
        ...(validationActions.includes(action) ? [] : [notSupported(at, action, validationActions)]),
        ...(twin ? [duplicate(at, action)] : []),
      ];
    }),
    ...(seen.has("Deny") && seen.has("Warn")
      ? [
          invalid(
            path,
            actions,
            "must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)",
          ),
        ]
      : []),
    ...(actions.length === 0 ? [required(path, "at least one validation action is required")] : []),
  ];
}

function paramCell({ spec }: Binding): string {
  const { name, namespace, selector } = spec?.paramRef ?? {};
  if (name) return `${namespace || "*"}/${name}`;
  return selector ? selectorText(selector) : "<unset>";
}

const bindingBehaviour: KindBehaviour<Binding> = {
  defaults: ({ spec }) => defaultMatch(spec?.matchResources),
  generationFields: specGeneration,
  allowUnconditionalUpdate: false,
  ownAge: true,
  columns: [text("PolicyName", ({ spec }) => spec?.policyName), text("ParamRef", paramCell), age],
};

export const validatingAdmissionPolicyBindingBehaviour = behaviour(validatingAdmissionPolicyBindings, {
  ...(bindingBehaviour as KindBehaviour<any>),
  validate: (binding: Binding) => [...validateBinding(binding), ...validateActions(binding)],
});
export const mutatingAdmissionPolicyBindingBehaviour = behaviour(mutatingAdmissionPolicyBindings, {
  ...(bindingBehaviour as KindBehaviour<any>),
  validate: (binding: Binding) => [...validateBinding(binding), ...validateMutable(binding.spec?.matchResources, "spec.matchResources")],
});
