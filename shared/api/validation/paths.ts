/** Paths of files within volumes and containers. */
import type { Problem } from "../kind.ts";
import { invalid } from "./problems.ts";

/** Permission bits of a file. */
export const validateFileMode = (mode: number | undefined, field: string): Problem[] =>
  mode !== undefined && (mode < 0 || mode > 0o777)
    ? [invalid(field, mode, "must be a number between 0 and 0777 (octal), both inclusive")]
    : [];

export const validateNoBacksteps = (path: string, field: string): Problem[] =>
  path.split("/").includes("..") ? [invalid(field, path, "must not contain '..'")] : [];

/** A relative path that does not leave its folder. */
export const validateDescendingPath = (path: string, field: string): Problem[] => [
  ...(path.startsWith("/") ? [invalid(field, path, "must be a relative path")] : []),
  ...validateNoBacksteps(path, field),
];

/** As above, and its first part does not begin with two dots: such names are the kubelet's own. */
export const validateUnreservedPath = (path: string, field: string): Problem[] => [
  ...validateDescendingPath(path, field),
  ...(path.startsWith("..") && path !== ".." && !path.startsWith("../") ? [invalid(field, path, "must not start with '..'")] : []),
];
