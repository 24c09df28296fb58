/** Operations on layers: are they there, where are they, and uploading them in parts. */
import { numberMember, stringMember, stringsMember } from "../../wire/input.ts";
import type { JsonService } from "../../wire/server.ts";
import { isDigest } from "../digest.ts";
import { invalidParameter, refused } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Registry } from "../registry.ts";
import type { Named } from "./named.ts";

/** @param url of the registry: `http://127.0.0.1:PORT` */
export function layerOperations({ layers, tokens }: Registry, named: Named, url: () => string): JsonService["operations"] {
  /** Ids of uploads whose last part was smaller than a part in the middle may be. */
  const last = new Set<string>();
  return {
    BatchCheckLayerAvailability(input) {
      const repository = named(input);
      const digests = stringsMember(input, "layerDigests") ?? [];
      if (digests.length === 0 || digests.length > limits.idsPerCall) {
        throw invalidParameter("layerDigests", `Member must have length between 1 and ${limits.idsPerCall}`);
      }
      return {
        layers: digests.filter(isDigest).map((layerDigest) => {
          const layer = layers.find(repository, layerDigest);
          return { layerDigest, layerAvailability: layer ? "AVAILABLE" : "UNAVAILABLE", ...(layer && { layerSize: layer.size }) };
        }),
        failures: digests
          .filter((digest) => !isDigest(digest))
          .map((layerDigest) => ({ layerDigest, failureCode: "InvalidLayerDigest", failureReason: "Invalid layer digest" })),
      };
    },
    GetDownloadUrlForLayer(input) {
      const repository = named(input);
      const layerDigest = stringMember(input, "layerDigest") ?? "";
      if (!layers.find(repository, layerDigest)) {
        throw refused("LayersNotFoundException", `The layer with digest '${layerDigest}' does not exist in`, repository);
      }
      const download = new URL(`/v2/${repository.repositoryName}/blobs/${layerDigest}`, url());
      download.searchParams.set("token", tokens.issue().password);
      return { layerDigest, downloadUrl: download.href };
    },
    InitiateLayerUpload(input) {
      const { id } = layers.begin(named(input));
      return { uploadId: id, partSize: limits.layerPartBytes.max };
    },
    async UploadLayerPart(input) {
      const repository = named(input);
      const upload = layers.upload(repository, stringMember(input, "uploadId") ?? "");
      const part = Buffer.from(stringMember(input, "layerPartBlob") ?? "", "base64");
      const first = numberMember(input, "partFirstByte");
      const end = numberMember(input, "partLastByte");
      if (part.length === 0 || part.length > limits.layerPartBytes.max) {
        throw invalidParameter("layerPartBlob", `Member must have length between 1 and ${limits.layerPartBytes.max}`);
      }
      if (first !== upload.size || end !== upload.size + part.length - 1) {
        throw refused(
          "InvalidLayerPartException",
          `The layer part does not follow the last byte received (${upload.size - 1}) in`,
          repository,
        );
      }
      if (last.has(upload.id)) throw refused("LayerPartTooSmallException", "A layer part was too small in", repository);
      await upload.append([part]);
      if (part.length < limits.layerPartBytes.min) last.add(upload.id);
      return {
        registryId: repository.registryId,
        repositoryName: repository.repositoryName,
        uploadId: upload.id,
        lastByteReceived: upload.size - 1,
      };
    },
    CompleteLayerUpload(input) {
      const repository = named(input);
      const upload = layers.upload(repository, stringMember(input, "uploadId") ?? "");
      const [layerDigest = ""] = stringsMember(input, "layerDigests") ?? [];
      if (upload.size === 0) throw refused("EmptyUploadException", `The upload '${upload.id}' has no parts in`, repository);
      last.delete(upload.id);
      if (layers.find(repository, layerDigest)) {
        layers.cancel(upload);
        throw refused("LayerAlreadyExistsException", `The layer '${layerDigest}' already exists in`, repository);
      }
      layers.complete(upload, layerDigest);
      return { registryId: repository.registryId, repositoryName: repository.repositoryName, uploadId: upload.id, layerDigest };
    },
  };
}
