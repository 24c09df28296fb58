/** What names, labels and other short texts may look like, and why one is refused, in Kubernetes' words. */
import type { NameRule } from "./kind.ts";

/** What is absent is empty, as it is in Go. */
const bytes = (text: string | undefined): number => Buffer.byteLength(text ?? "");

/** "…, regex used for validation is '…'", with examples. */
export function patternMessage(what: string, pattern: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${what} (regex used for validation is '${pattern}')`;
  return `${what} (e.g. ${examples.map((example) => `'${example}', `).join(" or ")}regex used for validation is '${pattern}')`;
}

export const tooManyCharacters = (max: number): string => `must be no more than ${max} characters`;
export const tooManyBytes = (max: number): string => `must be no more than ${max} bytes`;
export const rangeMessage = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`;
const emptyMessage = "must be non-empty";

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, "u");

const label = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const subdomain = `${label}(\\.${label})*`;
const labelPattern = whole(label);
const subdomainPattern = whole(subdomain);
const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

/** A label in DNS (RFC 1123): at most 63 lower-case characters without dots. */
export function dnsLabelProblems(value: string): string[] {
  const problems: string[] = [];
  if (bytes(value) > 63) problems.push(tooManyCharacters(63));
  if (!labelPattern.test(value)) {
    problems.push(
      subdomainPattern.test(value)
        ? "must not contain dots"
        : patternMessage(
            "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
            label,
            "my-name",
            "123-abc",
          ),
    );
  }
  return problems;
}

const subdomainProblems = (value: string, tooLong: string): string[] => [
  ...(bytes(value) > 253 ? [tooLong] : []),
  ...(subdomainPattern.test(value) ? [] : [patternMessage(subdomainRule, subdomain, "example.com")]),
];

/** A subdomain in DNS (RFC 1123): at most 253 lower-case characters. */
export const dnsSubdomainProblems = (value: string): string[] => subdomainProblems(value, tooManyCharacters(253));

const underscoredLabel = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const underscoredSubdomain = `${underscoredLabel}(\\.${underscoredLabel})*`;
const underscoredSubdomainPattern = whole(underscoredSubdomain);

/** A subdomain whose labels may begin with `_` (search domains). */
export function underscoredSubdomainProblems(value: string): string[] {
  const problems: string[] = [];
  if (bytes(value) > 253) problems.push(tooManyCharacters(253));
  if (!underscoredSubdomainPattern.test(value)) {
    problems.push(
      patternMessage(
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
        underscoredSubdomain,
        "example.com",
      ),
    );
  }
  return problems;
}

const dns1035 = "[a-z]([-a-z0-9]*[a-z0-9])?";
const dns1035Pattern = whole(dns1035);

/** A label in DNS as RFC 1035 has it: it begins with a letter. */
export function dns1035LabelProblems(value: string): string[] {
  const problems: string[] = [];
  if (bytes(value) > 63) problems.push(tooManyCharacters(63));
  if (!dns1035Pattern.test(value)) {
    problems.push(
      patternMessage(
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
        dns1035,
        "my-name",
        "abc-123",
      ),
    );
  }
  return problems;
}

const wildcard = `\\*\\.${subdomain}`;
const wildcardPattern = whole(wildcard);

/** `*.example.com` */
export function wildcardSubdomainProblems(value: string): string[] {
  const problems: string[] = [];
  if (bytes(value) > 253) problems.push(tooManyCharacters(253));
  if (!wildcardPattern.test(value)) {
    problems.push(
      patternMessage(
        "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
        wildcard,
        "*.example.com",
      ),
    );
  }
  return problems;
}

/** A name that can stand in a URL path: no `/` and `%`, and not `.` or `..`. */
export function pathSegmentProblems(value: string, options: { readonly prefix: boolean } = { prefix: false }): string[] {
  if (!options.prefix && (value === "." || value === "..")) return [`may not be '${value}'`];
  return ["/", "%"].filter((illegal) => value.includes(illegal)).map((illegal) => `may not contain '${illegal}'`);
}

const qualifiedPart = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const qualifiedPattern = whole(qualifiedPart);
const qualifiedMessage = patternMessage(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  qualifiedPart,
  "MyName",
  "my.name",
  "123-abc",
);

