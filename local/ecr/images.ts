/** Images (anything with a manifest: signatures and indexes, too) and their tags, by repository. */
import type { Clock } from "../../shared/runtime/clock.ts";
import { ServiceError } from "../wire/service-error.ts";
import type { Contents } from "./contents.ts";
import { digestOf, isDigest } from "./digest.ts";
import { invalidParameter, refused } from "./errors.ts";
import type { Layer } from "./layers.ts";
import { limits } from "./limits.ts";
import { parseManifest } from "./manifest.ts";
import type { Repository } from "./repositories.ts";
import type { Shelf } from "./shelf.ts";

export interface Image {
  readonly repositoryName: string;
  readonly digest: string;
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Digest of the manifest that it refers to, which need not be there. */
  readonly subject?: string;
  /** Digests of its configuration and layers. */
  readonly blobs: readonly string[];
  /** Digests of the manifests that it lists. */
  readonly manifests: readonly string[];
  readonly manifestBytes: number;
  readonly layerBytes: number;
  /** Seconds since 1970. */
  readonly pushedAt: number;
}

export interface Tag {
  readonly repositoryName: string;
  readonly tag: string;
  readonly digest: string;
}

export interface PutImage {
  readonly content: Uint8Array;
  readonly mediaType?: string | undefined;
  readonly tag?: string | undefined;
  /** It must have. */
  readonly digest?: string | undefined;
}

export interface Images {
  /** @param reference a tag or a digest */
  find(repository: Repository, reference: string): Image | undefined;
  /** Oldest first. */
  all(repository: Repository): readonly Image[];
  /** Sorted. */
  tagsOf(repository: Repository, digest?: string): readonly string[];
  manifest(image: Image): Buffer;
  /** @returns the image, and whether it changed anything @throws {ServiceError} */
  put(repository: Repository, image: PutImage): { readonly image: Image; readonly isNew: boolean };
  /** What refers to a manifest. */
  referrers(repository: Repository, subject: string): readonly Image[];
  /** Takes a tag away, and the image with its last one. */
  removeTag(repository: Repository, tag: string): void;
  /** With its tags, and with the layers that nothing else in the repository has. @throws {ServiceError} ImageReferencedByManifestList… */
  remove(repository: Repository, image: Image): void;
  /** The repository is empty after it. */
  removeAll(repository: Repository): void;
}

export interface ImagesOptions {
  readonly images: Shelf<Image>;
  readonly tags: Shelf<Tag>;
  readonly layers: Shelf<Layer>;
  readonly contents: Contents;
  readonly clock: Clock;
}

const tagForm = new RegExp(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,${limits.tagLength - 1}}$`, "u");
export const isTag = (text: string): boolean => tagForm.test(text);

export function createImages({ images, tags, layers, contents, clock }: ImagesOptions): Images {
  const tagsOf = ({ repositoryName }: Repository, digest?: string): readonly string[] =>
    [...tags.of(repositoryName).values()]
      .filter((tag) => digest === undefined || tag.digest === digest)
      .map(({ tag }) => tag)
      .toSorted();

  const find = ({ repositoryName }: Repository, reference: string): Image | undefined => {
    const digest = isDigest(reference) ? reference : tags.of(repositoryName).get(reference)?.digest;
    return digest === undefined ? undefined : images.of(repositoryName).get(digest);
  };

  /** Of content that nobody has any more. */
  const removeUnused = (digest: string): void => {
    if (!layers.some((one) => one.digest === digest) && !images.some((one) => one.digest === digest)) contents.remove(digest);
  };

  const forget = (repository: Repository, image: Image): void => {
    const { repositoryName } = repository;
    for (const tag of tagsOf(repository, image.digest)) tags.delete({ repositoryName, tag, digest: image.digest });
    images.delete(image);
    removeUnused(image.digest);
    const kept = new Set([...images.of(repositoryName).values()].flatMap(({ blobs }) => blobs));
    for (const digest of new Set(image.blobs).difference(kept)) {
      const layer = layers.of(repositoryName).get(digest);
      if (layer) layers.delete(layer);
      removeUnused(digest);
    }
  };

  const checkTag = (repository: Repository, tag: string, digest: string): void => {
    if (!isTag(tag)) throw invalidParameter("imageTag", tag);
    const current = tags.of(repository.repositoryName).get(tag);
    if (current && current.digest !== digest && repository.imageTagMutability === "IMMUTABLE") {
      throw new ServiceError(
        "ImageTagAlreadyExistsException",
        `The image tag '${tag}' already exists in the '${repository.repositoryName}' repository and cannot be overwritten because the tag is immutable.`,
      );
    }
    if (!current && tagsOf(repository, digest).length >= limits.tagsPerImage) {
      throw refused("LimitExceededException", `An image may have ${limits.tagsPerImage} tags in`, repository);
    }
  };

  return {
    find,
    tagsOf,
    all: ({ repositoryName }) => [...images.of(repositoryName).values()].toSorted((one, other) => one.pushedAt - other.pushedAt),
    manifest: ({ digest }) => contents.read(digest),
    put(repository, { content, mediaType: declared, tag, digest: wanted }) {
      const { repositoryName } = repository;
      const { subject, artifactType, annotations, ...manifest } = parseManifest(content, declared);
      const digest = digestOf(content);
      if (wanted !== undefined && wanted !== digest) {
        throw new ServiceError("ImageDigestDoesNotMatchException", `The image's digest is ${digest}, not ${wanted}`);
      }
      const missingBlobs = manifest.blobs.filter((blob) => !layers.of(repositoryName).has(blob));
      if (missingBlobs.length > 0) {
        throw refused("LayersNotFoundException", `The layers ${missingBlobs.join(", ")} do not exist in`, repository);
      }
      const missing = manifest.manifests.filter((one) => !images.of(repositoryName).has(one));
      if (missing.length > 0) {
        throw refused("ReferencedImagesNotFoundException", `The images ${missing.join(", ")} do not exist in`, repository);
      }
      if (tag !== undefined) checkTag(repository, tag, digest);

      const known = images.of(repositoryName).get(digest);
      const isNew = !known || (tag !== undefined && tags.of(repositoryName).get(tag)?.digest !== digest);
      const image = known ?? {
        ...manifest,
        repositoryName,
        digest: contents.put(content),
        ...(subject !== undefined && { subject }),
        ...(artifactType !== undefined && { artifactType }),
        ...(annotations !== undefined && { annotations }),
        manifestBytes: content.byteLength,
        pushedAt: clock.now().getTime() / 1_000,
      };
      if (!known) images.put(image);
      if (tag !== undefined) tags.put({ repositoryName, tag, digest });
      return { image, isNew };
    },
    referrers: ({ repositoryName }, subject) => [...images.of(repositoryName).values()].filter((image) => image.subject === subject),
    removeTag(repository, tag) {
      const found = tags.of(repository.repositoryName).get(tag);
      if (!found) return;
      const image = find(repository, tag);
      if (image && tagsOf(repository, image.digest).length === 1) this.remove(repository, image);
      else tags.delete(found);
    },
    remove(repository, image) {
      const list = [...images.of(repository.repositoryName).values()].find(({ manifests }) => manifests.includes(image.digest));
      if (list) {
        throw refused("ImageReferencedByManifestList", `The image is listed by ${list.digest} in`, repository);
      }
      forget(repository, image);
    },
    removeAll(repository) {
      for (const image of images.of(repository.repositoryName).values()) forget(repository, image);
      for (const layer of layers.of(repository.repositoryName).values()) {
        layers.delete(layer);
        removeUnused(layer.digest);
      }
    },
  };
}
