/** FlowSchemas and PriorityLevelConfigurations. They are stored; this server does not ration requests by them. */
import type {
  FlowSchema,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { flowSchemas, priorityLevelConfigurations } from "../kinds.ts";
import { dnsSubdomainProblems } from "../names.ts";
import { validateFlowRule } from "../validation/flow-rules.ts";
import type { Given } from "../validation/given.ts";
import { eachItem, forbidden, invalid, invalidEach, notSupported, required } from "../validation/problems.ts";
import { behaviour, specGeneration, statusAlone, statusBehaviour } from "./behaviour.ts";
import { age, text } from "./cells.ts";

const lowestPrecedence = 10_000;
const defaultPrecedence = 1000;

function validateSchema({ metadata, spec }: FlowSchema): Problem[] {
  const { matchingPrecedence = 0, priorityLevelConfiguration, distinguisherMethod, rules } = spec ?? {};
  const field = "spec.matchingPrecedence";
  const methods = ["ByNamespace", "ByUser"];
  const problems: Problem[] = [];
  if (matchingPrecedence <= 0) problems.push(invalid(field, matchingPrecedence, "must be a positive value"));
  if (matchingPrecedence > lowestPrecedence) {
    problems.push(invalid(field, matchingPrecedence, `must not be greater than ${lowestPrecedence}`));
  }
  if (matchingPrecedence === 1 && metadata.name !== "exempt") {
    problems.push(invalid(field, matchingPrecedence, "only the schema named 'exempt' may have matchingPrecedence 1"));
  }
  if (distinguisherMethod && !methods.includes(distinguisherMethod.type)) {
    problems.push(notSupported("spec.distinguisherMethod.type", { Type: distinguisherMethod.type }, methods));
  }
  const level = priorityLevelConfiguration?.name;
  const path = "spec.priorityLevelConfiguration.name";
  problems.push(...(level ? invalidEach(path, level, dnsSubdomainProblems(level)) : [required(path, "must reference a priority level")]));
  return [...problems, ...eachItem("spec.rules", rules, validateFlowRule)];
}

export const flowSchemaBehaviour = behaviour(flowSchemas, {
  ...statusBehaviour,
  defaults: (schema) => {
    if (schema.spec) schema.spec.matchingPrecedence ||= defaultPrecedence;
    schema.status ??= {};
  },
  ...statusAlone,
  validate: validateSchema,
  generationFields: specGeneration,
  ownAge: true,
  columns: [
    text("PriorityLevel", ({ spec }) => spec?.priorityLevelConfiguration?.name),
    { name: "MatchingPrecedence", type: "string", value: ({ spec }) => spec?.matchingPrecedence ?? 0 },
    text("DistinguisherMethod", ({ spec }) => spec?.distinguisherMethod?.type ?? "<none>"),
    age,
    text("MissingPL", ({ status }) => status?.conditions?.find(({ type }) => type === "Dangling")?.status ?? "?"),
  ],
});

function setLevelDefaults(level: PriorityLevelConfiguration): void {
  level.status ??= {};
  const { exempt, limited } = level.spec ?? {};
  if (exempt) {
    exempt.nominalConcurrencyShares ??= 0;
    exempt.lendablePercent ??= 0;
  }
  if (!limited) return;
  limited.nominalConcurrencyShares ??= 30;
  limited.lendablePercent ??= 0;
  const queuing = limited.limitResponse?.queuing;
  if (!queuing) return;
  queuing.handSize ||= 8;
  queuing.queues ||= 64;
  queuing.queueLengthLimit ||= 50;
}

function validateLimited(
  { limitResponse, lendablePercent = 0, ...limited }: Given<LimitedPriorityLevelConfiguration>,
  at: string,
): Problem[] {
  const shares = limited.nominalConcurrencyShares ?? 0;
  const borrowing = limited.borrowingLimitPercent ?? 0;
  return [
    ...(shares < 0 ? [invalid(`${at}.nominalConcurrencyShares`, shares, "must be a non-negative integer")] : []),
    ...validateLimitResponse(limitResponse, `${at}.limitResponse`),
    ...(lendablePercent < 0 || lendablePercent > 100
      ? [invalid(`${at}.lendablePercent`, lendablePercent, "must be between 0 and 100, inclusive")]
      : []),
    ...(borrowing < 0 ? [invalid(`${at}.borrowingLimitPercent`, borrowing, "if specified, must be a non-negative integer")] : []),
  ];
}

function validateLimitResponse({ type = "", queuing }: Given<LimitResponse> = {}, at: string): Problem[] {
  if (type === "Reject") {
    return queuing ? [forbidden(`${at}.queuing`, "must be nil if limited.limitResponse.type is not Limited")] : [];
  }
  if (type !== "Queue") return [notSupported(`${at}.type`, type, ["Queue", "Reject"])];
  return queuing
    ? validateQueuing(queuing, `${at}.queuing`)
    : [required(`${at}.queuing`, "must not be empty if limited.limitResponse.type is Limited")];
}

const mostQueues = 10_000_000;
/** Bits of a hash, of which a hand of queues is dealt. */
const hashBits = 60;

function validateQueuing({ queueLengthLimit = 0, queues = 0, handSize = 0 }: Given<QueuingConfiguration>, at: string): Problem[] {
  const problems: Problem[] = [];
  const bits = Math.ceil(Math.log2(queues) * handSize);
  if (queueLengthLimit <= 0) problems.push(invalid(`${at}.queueLengthLimit`, queueLengthLimit, "must be positive"));
  if (queues <= 0) problems.push(invalid(`${at}.queues`, queues, "must be positive"));
  else if (queues > mostQueues) problems.push(invalid(`${at}.queues`, queues, `must not be greater than ${mostQueues}`));
  if (handSize <= 0) problems.push(invalid(`${at}.handSize`, handSize, "must be positive"));
  else if (handSize > queues) problems.push(invalid(`${at}.handSize`, handSize, `should not be greater than queues (${queues})`));
  else if (bits > hashBits) {
    const detail = `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBits}`;
    problems.push(invalid(`${at}.handSize`, handSize, detail));
  }
  return problems;
}

function validateLevel({ metadata, spec }: PriorityLevelConfiguration): Problem[] {
  const { type = "", limited, exempt } = (spec ?? {}) as Given<PriorityLevelConfigurationSpec>;
  const problems: Problem[] = [];
  if ((metadata.name === "exempt") !== (type === "Exempt")) {
    problems.push(invalid("spec.type", type, "must be 'Exempt' if and only if `name` is 'exempt'"));
  }
  if (type === "Exempt") {
    if (limited) problems.push(forbidden("spec.limited", "must be nil if the type is not Limited"));
  } else if (type === "Limited") {
    if (exempt) problems.push(forbidden("spec.exempt", "must be nil if the type is Limited"));
    problems.push(
      ...(limited ? validateLimited(limited, "spec.limited") : [required("spec.limited", "must not be empty when type is Limited")]),
    );
  } else problems.push(notSupported("spec.type", type, ["Exempt", "Limited"]));
  return problems;
}

const limitCell = (name: string, value: (level: PriorityLevelConfiguration) => number | undefined) =>
  ({ name, type: "string", value: (level: PriorityLevelConfiguration) => value(level) ?? "<none>" }) as const;

export const priorityLevelConfigurationBehaviour = behaviour(priorityLevelConfigurations, {
  ...statusBehaviour,
  defaults: setLevelDefaults,
  ...statusAlone,
  validate: validateLevel,
  generationFields: specGeneration,
  columns: [
    text("Type", ({ spec }) => spec?.type),
    limitCell("NominalConcurrencyShares", ({ spec }) => spec?.limited?.nominalConcurrencyShares),
    limitCell("Queues", ({ spec }) => spec?.limited?.limitResponse?.queuing?.queues),
    limitCell("HandSize", ({ spec }) => spec?.limited?.limitResponse?.queuing?.handSize),
    limitCell("QueueLengthLimit", ({ spec }) => spec?.limited?.limitResponse?.queuing?.queueLengthLimit),
  ],
});
