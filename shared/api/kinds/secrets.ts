/** Secrets: what each type must hold, and `stringData`, which only ever goes in. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import type { Secret } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { secrets } from "../kinds.ts";
import { validateImmutable } from "../validation/metadata.ts";
import { invalid, required, tooLong } from "../validation/problems.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { countAsText, text } from "./cells.ts";
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
    return refuse(jsonProblem(text, error));
  }
}

/** The first character that cannot stand where it does, as Kubernetes reports it. */
function jsonProblem(text: string, error: unknown): string {
  const first = text.trimStart()[0] ?? "";
  if (!/[[{"\-0-9tfn]/.test(first)) return `invalid character '${first}' looking for beginning of value`;
  const { message } = error as SyntaxError;
  const character = /token '(.)'/u.exec(message)?.[1] ?? text[Number(/position (\d+)/.exec(message)?.[1])];
  return character === undefined ? "unexpected end of JSON input" : `invalid character '${character}' in JSON`;
}

/** A certificate that its key does not belong to is kept, but hardly meant. */
function tlsWarnings({ type, data = {} }: Secret): string[] {
  if (type !== "kubernetes.io/tls") return [];
  const [certificate, key] = ["tls.crt", "tls.key"].map((name) => Buffer.from(data[name] ?? "", "base64"));
  if (!certificate?.includes("-----BEGIN ")) return ["tls: failed to find any PEM data in certificate input"];
  if (!key?.includes("-----BEGIN ")) return ["tls: failed to find any PEM data in key input"];
  try {
    const matches = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return matches ? [] : ["tls: private key does not match public key"];
  } catch {
    return ["tls: failed to parse certificate or private key"];
  }
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
  warnings: tlsWarnings,
  generationFields: noGeneration,
  selectableFields: { type: ({ type }) => type ?? "" },
  columns: [text("Type", ({ type }) => type), countAsText("Data", ({ data }) => Object.keys(data ?? {}).length)],
});
