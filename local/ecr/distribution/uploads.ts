/** Uploads of layers: in one request, in pieces one after the other, or by pointing at a layer of another repository. */
import { isDigest } from "../digest.ts";
import type { Upload } from "../layers.ts";
import type { Registry } from "../registry.ts";
import { asRegistryError, RegistryError } from "./errors.ts";
import type { Answer, Asked } from "./exchange.ts";

/** `/v2/<name>/blobs/uploads/` and what is below it @throws {RegistryError} */
export async function uploads(registry: Registry, asked: Asked): Promise<Answer> {
  const { layers } = registry;
  const { method, repository, reference: id } = asked;
  if (id === "") {
    if (method === "POST") return begin(registry, asked);
    throw new RegistryError("UNSUPPORTED", "The operation is unsupported.");
  }
  const upload = layers.upload(repository, id);
  switch (method) {
    case "GET":
      return { status: 204, headers: progress(upload) };
    case "PATCH":
      checkPlace(upload, asked.headers["content-range"]);
      await upload.append(asked.body);
      return { status: 202, headers: progress(upload) };
    case "PUT":
      checkPlace(upload, asked.headers["content-range"]);
      return finish(registry, asked, upload);
    case "DELETE":
      layers.cancel(upload);
      return { status: 204 };
    default:
      throw new RegistryError("UNSUPPORTED", "The operation is unsupported.");
  }
}

async function begin(registry: Registry, asked: Asked): Promise<Answer> {
  const { layers } = registry;
  const { repository, query } = asked;
  const mount = query.get("mount");
  const mounted = mount === null ? undefined : elsewhere(registry, mount, query.get("from"));
  if (mounted) {
    layers.add(repository, mounted.digest, mounted.size);
    return stored(asked, mounted.digest);
  }
  const upload = layers.begin(repository);
  if (query.has("digest")) return finish(registry, asked, upload);
  return { status: 202, headers: progress(upload) };
}

/** The layer, if the other repository has it. */
function elsewhere({ repositories, layers }: Registry, digest: string, from: string | null) {
  try {
    return from === null ? undefined : layers.find(repositories.get(from), digest);
  } catch (error) {
    if (asRegistryError(error)?.code === "NAME_UNKNOWN") return undefined;
    throw error;
  }
}

async function finish({ layers }: Registry, asked: Asked, upload: Upload): Promise<Answer> {
  const digest = asked.query.get("digest") ?? "";
  await upload.append(asked.body);
  if (!isDigest(digest)) throw new RegistryError("DIGEST_INVALID", `${digest} is no sha256 digest`);
  layers.complete(upload, digest);
  return stored(asked, digest);
}

const stored = ({ repository: { repositoryName } }: Asked, digest: string): Answer => ({
  status: 201,
  headers: { Location: `/v2/${repositoryName}/blobs/${digest}`, "Docker-Content-Digest": digest, "Content-Length": 0 },
});

/** Where to send the next piece, and up to which byte there are some: `0-0` stands for none, too. */
const progress = ({ id, size, repository: { repositoryName } }: Upload) => ({
  Location: `/v2/${repositoryName}/blobs/uploads/${id}`,
  Range: `0-${Math.max(0, size - 1)}`,
  "Docker-Upload-UUID": id,
  "Content-Length": 0,
});

/** A piece must begin where the last one ended. */
function checkPlace(upload: Upload, contentRange: string | undefined): void {
  if (contentRange === undefined) return;
  const [, first] = /^(?:bytes[ =])?(\d+)-\d+(?:\/\S+)?$/u.exec(contentRange) ?? [];
  if (first !== undefined && Number(first) === upload.size) return;
  const { Location, Range } = progress(upload);
  throw new RegistryError("RANGE_INVALID", `The next byte is ${upload.size}`, { Location, Range });
}
