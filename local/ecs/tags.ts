/** Tags as Amazon ECS takes and refuses them. */
import { type Input, stringMember, structuresMember } from "../wire/input.ts";
import { invalidParameter } from "./errors.ts";
import { limits } from "./limits.ts";
import type { Tag } from "./model.ts";

/** @throws {ServiceError} InvalidParameterException for more than 50, reserved or overlong keys, or values over 256 characters */
export function readTags(input: Input): readonly Tag[] {
  const tags = (structuresMember(input, "tags") ?? []).map((tag) => ({
    key: stringMember(tag, "key") ?? "",
    value: stringMember(tag, "value") ?? "",
  }));
  if (tags.length > limits.tags) throw invalidParameter(`The maximum number of tags is ${limits.tags}.`);
  for (const { key, value } of tags) {
    if (key.length < 1 || key.length > 128) throw invalidParameter("Tag keys must be between 1 and 128 characters long.");
    if (value.length > 256) throw invalidParameter("Tag values must be at most 256 characters long.");
    if (/^aws:/iu.test(key)) throw invalidParameter("Tag keys must not start with aws:.");
  }
  if (new Set(tags.map(({ key }) => key)).size < tags.length) throw invalidParameter("Duplicate tag keys found.");
  return tags;
}
