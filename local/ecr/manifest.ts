/** Reads manifests: of images and of indexes, in OCI's form and in Docker's. Pure. */
import { isInput } from "../wire/input.ts";
import { ServiceError } from "../wire/service-error.ts";
import { isDigest } from "./digest.ts";
import { invalidParameter } from "./errors.ts";
import { limits } from "./limits.ts";

export const indexMediaType = "application/vnd.oci.image.index.v1+json";
const imageMediaType = "application/vnd.oci.image.manifest.v1+json";
const dockerImage = "application/vnd.docker.distribution.manifest.v2+json";
const dockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

export interface Manifest {
  readonly mediaType: string;
  /** What it is, for who looks for what refers to an image. */
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | undefined;
  /** Digest of the manifest that it refers to. */
  readonly subject: string | undefined;
  /** Digests of its configuration and layers that must be in the repository. */
  readonly blobs: readonly string[];
  /** Digests of the manifests that it lists. */
  readonly manifests: readonly string[];
  /** Of all layers, in bytes. */
  readonly layerBytes: number;
}

interface Descriptor {
  readonly mediaType: string | undefined;
  readonly digest: string;
  readonly size: number;
  /** The layer is to be had elsewhere, and may be missing here. */
  readonly isForeign: boolean;
}

/**
 * @param declared media type that came with it
 * @throws {ServiceError} InvalidParameterException, UnsupportedImageTypeException
 */
export function parseManifest(content: Uint8Array, declared: string | undefined): Manifest {
  if (content.byteLength === 0 || content.byteLength > limits.manifestBytes) {
    throw invalid(`Member must have length less than or equal to ${limits.manifestBytes}`);
  }
  const manifest = parse(content);
  const own = typeof manifest.mediaType === "string" ? manifest.mediaType : undefined;
  if (own !== undefined && declared !== undefined && own !== declared) {
    throw invalid(`The media type ${declared} does not match the manifest's own, ${own}`);
  }
  const mediaType = own ?? declared ?? (manifest.manifests === undefined ? imageMediaType : indexMediaType);
  if (manifest.schemaVersion !== 2) throw invalid("The schema version must be 2");
  const common = {
    annotations: annotationsOf(manifest.annotations),
    subject: manifest.subject === undefined ? undefined : descriptor(manifest.subject, "subject").digest,
  };
  const artifactType = typeof manifest.artifactType === "string" && manifest.artifactType !== "" ? manifest.artifactType : undefined;
  switch (mediaType) {
    case imageMediaType:
    case dockerImage: {
      const config = descriptor(manifest.config, "config");
      const layers = list(manifest.layers, "layers").map((layer) => descriptor(layer, "layers"));
      return {
        ...common,
        mediaType,
        artifactType: artifactType ?? config.mediaType,
        blobs: [config, ...layers.filter(({ isForeign }) => !isForeign)].map(({ digest }) => digest),
        manifests: [],
        layerBytes: layers.reduce((sum, { size }) => sum + size, 0),
      };
    }
    case indexMediaType:
    case dockerList:
      return {
        ...common,
        mediaType,
        artifactType,
        blobs: [],
        manifests: list(manifest.manifests, "manifests").map((one) => descriptor(one, "manifests").digest),
        layerBytes: 0,
      };
    default:
      throw new ServiceError("UnsupportedImageTypeException", `Images of the media type ${mediaType} are not supported`);
  }
}

const invalid = (why: string) => invalidParameter("imageManifest", why);

function parse(content: Uint8Array): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch {
    throw invalid("Invalid JSON syntax");
  }
  if (!isInput(value)) throw invalid("Invalid JSON syntax");
  return value;
}

function list(value: unknown, member: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw invalid(`The member ${member} is not a list`);
}

function descriptor(value: unknown, member: string): Descriptor {
  if (isInput(value)) {
    const { mediaType, digest, size, urls } = value;
    if (typeof digest === "string" && isDigest(digest) && Number.isSafeInteger(size) && Number(size) >= 0) {
      const isForeign = Array.isArray(urls) && urls.length > 0;
      return { mediaType: typeof mediaType === "string" ? mediaType : undefined, digest, size: Number(size), isForeign };
    }
  }
  throw invalid(`The member ${member} holds what is not a descriptor with a sha256 digest and a size`);
}

function annotationsOf(value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (isInput(value) && Object.values(value).every((text) => typeof text === "string")) return value as Record<string, string>;
  throw invalid("The member annotations is not a map of strings");
}
