/** Image names as Kubernetes reads them: `nginx`, `registry.example:5000/team/app:v1@sha256:…`. */
import { remembering } from "./memo.ts";

const component = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const domainPart = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const domain = `(?:${domainPart}(?:\\.${domainPart})*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?`;
const reference = new RegExp(
  `^(${domain}(?:/${component})+)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`,
);
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

export interface ImageName {
  /** With its registry: `docker.io/library/nginx`. */
  readonly repository: string;
  /** Empty when only a digest is named. */
  readonly tag: string;
  readonly digest: string;
}

/** Undefined when the text is no image name. Without tag and digest, the tag is `latest`. */
export function parseImageName(text: string): ImageName | undefined {
  if (/^[a-f0-9]{64}$/.test(text)) return undefined;
  const match = reference.exec(withRegistry(text));
  const [, repository = "", tag = "", digest = ""] = match ?? [];
  if (match === null || repository.length > 255 || !isKnownDigest(digest)) return undefined;
  return { repository, tag: tag === "" && digest === "" ? "latest" : tag, digest };
}

function withRegistry(text: string): string {
  const slash = text.indexOf("/");
  const first = text.slice(0, Math.max(slash, 0));
  const named = slash >= 0 && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const registry = named && first !== "index.docker.io" ? first : "docker.io";
  const rest = named ? text.slice(slash + 1) : text;
  return registry === "docker.io" && !rest.includes("/") ? `${registry}/library/${rest}` : `${registry}/${rest}`;
}

function isKnownDigest(digest: string): boolean {
  if (digest === "") return true;
  const [algorithm = "", hex = ""] = digest.split(":");
  return digestLengths[algorithm] === hex.length && hex === hex.toLowerCase();
}

const maxRemembered = 1024;
const longestRemembered = 255;

/** `Always` for images that name no fixed version, `IfNotPresent` for the rest. */
export const defaultPullPolicy = remembering(
  (image) => (parseImageName(image)?.tag === "latest" ? "Always" : "IfNotPresent"),
  maxRemembered,
  longestRemembered,
);
