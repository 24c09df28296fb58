/** CertificateSigningRequests. */

import { asn1, derElements, requestInPem } from "../certificate-request.ts";
import { humanDuration } from "../durations.ts";
import type { CertificateSigningRequest } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { certificateSigningRequests } from "../kinds.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../names.ts";
import { copyOf } from "../patch/values.ts";
import { duplicate, eachItem, invalid, notSupported, quote, required, tooLong } from "../validation/problems.ts";
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
  const refused = (message: string) => [invalid("spec.request", request ?? "", message)];
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

const verdicts = ["Approved", "Denied"];

const hasCondition = (object: CertificateSigningRequest["status"], wanted: string): boolean =>
  object?.conditions?.some(({ type }) => type === wanted) ?? false;

/** A verdict is given through `/approval` alone, and is never taken back. */
function validateStatus({ status }: CertificateSigningRequest, previous: CertificateSigningRequest): Problem[] {
  const path = "status.conditions";
  const seen = new Set<string>();
  return [
    ...eachItem(path, status?.conditions, ({ type, status: value }, at) => {
      const allowed = [...verdicts, "Failed"].includes(type) ? ["True"] : ["False", "True", "Unknown"];
      const twin = seen.has(type);
      seen.add(type);
      return [
        ...(type ? [] : [required(`${at}.type`)]),
        ...(value ? (allowed.includes(value) ? [] : [notSupported(`${at}.status`, value, allowed)]) : [required(`${at}.status`)]),
        ...(twin ? [duplicate(`${at}.type`, type)] : []),
      ];
    }),
    ...(hasCondition(status, "Approved") && hasCondition(status, "Denied")
      ? [invalid(path, "Denied", "Approved and Denied conditions are mutually exclusive")]
      : []),
    ...(previous.status?.certificate && previous.status.certificate !== status?.certificate
      ? [invalid("status.certificate", "<certificate data>", "updates may not change an issued certificate")]
      : []),
  ];
}

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
  prepareForStatusUpdate: (next, previous) => {
    next.spec = copyOf(previous.spec);
    const before = previous.status?.conditions ?? [];
    const conditions = (next.status?.conditions ?? []).map((condition) => {
      const settled = verdicts.includes(condition.type) ? before.find(({ type }) => type === condition.type) : undefined;
      return settled ? copyOf(settled) : condition;
    });
    if (next.status?.conditions) next.status.conditions = conditions;
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
