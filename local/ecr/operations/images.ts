/** Operations on images: put, get, list, describe, delete. */
import { type Input, stringMember, structureMember, structuresMember } from "../../wire/input.ts";
import type { JsonService } from "../../wire/server.ts";
import { ServiceError } from "../../wire/service-error.ts";
import { isDigest } from "../digest.ts";
import { invalidParameter, refused } from "../errors.ts";
import { type Image, isTag } from "../images.ts";
import { limits } from "../limits.ts";
import { page } from "../paging.ts";
import type { Registry } from "../registry.ts";
import type { Repository } from "../repositories.ts";
import type { Named } from "./named.ts";

interface ImageId {
  readonly imageDigest?: string;
  readonly imageTag?: string;
}

interface Failure {
  readonly imageId: ImageId;
  readonly failureCode: string;
  readonly failureReason: string;
}

export function imageOperations({ images }: Registry, named: Named): JsonService["operations"] {
  /** The image that an id names, or why there is none. */
  const look = (repository: Repository, id: ImageId): Image | Failure => {
    const { imageDigest, imageTag } = id;
    const failure = (failureCode: string, failureReason: string): Failure => ({ imageId: id, failureCode, failureReason });
    if (imageDigest === undefined && imageTag === undefined)
      return failure("MissingDigestAndTag", "Invalid request parameters: both digest and tag are missing");
    if (imageDigest !== undefined && !isDigest(imageDigest))
      return failure(
        "InvalidImageDigest",
        "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
      );
    if (imageTag !== undefined && !isTag(imageTag))
      return failure("InvalidImageTag", "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9-_.]+'");
    const image = images.find(repository, imageTag ?? imageDigest ?? "");
    if (!image) return failure("ImageNotFound", "Requested image not found");
    if (imageDigest !== undefined && image.digest !== imageDigest)
      return failure("ImageTagDoesNotMatchDigest", "Requested image tag does not match the digest");
    return image;
  };

  /** Ids of everything in a repository: one for each tag, or one without. */
  const idsOf = (repository: Repository, input: Input): readonly { readonly image: Image; readonly id: ImageId }[] => {
    const status = stringMember(structureMember(input, "filter") ?? {}, "tagStatus") ?? "ANY";
    return images.all(repository).flatMap((image) => {
      const tags = images.tagsOf(repository, image.digest);
      if (tags.length === 0) return status === "TAGGED" ? [] : [{ image, id: { imageDigest: image.digest } }];
      return status === "UNTAGGED" ? [] : tags.map((imageTag) => ({ image, id: { imageDigest: image.digest, imageTag } }));
    });
  };

  const answer = (repository: Repository, image: Image, imageTag: string | undefined) => ({
    registryId: repository.registryId,
    repositoryName: repository.repositoryName,
    imageId: { imageDigest: image.digest, ...(imageTag !== undefined && { imageTag }) },
    imageManifest: images.manifest(image).toString("utf8"),
    imageManifestMediaType: image.mediaType,
  });

  return {
    PutImage(input) {
      const repository = named(input);
      const tag = stringMember(input, "imageTag");
      const { image, isNew } = images.put(repository, {
        content: Buffer.from(stringMember(input, "imageManifest") ?? "", "utf8"),
        mediaType: stringMember(input, "imageManifestMediaType"),
        tag,
        digest: stringMember(input, "imageDigest"),
      });
      if (!isNew) {
        const what = tag === undefined ? `digest '${image.digest}'` : `digest '${image.digest}' and tag '${tag}'`;
        throw refused("ImageAlreadyExistsException", `Image with ${what} already exists in`, repository);
      }
      return { image: answer(repository, image, tag) };
    },
    BatchGetImage(input) {
      const repository = named(input);
      const looked = imageIds(input).map((id) => ({ id, found: look(repository, id) }));
      return {
        images: looked.flatMap(({ id, found }) => (isFailure(found) ? [] : [answer(repository, found, id.imageTag)])),
        failures: looked.flatMap(({ found }) => (isFailure(found) ? [found] : [])),
      };
    },
    ListImages(input) {
      const { items, nextToken } = page(idsOf(named(input), input), input);
      return { imageIds: items.map(({ id }) => id), ...(nextToken && { nextToken }) };
    },
    DescribeImages(input) {
      const repository = named(input);
      const asked = structuresMember(input, "imageIds")?.length ? imageIds(input) : undefined;
      const wanted = asked?.map((id) => {
        const found = look(repository, id);
        if (!isFailure(found)) return found;
        const text = JSON.stringify(id).replaceAll('"', "'");
        throw refused("ImageNotFoundException", `The image with imageId ${text} does not exist within`, repository);
      });
      const all = wanted ?? [...new Set(idsOf(repository, input).map(({ image }) => image))];
      const { items, nextToken } = page(all, input);
      return {
        imageDetails: items.map((image) => detail(repository, image, images.tagsOf(repository, image.digest))),
        ...(nextToken && { nextToken }),
      };
    },
    BatchDeleteImage(input) {
      const repository = named(input);
      const deleted: ImageId[] = [];
      const failures: Failure[] = [];
      for (const id of imageIds(input)) {
        const found = look(repository, id);
        if (isFailure(found)) {
          failures.push(found);
          continue;
        }
        const tags = id.imageDigest === undefined && id.imageTag !== undefined ? [id.imageTag] : images.tagsOf(repository, found.digest);
        try {
          if (id.imageDigest === undefined && id.imageTag !== undefined) images.removeTag(repository, id.imageTag);
          else images.remove(repository, found);
        } catch (error) {
          if (!(error instanceof ServiceError)) throw error;
          failures.push({ imageId: id, failureCode: error.type, failureReason: error.message });
          continue;
        }
        const digest = { imageDigest: found.digest };
        deleted.push(...(tags.length === 0 ? [digest] : tags.map((imageTag) => ({ ...digest, imageTag }))));
      }
      return { imageIds: deleted, failures };
    },
  };
}

const isFailure = (found: Image | Failure): found is Failure => "failureCode" in found;

function imageIds(input: Input): readonly ImageId[] {
  const ids = structuresMember(input, "imageIds") ?? [];
  if (ids.length === 0 || ids.length > limits.idsPerCall) {
    throw invalidParameter("imageIds", `Member must have length between 1 and ${limits.idsPerCall}`);
  }
  return ids.map((id) => {
    const imageDigest = stringMember(id, "imageDigest");
    const imageTag = stringMember(id, "imageTag");
    return { ...(imageDigest !== undefined && { imageDigest }), ...(imageTag !== undefined && { imageTag }) };
  });
}

const detail = ({ registryId, repositoryName }: Repository, image: Image, imageTags: readonly string[]) => ({
  registryId,
  repositoryName,
  imageDigest: image.digest,
  ...(imageTags.length > 0 && { imageTags }),
  imageSizeInBytes: image.layerBytes,
  imagePushedAt: image.pushedAt,
  imageManifestMediaType: image.mediaType,
  ...(image.artifactType !== undefined && { artifactMediaType: image.artifactType }),
  ...(image.subject !== undefined && { subjectManifestDigest: image.subject }),
});
