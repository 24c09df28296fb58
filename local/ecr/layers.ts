/** Which layers (and configurations) each repository has, and those on their way in. A layer's bytes are stored once for all repositories. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../shared/runtime/clock.ts";
import { ServiceError } from "../wire/service-error.ts";
import type { Contents, Incoming } from "./contents.ts";
import { refused } from "./errors.ts";
import { limits } from "./limits.ts";
import type { Repository } from "./repositories.ts";
import type { Shelf } from "./shelf.ts";

export interface Layer {
  readonly repositoryName: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
}

export interface Upload {
  readonly id: string;
  readonly repository: Repository;
  /** Bytes received so far. */
  readonly size: number;
  /**
   * Takes the next bytes.
   * @throws {ServiceError} InvalidLayerPartException while somebody else sends some; whatever the chunks throw
   */
  append(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void>;
}

export interface Layers {
  find(repository: Repository, digest: string): Layer | undefined;
  /** Gives a repository a layer that is stored already. */
  add(repository: Repository, digest: string, size: number): void;
  begin(repository: Repository): Upload;
  /** @throws {ServiceError} UploadNotFoundException */
  upload(repository: Repository, id: string): Upload;
  /** The upload is over, whether its bytes are those that were promised or not. @throws {ServiceError} InvalidLayerException */
  complete(upload: Upload, digest: string): void;
  cancel(upload: Upload): void;
}

interface Pending {
  readonly upload: Upload;
  readonly content: Incoming;
  readonly startedAt: number;
}

export function createLayers({
  shelf,
  contents,
  clock,
}: {
  readonly shelf: Shelf<Layer>;
  readonly contents: Contents;
  readonly clock: Clock;
}): Layers {
  const pending = new Map<string, Pending>();

  const forget = ({ upload: { id }, content }: Pending): void => {
    pending.delete(id);
    content.discard();
  };
  const forgetAbandoned = (): void => {
    const oldest = clock.now().getTime() - limits.uploadMs;
    for (const one of pending.values()) if (one.startedAt < oldest) forget(one);
  };

  const layers: Layers = {
    find: ({ repositoryName }, digest) => shelf.of(repositoryName).get(digest),
    add: ({ repositoryName }, digest, size) => shelf.put({ repositoryName, digest, size }),
    begin(repository) {
      forgetAbandoned();
      const content = contents.receive();
      const upload = incoming(repository, content);
      pending.set(upload.id, { upload, content, startedAt: clock.now().getTime() });
      return upload;
    },
    upload(repository, id) {
      const found = pending.get(id)?.upload;
      if (found?.repository.repositoryName === repository.repositoryName) return found;
      throw refused("UploadNotFoundException", `The upload '${id}' does not exist in`, repository);
    },
    complete(upload, digest) {
      const found = pending.get(upload.id);
      if (!found) throw refused("UploadNotFoundException", `The upload '${upload.id}' does not exist in`, upload.repository);
      const { content } = found;
      if (content.digest() !== digest) {
        forget(found);
        throw new ServiceError("InvalidLayerException", `The layer's digest is ${content.digest()}, not ${digest}`);
      }
      pending.delete(upload.id);
      content.keep();
      layers.add(upload.repository, digest, content.size);
    },
    cancel({ id }) {
      const found = pending.get(id);
      if (found) forget(found);
    },
  };
  return layers;
}

function incoming(repository: Repository, content: Incoming): Upload {
  const id = randomUUID();
  let isBusy = false;
  return {
    id,
    repository,
    get size() {
      return content.size;
    },
    async append(chunks) {
      if (isBusy) throw refused("InvalidLayerPartException", `The upload '${id}' is being written by another request in`, repository);
      isBusy = true;
      try {
        await content.append(chunks);
      } finally {
        isBusy = false;
      }
    },
  };
}
