/** Layers and configurations, whole or a range of their bytes. */
import type { ByteRange } from "../contents.ts";
import { isDigest } from "../digest.ts";
import type { Registry } from "../registry.ts";
import { RegistryError } from "./errors.ts";
import type { Answer, Asked } from "./exchange.ts";

/** `GET /v2/<name>/blobs/<digest>` @throws {RegistryError} */
export function blobs({ layers, contents }: Registry, { method, repository, reference: digest, headers }: Asked): Answer {
  if (method !== "GET") throw new RegistryError("UNSUPPORTED", "The operation is unsupported.");
  if (!isDigest(digest)) throw new RegistryError("DIGEST_INVALID", `${digest} is no sha256 digest`);
  const layer = layers.find(repository, digest);
  if (!layer) throw new RegistryError("BLOB_UNKNOWN", `The layer ${digest} is not in the repository '${repository.repositoryName}'`);
  const common = {
    "Content-Type": "application/octet-stream",
    "Docker-Content-Digest": digest,
    "Accept-Ranges": "bytes",
    ETag: `"${digest}"`,
  };
  const range = byteRange(headers.range, layer.size);
  if (range === "unsatisfiable") {
    throw new RegistryError("RANGE_INVALID", "The range is not within the layer", { "Content-Range": `bytes */${layer.size}` });
  }
  if (range === undefined) {
    return { status: 200, headers: { ...common, "Content-Length": layer.size }, body: contents.stream(digest) };
  }
  return {
    status: 206,
    headers: {
      ...common,
      "Content-Length": range.end - range.start + 1,
      "Content-Range": `bytes ${range.start}-${range.end}/${layer.size}`,
    },
    body: contents.stream(digest, range),
  };
}

/** Of a `Range` header with one range; what cannot be read, or has several, is ignored, as HTTP allows. */
function byteRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const [, first = "", last = ""] = /^bytes=(\d*)-(\d*)$/u.exec(header ?? "") ?? [];
  if (first === "" && last === "") return undefined;
  const start = first === "" ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === "" || last === "" ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== "" && last !== "" && Number(last) < Number(first)) return undefined;
  return start > end ? "unsatisfiable" : { start, end };
}
