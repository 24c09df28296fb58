/** Manifests by tag or digest, the list of tags, and what refers to a manifest. */
import { ServiceError } from "../../wire/service-error.ts";
import { isDigest } from "../digest.ts";
import { type Image, isTag } from "../images.ts";
import { limits } from "../limits.ts";
import { indexMediaType } from "../manifest.ts";
import type { Registry } from "../registry.ts";
import { RegistryError } from "./errors.ts";
import { type Answer, type Asked, json } from "./exchange.ts";

/** `/v2/<name>/manifests/<tag or digest>` @throws {RegistryError | ServiceError} */
export async function manifests(registry: Registry, asked: Asked): Promise<Answer> {
  const { images } = registry;
  const { method, repository, reference } = asked;
  if (method === "PUT") return put(registry, asked);
  const image = images.find(repository, reference);
  if (!image) throw new RegistryError("MANIFEST_UNKNOWN", "Requested image not found");
  if (method === "GET") {
    return {
      status: 200,
      headers: { "Content-Type": image.mediaType, "Docker-Content-Digest": image.digest, "Content-Length": image.manifestBytes },
      body: images.manifest(image),
    };
  }
  if (method !== "DELETE") throw new RegistryError("UNSUPPORTED", "The operation is unsupported.");
  if (isDigest(reference)) images.remove(repository, image);
  else images.removeTag(repository, reference);
  return { status: 202 };
}

async function put({ images }: Registry, { repository, reference, headers, body }: Asked): Promise<Answer> {
  const isByDigest = reference.includes(":");
  if (isByDigest && !isDigest(reference)) throw new RegistryError("DIGEST_INVALID", `${reference} is no sha256 digest`);
  if (!isByDigest && !isTag(reference)) throw new RegistryError("TAG_INVALID", `${reference} is no tag`);
  const { image } = images.put(repository, {
    content: await readAll(body),
    mediaType: headers["content-type"]?.split(";")[0]?.trim(),
    ...(isByDigest ? { digest: reference } : { tag: reference }),
  });
  return {
    status: 201,
    headers: {
      Location: `/v2/${repository.repositoryName}/manifests/${image.digest}`,
      "Docker-Content-Digest": image.digest,
      ...(image.subject !== undefined && { "OCI-Subject": image.subject }),
      "Content-Length": 0,
    },
  };
}

async function readAll(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > limits.manifestBytes)
      throw new ServiceError("InvalidParameterException", `A manifest has at most ${limits.manifestBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size);
}

/** `GET /v2/<name>/tags/list?n=…&last=…`, sorted */
export function tags({ images }: Registry, { method, repository, query, reference }: Asked): Answer {
  if (method !== "GET" || reference !== "list") throw new RegistryError("UNSUPPORTED", "The operation is unsupported.");
  const last = query.get("last");
  const wanted = query.get("n");
  const size = wanted !== null && /^\d+$/u.test(wanted) ? Math.min(Number(wanted), limits.pageSize) : limits.pageSize;
  const left = images.tagsOf(repository).filter((tag) => last === null || tag > last);
  const found = left.slice(0, size);
  const { repositoryName } = repository;
  const next = found.at(-1);
  const link = `</v2/${repositoryName}/tags/list?n=${size}&last=${encodeURIComponent(next ?? "")}>; rel="next"`;
  return json({ name: repositoryName, tags: found }, next !== undefined && left.length > found.length ? { Link: link } : {});
}

/** `GET /v2/<name>/referrers/<digest>?artifactType=…`: an index, empty where nothing refers to it or it is not there */
export function referrers({ images }: Registry, { method, repository, query, reference: digest }: Asked): Answer {
  if (method !== "GET") throw new RegistryError("UNSUPPORTED", "The operation is unsupported.");
  if (!isDigest(digest)) throw new RegistryError("DIGEST_INVALID", `${digest} is no sha256 digest`);
  const type = query.get("artifactType") || undefined;
  const found = images.referrers(repository, digest).filter(({ artifactType }) => type === undefined || artifactType === type);
  return json(
    { schemaVersion: 2, mediaType: indexMediaType, manifests: found.map(described) },
    { "Content-Type": indexMediaType, ...(type !== undefined && { "OCI-Filters-Applied": "artifactType" }) },
  );
}

const described = ({ mediaType, digest, manifestBytes, artifactType, annotations }: Image) => ({
  mediaType,
  digest,
  size: manifestBytes,
  ...(artifactType !== undefined && { artifactType }),
  ...(annotations !== undefined && { annotations }),
});
