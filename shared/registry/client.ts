/** The API for Binnacle's own parts: the registry, called directly, through admission and validation like any other client. */
import { randomUUID } from "node:crypto";
import type { Client, DeleteOptions, KindRef, WriteOptions } from "../api/client.ts";
import type { Kind } from "../api/kind.ts";
import type { Draft, JsonObject, KubeObject, ObjectKey } from "../api/objects.ts";
import { systemUser } from "../auth/auth.ts";
import { StatusError } from "../errors/status-error.ts";
import type { Consumer } from "../runtime/consumer.ts";
import { unknownResource } from "./errors.ts";
import type { InternalParameters, Registry, RequestContext, WriteParameters } from "./registry.ts";

export interface ClientOptions {
  readonly cluster: string;
  /** Which part of Binnacle writes: names its user and its field manager. */
  readonly part: string;
  /** The consumer whose turn it is: its own writes do not ring it. */
  readonly consumer?: Consumer;
}

/** Tries of {@link Client.modify} before a conflict is handed on. */
const modifyTries = 10;

export function inProcessClient(registry: Registry, { cluster, part, consumer }: ClientOptions): Client {
  const user = systemUser(part);
  const userAgent = `binnacle/${part}`;

  const context = (): RequestContext => ({
    cluster,
    user,
    userAgent,
    auditId: randomUUID(),
    signal: new AbortController().signal,
    warnings: [],
  });

  const internal = (guard: WriteOptions["guard"]): InternalParameters => ({ ...(guard && { guard }), ...(consumer && { consumer }) });

  const parameters = ({ fieldManager = part, guard }: WriteOptions = {}): WriteParameters & InternalParameters => ({
    dryRun: false,
    fieldManager,
    fieldValidation: "Ignore",
    ...internal(guard),
  });

  const kindOf = async ({ group, version, plural }: KindRef): Promise<Kind> => {
    const known = (await registry.catalog(cluster)).byResource(group, version, plural);
    const kind = known ?? (await registry.catalog(cluster, { fresh: true })).byResource(group, version, plural);
    if (kind === undefined) throw unknownResource();
    return kind;
  };

  const get = async <T extends KubeObject>(ref: KindRef<T>, key: ObjectKey): Promise<T | undefined> => {
    try {
      return (await registry.get(await kindOf(ref), key, {}, context())) as KubeObject as T;
    } catch (error) {
      if (error instanceof StatusError && error.reason === "NotFound") return undefined;
      throw error;
    }
  };

  const put = async <T extends KubeObject>(
    ref: KindRef<T>,
    object: T,
    subresource: "" | "status" | "finalize",
    options?: WriteOptions,
  ): Promise<T> => {
    const kind = await kindOf(ref);
    const key = { namespace: object.metadata.namespace ?? "", name: object.metadata.name };
    const body = object as KubeObject as KubeObject & JsonObject;
    if (subresource === "finalize") {
      return (await registry.updateSubresource(kind, key, subresource, body, parameters(options), context())) as KubeObject as T;
    }
    const { object: written } = await registry.update(kind, key, subresource, body, parameters(options), context());
    return written as KubeObject as T;
  };

  return {
    get,
    list: async (ref, { namespace = "", labelSelector = "", fieldSelector = "" } = {}) => {
      const answer = await registry.list(await kindOf(ref), { namespace, labelSelector, fieldSelector }, context());
      return { items: answer.items as readonly KubeObject[] as never, revision: Number(answer.resourceVersion) };
    },
    create: async (ref, draft, options) => {
      const body = draft as Draft & JsonObject;
      const made = await registry.create(await kindOf(ref), draft.metadata.namespace ?? "", body, parameters(options), context());
      return made as KubeObject as never;
    },
    update: (ref, object, options) => put(ref, object, "", options),
    updateStatus: (ref, object, options) => put(ref, object, "status", options),
    modify: async (ref, key, change, options = {}) => {
      for (let attempt = 1; ; attempt += 1) {
        const current = await get(ref, key);
        if (current === undefined) return undefined;
        const next = change(current);
        if (next === current) return current;
        try {
          return await put(ref, next, options.subresource ?? "", options);
        } catch (error) {
          if (!(error instanceof StatusError)) throw error;
          if (error.reason === "NotFound") return undefined;
          // With a guard the plan itself may be void: only its maker can tell.
          if (error.reason !== "Conflict" || options.guard || attempt === modifyTries) throw error;
        }
      }
    },
    delete: async (ref, key, options: DeleteOptions = {}) => {
      const { uid, resourceVersion, gracePeriodSeconds, propagationPolicy, guard } = options;
      await registry.delete(
        await kindOf(ref),
        key,
        {
          dryRun: false,
          ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
          ...(propagationPolicy && { propagationPolicy }),
          ...((uid ?? resourceVersion) !== undefined && {
            preconditions: { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) },
          }),
          ...internal(guard),
        },
        context(),
      );
    },
    createSubresource: async (ref, key, subresource, body, options) =>
      registry.createSubresource(await kindOf(ref), key, subresource, body as JsonObject, parameters(options), context()),
  };
}
