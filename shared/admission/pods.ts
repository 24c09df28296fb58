/** What the plugins about Pods share. */
import type { Pod } from "../api/generated/types.ts";
import { forbidden, type StatusError } from "../errors/status-error.ts";
import type { AdmissionPlugin, AdmissionRequest, Operation } from "./plugin.ts";

/** Pods themselves, not their subresources. */
export const podsOn =
  (...operations: readonly Operation[]): AdmissionPlugin["handles"] =>
  (kind, operation, subresource) =>
    kind.storage === "pods" && subresource === "" && operations.includes(operation);

/** The Pod of a request, to be changed in place. */
export const podOf = ({ object }: AdmissionRequest): Pod => object as unknown as Pod;

export const refusePod = ({ kind, key, object }: AdmissionRequest, why: string): StatusError =>
  forbidden(kind, key.name || (object?.metadata.generateName ?? ""), why);

/** Made by a node for itself: shown by the API, not decided by it. */
export const isMirror = ({ metadata }: Pod): boolean => metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined;
