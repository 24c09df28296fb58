/** The account's registry: what Amazon ECR's own protocol and the one of registries both serve. */
import type { Clock } from "../../shared/runtime/clock.ts";
import type { Account } from "../account.ts";
import type { Records } from "../state/records.ts";
import { type Contents, openContents } from "./contents.ts";
import { createImages, type Image, type Images, type Tag } from "./images.ts";
import { createLayers, type Layer, type Layers } from "./layers.ts";
import { createRepositories, type Repositories } from "./repositories.ts";
import { shelf } from "./shelf.ts";
import { createTokens, type Tokens } from "./tokens.ts";

export interface Registry {
  readonly repositories: Repositories;
  readonly layers: Layers;
  readonly images: Images;
  readonly contents: Contents;
  readonly tokens: Tokens;
}

export interface RegistryOptions {
  readonly records: Records;
  readonly account: Account;
  readonly clock: Clock;
  /** For manifests and layers. */
  readonly folder: string;
}

export function openRegistry({ records, account, clock, folder }: RegistryOptions): Registry {
  const contents = openContents(folder);
  const layers = shelf<Layer>(records, "ecr.layer", ({ digest }) => digest);
  const images = shelf<Image>(records, "ecr.image", ({ digest }) => digest);
  const tags = shelf<Tag>(records, "ecr.tag", ({ tag }) => tag);
  return {
    contents,
    repositories: createRepositories({ records, account, clock }),
    layers: createLayers({ shelf: layers, contents, clock }),
    images: createImages({ images, tags, layers, contents, clock }),
    tokens: createTokens({ records, clock }),
  };
}
