/** What the plugins about Pods share. */
import type { Pod } from "../api/generated/types.ts";
import type { AdmissionPlugin, AdmissionRequest, Operation } from "./plugin.ts";

/** Pods themselves, not their subresources. */
export const podsOn =
  (...operations: readonly Operation[]): AdmissionPlugin["handles"] =>
  (kind, operation, subresource) =>
    kind.storage === "pods" && subresource === "" && operations.includes(operation);

/** The Pod of a request, to be changed in place. */
export const podOf = ({ object }: AdmissionRequest): Pod => object as unknown as Pod;

/** Made by a node for itself: shown by the API, not decided by it. */
export const isMirror = ({ metadata }: Pod): boolean => metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined;