/** A label key, annotation key, finalizer, condition type …: `name` or `prefix/name`. */
export function qualifiedNameProblems(value: string | undefined = ""): string[] {
  const parts = value.split("/");
  if (parts.length > 2) {
    return [`a valid label key ${qualifiedMessage} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const problems: string[] = [];
  const name = parts.at(-1) ?? "";
  if (parts.length === 2) {
    const prefix = parts[0] ?? "";
    if (prefix === "") problems.push(`prefix part ${emptyMessage}`);
    else problems.push(...subdomainProblems(prefix, tooManyBytes(253)).map((message) => `prefix part ${message}`));
  }
  if (name === "") problems.push(`name part ${emptyMessage}`);
  else if (bytes(name) > 63) problems.push(`name part ${tooManyBytes(63)}`);
  if (!qualifiedPattern.test(name)) problems.push(`name part ${qualifiedMessage}`);
  return problems;
}

const labelValue = `(${qualifiedPart})?`;
const labelValuePattern = whole(labelValue);

export function labelValueProblems(value: string): string[] {
  const problems: string[] = [];
  if (bytes(value) > 63) problems.push(tooManyBytes(63));
  if (!labelValuePattern.test(value)) {
    problems.push(
      patternMessage(
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
        labelValue,
        "MyValue",
        "my_value",
        "12345",
      ),
    );
  }
  return problems;
}

/** Names of environment variables: printable ASCII without `=`. */
export function environmentNameProblems(value: string): string[] {
  if (value === "") return [`environment variable name ${emptyMessage}`];
  return /^[\x20-\x7e]*$/.test(value) && !value.includes("=")
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
}

/** Keys of ConfigMaps and Secrets: they become file names. */
export function configKeyProblems(value: string): string[] {
  const problems: string[] = [];
  if (bytes(value) > 253) problems.push(tooManyCharacters(253));
  if (!/^[-._a-zA-Z0-9]+$/.test(value)) {
    problems.push(
      patternMessage(
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
        "[-._a-zA-Z0-9]+",
        "key.name",
        "KEY_NAME",
        "key-name",
      ),
    );
  }
  if (value === ".") problems.push("must not be '.'");
  else if (value === "..") problems.push("must not be '..'");
  else if (value.startsWith("..")) problems.push("must not start with '..'");
  return problems;
}

export const portNumberProblems = (port: number): string[] => (port >= 1 && port <= 65_535 ? [] : [rangeMessage(1, 65_535)]);

/** Names of ports (IANA service names): at most 15 characters, with a letter. */
export function portNameProblems(value: string): string[] {
  const problems: string[] = [];
  if (bytes(value) > 15) problems.push(tooManyCharacters(15));
  if (!/^[-a-z0-9]+$/.test(value)) problems.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)");
  if (!/[a-z]/.test(value)) problems.push("must contain at least one letter (a-z)");
  if (value.includes("--")) problems.push("must not contain consecutive hyphens");
  if (value.startsWith("-") || value.endsWith("-")) problems.push("must not begin or end with a hyphen");
  return problems;
}

export const percentProblems = (value: string): string[] =>
  /^[0-9]+%$/.test(value)
    ? []
    : [patternMessage("a valid percent string must be a numeric string followed by an ending '%'", "[0-9]+%", "1%", "93%")];

export const httpHeaderNameProblems = (value: string): string[] =>
  /^[-A-Za-z0-9]+$/.test(value)
    ? []
    : [patternMessage("a valid HTTP header must consist of alphanumeric characters or '-'", "[-A-Za-z0-9]+", "X-Header-Name")];

/** User and group ids of containers. */
export const idProblems = (id: number): string[] => (id >= 0 && id <= 2_147_483_647 ? [] : [rangeMessage(0, 2_147_483_647)]);

const byRule: Readonly<Record<NameRule, (name: string) => string[]>> = {
  dnsSubdomain: dnsSubdomainProblems,
  dnsLabel: dnsLabelProblems,
  dns1035Label: dns1035LabelProblems,
  pathSegment: (name) => pathSegmentProblems(name),
};

/**
 * Why a name is refused; empty when it is fine.
 * @param options.generate the text is a `generateName`: something will follow it, so it may end with a dash
 */
export function nameProblems(rule: NameRule, name: string, options: { readonly generate: boolean } = { generate: false }): string[] {
  if (!options.generate) return byRule[rule](name);
  if (rule === "pathSegment") return pathSegmentProblems(name, { prefix: true });
  return byRule[rule](name.length > 1 && name.endsWith("-") ? `${name.slice(0, -2)}a` : name);
}

/** Letters and digits that cannot form words or be mistaken for one another. */
const suffixAlphabet = "bcdfghjklmnpqrstvwxz2456789";
const suffixLength = 5;
const longestBase = 63 - suffixLength;

/**
 * A name from `generateName`: the base, cut to 58 characters, and five random ones.
 * @param random numbers in [0, 1)
 */
export function generateName(base: string, random: () => number): string {
  return base.slice(0, longestBase) + randomSuffix(suffixLength, random);
}

/** Random characters that are safe in names. */
export function randomSuffix(length: number, random: () => number): string {
  let suffix = "";
  for (let index = 0; index < length; index++) suffix += suffixAlphabet[Math.floor(random() * suffixAlphabet.length)];
  return suffix;
}
