/** Formats that CEL knows by name (`format.dns1123Label()`). */
import { dns1035LabelProblems, dnsLabelProblems, dnsSubdomainProblems, labelValueProblems, qualifiedNameProblems } from "../../names.ts";
import { hasFormat } from "../../string-formats.ts";
import { checkRequestUri, UrlError } from "../../urls.ts";

interface Format {
  problems(text: string): readonly string[];
  /** How long a regular expression for it would be: what a check costs. */
  readonly cost: number;
}

/** A name that something will be appended to may end in a dash. */
const prefix = (problems: (text: string) => readonly string[]) => (text: string) => problems(text.replace(/-$/, "a"));
const named = (format: string, problem: string, cost: number): Format => ({
  problems: (text) => (hasFormat(text, format) ? [] : [problem]),
  cost,
});

function uriProblems(text: string): readonly string[] {
  try {
    checkRequestUri(text);
    return [];
  } catch (error) {
    if (error instanceof UrlError) return [error.message];
    throw error;
  }
}

const formats: Readonly<Record<string, Format>> = {
  dns1123Label: { problems: dnsLabelProblems, cost: 30 },
  dns1123Subdomain: { problems: dnsSubdomainProblems, cost: 60 },
  dns1035Label: { problems: dns1035LabelProblems, cost: 30 },
  qualifiedName: { problems: qualifiedNameProblems, cost: 60 },
  dns1123LabelPrefix: { problems: prefix(dnsLabelProblems), cost: 30 },
  dns1123SubdomainPrefix: { problems: prefix(dnsSubdomainProblems), cost: 60 },
  dns1035LabelPrefix: { problems: prefix(dns1035LabelProblems), cost: 30 },
  labelValue: { problems: labelValueProblems, cost: 40 },
  uri: { problems: uriProblems, cost: 1103 },
  uuid: named("uuid", "does not match the UUID format", 70),
  byte: named("byte", "invalid base64", 84),
  date: named("date", "invalid date", 71),
  datetime: named("datetime", "invalid datetime", 71),
};

export const formatNames: readonly string[] = Object.keys(formats);
export const formatProblems = (name: string, text: string): readonly string[] => formats[name]?.problems(text) ?? [];
export const formatCost = (name: string): number => formats[name]?.cost ?? 0;
