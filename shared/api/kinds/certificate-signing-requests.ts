/** CertificateSigningRequests. */

import { asn1, derElements, requestInPem } from "../certificate-request.ts";
import { humanDuration } from "../durations.ts";
import type { CertificateSigningRequest } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { certificateSigningRequests } from "../kinds.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../names.ts";
import { copyOf } from "../patch/values.ts";
import { formatTime } from "../time.ts";
import { duplicate, eachItem, forbidden, invalid, notSupported, quote, required, tooLong } from "../validation/problems.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { age, text } from "./cells.ts";

const usages = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];

const shortestLife = 600;

/** `example.com/signer` */
function validateSigner(name: string | undefined, field: string): Problem[] {
  if (!name) return [required(field)];
  const [domain = "", path = "", ...rest] = name.split("/");
  if (rest.length > 0 || !name.includes("/")) {
    return [invalid(field, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")];
  }
  return [
    ...(domain.length > longestDomain ? [tooLong(field, longestDomain)] : []),
    ...firstBadLabel(domain, dnsLabelProblems, field),
    ...(domain.includes(".") ? [] : [invalid(field, domain, "should be a domain with at least two segments separated by dots")]),
    ...firstBadLabel(path, dnsSubdomainProblems, field),
  ];
}

const longestDomain = 253;

function firstBadLabel(labels: string, problemsOf: (label: string) => string[], field: string): Problem[] {
  const bad = labels.split(".").find((label) => problemsOf(label).length > 0);
  return bad === undefined ? [] : problemsOf(bad).map((message) => invalid(field, labels, `validating label ${quote(bad)}: ${message}`));
}

/** One PEM block that holds one ASN.1 sequence. What it asks for is for its signer to judge. */
function validateRequest(request: string | undefined): Problem[] {
  const refused = (message: string) => [invalid("spec.request", request || null, message)];
  const der = requestInPem(Buffer.from(request ?? "", "base64").toString());
  if (der === undefined) return refused("PEM block type must be CERTIFICATE REQUEST");
  return isSequence(der) ? [] : refused("asn1: syntax error: data truncated");
}

/** Whether these bytes are one ASN.1 SEQUENCE of the length that it claims. */
function isSequence(der: Buffer): boolean {
  try {
    return derElements(der, asn1.sequence).length === 1;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function validate({ spec }: CertificateSigningRequest): Problem[] {
  const seen = new Set<string>();
  const seconds = spec.expirationSeconds;
  return [
    ...validateRequest(spec.request),
    ...((spec.usages ?? []).length === 0 ? [required("spec.usages")] : []),
    ...eachItem("spec.usages", spec.usages, (usage, at) => {
      const twin = seen.has(usage);
      seen.add(usage);
      return [...(usages.includes(usage) ? [] : [notSupported(at, usage, usages)]), ...(twin ? [duplicate(at, usage)] : [])];
    }),
    ...(spec.signerName === "kubernetes.io/legacy-unknown"
      ? [invalid("spec.signerName", spec.signerName, "the legacy signerName is not allowed via this API version")]
      : validateSigner(spec.signerName, "spec.signerName")),
    ...(seconds !== undefined && seconds < shortestLife
      ? [invalid("spec.expirationSeconds", seconds, "may not specify a duration less than 600 seconds (10 minutes)")]
      : []),
  ];
}

type Status = CertificateSigningRequest["status"];
type Condition = NonNullable<NonNullable<Status>["conditions"]>[number];

const verdicts = ["Approved", "Denied"];
const finalTypes = [...verdicts, "Failed"];
const conditionsPath = "status.conditions";

const conditionsOf = ({ status }: CertificateSigningRequest, wanted?: string): readonly Condition[] =>
  (status?.conditions ?? []).filter(({ type }) => wanted === undefined || type === wanted);

const isJudgedBothWays = (object: CertificateSigningRequest): boolean => verdicts.every((type) => conditionsOf(object, type).length > 0);

/** What was wrong before may stay so. */
function validateConditions(next: CertificateSigningRequest, previous: CertificateSigningRequest): Problem[] {
  const seen = new Set<string>();
  const types = conditionsOf(previous).map(({ type }) => type);
  const mayRepeat = new Set(types).size < types.length;
  const problems = eachItem(conditionsPath, conditionsOf(next), ({ type, status: value }, at) => {
    const allowed = finalTypes.includes(type) ? ["True"] : ["False", "True", "Unknown"];
    const twin = seen.has(type) && !mayRepeat;
    seen.add(type);
    return [
      ...(type || types.includes("") ? [] : [required(`${at}.type`)]),
      ...(value ? (allowed.includes(value) ? [] : [notSupported(`${at}.status`, value, allowed)]) : [required(`${at}.status`)]),
      ...(verdicts.includes(type) && verdicts.every((verdict) => seen.has(verdict)) && !isJudgedBothWays(previous)
        ? [invalid(conditionsPath, type, "Approved and Denied conditions are mutually exclusive")]
        : []),
      ...(twin ? [duplicate(`${at}.type`, type)] : []),
    ];
  });
  const removed = finalTypes.filter((type) => conditionsOf(next, type).length < conditionsOf(previous, type).length);
  return [...problems, ...removed.map((type) => forbidden(conditionsPath, `updates may not remove a condition of type ${quote(type)}`))];
}

/** PEM blocks of certificates, and nothing else in PEM. */
function validateCertificate(base64: string): Problem[] {
  const blocks = [...Buffer.from(base64, "base64").toString("latin1").matchAll(pemBlock)];
  const refused = (message: string) => [invalid("status.certificate", "<certificate data>", message)];
  if (blocks.length === 0) return refused("must contain at least one CERTIFICATE PEM block");
  for (const [, type = "", body = ""] of blocks) {
    if (type !== "CERTIFICATE") return refused(`only CERTIFICATE PEM blocks are allowed, found ${quote(type)}`);
    if (body.includes(":")) return refused("no PEM block headers are permitted");
    if (!isSequence(Buffer.from(body, "base64"))) return refused("x509: malformed certificate");
  }
  return [];
}

const pemBlock = /-----BEGIN ([^-\n]+)-----\r?\n([^-]*)-----END \1-----/g;

/** A verdict is given through `/approval` alone, and a certificate is issued once. */
function validateStatus(next: CertificateSigningRequest, previous: CertificateSigningRequest): Problem[] {
  const [after, before] = [next.status?.certificate ?? "", previous.status?.certificate ?? ""];
  const added = verdicts.filter((type) => conditionsOf(next, type).length > conditionsOf(previous, type).length);
  return [
    ...validateConditions(next, previous),
    ...(after === before || after === "" ? [] : validateCertificate(after)),
    ...added.map((type) => forbidden(conditionsPath, `updates may not add a condition of type ${quote(type)}`)),
    ...(before !== "" && after !== before ? [forbidden("status.certificate", "updates may not modify existing certificate content")] : []),
  ];
}

/** Says when conditions came and changed, where the client has not. */
function stampConditions(next: CertificateSigningRequest, previous: CertificateSigningRequest, now: Date): void {
  const time = formatTime(Math.floor(now.getTime() / 1000));
  for (const condition of next.status?.conditions ?? []) {
    condition.lastUpdateTime ??= time;
    condition.lastTransitionTime ??=
      conditionsOf(previous, condition.type).find(({ status, lastTransitionTime }) => status === condition.status && lastTransitionTime)
        ?.lastTransitionTime ?? time;
  }
}

/** An update through `/approval`: of the conditions, and nothing else. */
export const approval = {
  prepare(next: CertificateSigningRequest, previous: CertificateSigningRequest, now: Date): void {
    stampConditions(next, previous, now);
    next.spec = copyOf(previous.spec);
    next.status = { ...copyOf(previous.status ?? {}), conditions: next.status?.conditions ?? [] };
  },
  problems: validateConditions,
};

function statusCell({ status }: CertificateSigningRequest): string {
  const types = new Set(status?.conditions?.map(({ type }) => type));
  const verdict = types.has("Denied") ? "Denied" : types.has("Approved") ? "Approved" : "Pending";
  return `${verdict}${types.has("Failed") ? ",Failed" : ""}${status?.certificate ? ",Issued" : ""}`;
}

export const certificateSigningRequestBehaviour = behaviour(certificateSigningRequests, {
  nameRule: "pathSegment",
  defaults: (request) => {
    request.status ??= {};
  },
  ignores: [["spec"]],
  statusIgnores: [["status", "conditions"]],
  // Who asks is not for the client to say: the registry does.
  prepareForCreate: (request) => {
    const { username: _, uid: __, groups: ___, extra: ____, ...spec } = request.spec;
    request.spec = spec;
    request.status = {};
  },
  prepareForUpdate: (next, previous) => {
    next.spec = copyOf(previous.spec);
    next.status = copyOf(previous.status ?? {});
  },
  // Verdicts stay as they were.
  prepareForStatusUpdate: (next, previous, now) => {
    next.spec = copyOf(previous.spec);
    const conditions = conditionsOf(next).map((condition) => {
      const settled = verdicts.includes(condition.type) ? conditionsOf(previous, condition.type)[0] : undefined;
      return settled ? copyOf(settled) : condition;
    });
    if (next.status?.conditions) next.status.conditions = conditions;
    stampConditions(next, previous, now);
  },
  validate,
  validateStatusUpdate: validateStatus,
  generationFields: noGeneration,
  selectableFields: { "spec.signerName": ({ spec }) => spec.signerName ?? "" },
  ownAge: true,
  columns: [
    age,
    text("SignerName", ({ spec }) => spec.signerName || "<none>"),
    text("Requestor", ({ spec }) => spec.username),
    text("RequestedDuration", ({ spec }) =>
      spec.expirationSeconds === undefined ? "<none>" : humanDuration(spec.expirationSeconds * 1000),
    ),
    text("Condition", statusCell),
  ],
});
