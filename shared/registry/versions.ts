/** Versions of one storage resource: what is stored is written in one of them, and read in any. */
import { completeObject } from "../api/codec.ts";
import { type AnyObject, apiVersionOf, type Kind } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import { fromAutoscalerV2, toAutoscalerV2 } from "./conversion/autoscaling.ts";
import { fromCoreEvent, toCoreEvent } from "./conversion/events.ts";

type Convert = (object: JsonObject) => JsonObject;

/** Built-in kinds that are served in more than one version: the version they are stored in, and the way there and back. */
const builtin: Readonly<
  Record<
    string,
    { readonly stored: string; readonly to: Readonly<Record<string, Convert>>; readonly from: Readonly<Record<string, Convert>> }
  >
> = {
  events: {
    stored: "v1",
    to: { "events.k8s.io/v1": toCoreEvent },
    from: { "events.k8s.io/v1": fromCoreEvent },
  },
  "horizontalpodautoscalers.autoscaling": {
    stored: "autoscaling/v2",
    to: { "autoscaling/v1": toAutoscalerV2 },
    from: { "autoscaling/v1": fromAutoscalerV2 },
  },
};

/** The apiVersion in which objects of a kind are stored. */
export const storageVersion = (kind: Kind): string => kind.storageVersion ?? builtin[kind.storage]?.stored ?? apiVersionOf(kind);

/** The object as it is stored: in the storage version, without its resourceVersion, with the zeros that Go always writes. */
export function toStorage(kind: Kind, object: AnyObject): JsonObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  const bare: JsonObject = { ...object, metadata };
  const body = kind.custom ? bare : completeObject(kind.schema, bare);
  const own = apiVersionOf(kind);
  const stored = storageVersion(kind);
  if (own === stored) return body;
  const converted = builtin[kind.storage]?.to[own]?.(body) ?? throughWebhook(kind, body);
  return { ...converted, apiVersion: stored };
}

/** The stored value in the version of `kind`. May share parts with the value. */
export function fromStorage(kind: Kind, value: JsonObject): JsonObject {
  const own = apiVersionOf(kind);
  if (value.apiVersion === own) return value;
  const converted = builtin[kind.storage]?.from[own]?.(value) ?? throughWebhook(kind, value);
  return { ...converted, apiVersion: own };
}

/** Custom resources differ in `apiVersion` alone unless their definition names a webhook. */
function throughWebhook(kind: Kind, object: JsonObject): JsonObject {
  if (!kind.convertsByWebhook) return object;
  const from = String(object.apiVersion);
  throw new StatusError(
    "InternalError",
    `conversion webhook for ${from}, Kind=${kind.kind} failed: conversion webhooks are not called by this server; serve and store one version, or use the conversion strategy None`,
  );
}
