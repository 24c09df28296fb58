/** Secrets: what each type must hold, and `stringData`, which only ever goes in. */
import type { Secret } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { secrets } from "../kinds.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { invalid, required, tooLong } from "../validation/problems.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { count, text } from "./cells.ts";
import { base64Bytes, dataBytesLimit, validateImmutability, validateKeys } from "./config-maps.ts";

function setDefaults(secret: Secret): void {
  secret.type ||= "Opaque";
  if (secret.stringData === undefined) return;
  const encoded = Object.entries(secret.stringData).map(([key, value]) => [key, Buffer.from(value).toString("base64")]);
  if (encoded.length > 0) secret.data = { ...secret.data, ...Object.fromEntries(encoded) };
  delete secret.stringData;
}

const missing = (...keys: readonly string[]): Problem[] => keys.map((key) => required(`data[${key}]`));

function validateType({ type, data = {}, metadata }: Secret): Problem[] {
  switch (type) {
    case "kubernetes.io/service-account-token":
      return metadata.annotations?.["kubernetes.io/service-account.name"]
        ? []
        : [required("metadata.annotations[kubernetes.io/service-account.name]")];
    case "kubernetes.io/dockercfg":
      return validateJson(data, ".dockercfg");
    case "kubernetes.io/dockerconfigjson":
      return validateJson(data, ".dockerconfigjson");
    case "kubernetes.io/basic-auth":
      return "username" in data || "password" in data ? [] : missing("username", "password");
    case "kubernetes.io/ssh-auth":
      return data["ssh-privatekey"] ? [] : missing("ssh-privatekey");
    case "kubernetes.io/tls":
      return missing(...["tls.crt", "tls.key"].filter((key) => !(key in data)));
    default:
      return [];
  }
}

function validateJson(data: Readonly<Record<string, string>>, key: string): Problem[] {
  const encoded = data[key];
  if (encoded === undefined) return missing(key);
  const text = Buffer.from(encoded, "base64").toString();
  const refuse = (why: string) => [invalid(`data[${key}]`, "<secret contents redacted>", why)];
  if (text.trim() === "") return refuse("unexpected end of JSON input");
  try {
    const value: unknown = JSON.parse(text);
    const isObject = value === null || (typeof value === "object" && !Array.isArray(value));
    if (isObject) return [];
    const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
    return refuse(`json: cannot unmarshal ${found} into Go value of type map[string]interface {}`);
  } catch (error) {
    return refuse(goJsonError(text, error));
  }
}

/** The first character that cannot stand where it does, as Go's JSON decoder reports it. */
function goJsonError(text: string, error: unknown): string {
  const position = /position (\d+)/.exec(String(error))?.[1];
  const character = position === undefined ? undefined : text[Number(position)];
  if (character === undefined) return "unexpected end of JSON input";
  const where = text.slice(0, Number(position)).trim() === "" ? "looking for beginning of value" : "in JSON";
  return `invalid character '${character}' ${where}`;
}

export const secretBehaviour = behaviour(secrets, {
  defaults: setDefaults,
  validate: (secret) => [
    ...validateKeys(secret.data, "data"),
    ...(base64Bytes(secret.data) > dataBytesLimit ? [tooLong("data", dataBytesLimit)] : []),
    ...validateType(secret),
  ],
  validateUpdate: (next, previous) => [
    ...validateImmutable(next.type, previous.type, "type"),
    ...validateImmutability(next, previous, "data"),
  ],
  generationFields: noGeneration,
  selectableFields: { type: ({ type }) => type ?? "" },
  columns: [text("Type", ({ type }) => type), count("Data", ({ data }) => Object.keys(data ?? {}).length)],
});
