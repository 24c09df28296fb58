/** Content negotiation: which representation of an answer a client would take, and what its body is written in. */
import { StatusError } from "../errors/status-error.ts";

export const json = "application/json";
export const yaml = "application/yaml";
export const protobuf = "application/vnd.kubernetes.protobuf";

/** One clause of an Accept header. */
export interface MediaRange {
  readonly type: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly quality: number;
}

/** Clauses of an Accept header, the most wanted first; equally wanted ones as the client ordered them, wildcards last. */
export function parseAccept(header: string): MediaRange[] {
  return splitUnquoted(header, ",")
    .map(parseMediaType)
    .filter((range) => range.type.includes("/"))
    .map(({ type, parameters: { q, ...parameters } }) => ({ type, parameters, quality: q === undefined ? 1 : Number(q) || 0 }))
    .sort((a, b) => b.quality - a.quality || wildcards(a.type) - wildcards(b.type));
}

const wildcards = (type: string): number => type.split("*").length - 1;

/** `text/plain; charset=utf-8` in its parts; names in lower case. */
export function parseMediaType(text: string): { readonly type: string; readonly parameters: Record<string, string> } {
  const [type = "", ...parameters] = splitUnquoted(text, ";");
  return {
    type: type.trim().toLowerCase(),
    parameters: Object.fromEntries(
      parameters.map((parameter) => {
        const equals = parameter.indexOf("=");
        const name = (equals < 0 ? parameter : parameter.slice(0, equals)).trim().toLowerCase();
        const value = equals < 0 ? "" : parameter.slice(equals + 1).trim();
        return [name, value.replace(/^"(.*)"$/, "$1").replaceAll(/\\(.)/g, "$1")];
      }),
    ),
  };
}

const splitUnquoted = (text: string, separator: "," | ";"): string[] =>
  text.split(separator === "," ? /,(?=(?:[^"]*"[^"]*")*[^"]*$)/ : /;(?=(?:[^"]*"[^"]*")*[^"]*$)/);

/** What the server sends instead of the object itself. */
export interface Conversion {
  readonly kind: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  readonly version: "v1" | "v1beta1";
}

export interface Representation {
  readonly mediaType: typeof json | typeof yaml | typeof protobuf;
  readonly as?: Conversion;
}

const conversions = ["Table", "PartialObjectMetadata", "PartialObjectMetadataList"];

/** What an endpoint can answer with. */
export interface Offer {
  /** In order of preference. */
  readonly mediaTypes: readonly Representation["mediaType"][];
  /** What a refusal names, where that is more: other endpoints have it. */
  readonly named?: readonly Representation["mediaType"][];
  readonly tables?: boolean;
  /** What metadata alone can be written in, custom resources' too; none where there is nothing. */
  readonly metadata?: readonly Representation["mediaType"][];
}

/**
 * @param accept the header; empty takes the first offer
 * @throws {StatusError} NotAcceptable
 */
export function negotiate(accept: string, offer: Offer): Representation {
  const fallback = offer.mediaTypes[0] ?? json;
  if (accept.trim() === "") return { mediaType: fallback };
  for (const range of parseAccept(accept)) {
    if (range.quality === 0) continue;
    const as = conversion(range);
    if (as === "unknown") continue;
    const mediaType = offeredAs(as, offer).find((type) => matches(range.type, type));
    if (!mediaType) continue;
    if (range.parameters.stream && range.parameters.stream !== "watch") continue;
    return as ? { mediaType, as } : { mediaType };
  }
  throw notAcceptable(offer.named ?? offer.mediaTypes);
}

function offeredAs(as: Conversion | undefined, { mediaTypes, tables, metadata = [] }: Offer): readonly Representation["mediaType"][] {
  if (!as) return mediaTypes;
  if (as.kind !== "Table") return metadata;
  // A Table has no message in protobuf; its cells are JSON.
  return tables ? mediaTypes.filter((type) => type !== protobuf) : [];
}

const matches = (range: string, type: string): boolean =>
  range === type || range === "*/*" || (range.endsWith("/*") && type.startsWith(range.slice(0, -1)));

function conversion({ parameters: { as, g, v } }: MediaRange): Conversion | "unknown" | undefined {
  if (as === undefined && g === undefined && v === undefined) return undefined;
  if (g !== "meta.k8s.io" || (v !== "v1" && v !== "v1beta1") || !conversions.includes(as ?? "")) return "unknown";
  return { kind: as as Conversion["kind"], version: v };
}

export const notAcceptable = (accepted: readonly string[]): StatusError =>
  new StatusError("NotAcceptable", `only the following media types are accepted: ${accepted.join(", ")}`);

export const unsupportedMediaType = (accepted: readonly string[]): StatusError =>
  new StatusError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${accepted.join(", ")}`,
  );
