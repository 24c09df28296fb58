/**
 * The tokens in Pods' volumes: asked for once, handed out again until they are due to be replaced. A program in the Pod reads the file
 * anew and so always finds one that counts. @see k8s.io/kubernetes/pkg/kubelet/token, token_manager.go
 */
import type { Client } from "../api/client.ts";
import { serviceAccounts } from "../api/kinds.ts";
import type { Clock } from "../runtime/clock.ts";
import type { TokenRequest } from "./volume-source.ts";
import { VolumeNotReadyError } from "./volumes.ts";

/** A token is replaced when this share of its life is over, or after a day. */
const replacedAfterShare = 0.8;
const replacedAfterMs = 24 * 60 * 60_000;
/** Tokens kept in memory; each is asked for about once a minute while its Pod runs. */
const keptTokens = 5_000;

interface Issued {
  readonly token: string;
  readonly replaceAt: number;
  readonly expiresAt: number;
}

interface TokenAnswer {
  readonly status: { readonly token: string; readonly expirationTimestamp: string };
}

export interface PodTokensOptions {
  readonly client: (cluster: string) => Client;
  readonly clock: Clock;
}

/** @returns a function that gives a Pod its token. It throws {@link VolumeNotReadyError} when there is none */
export function podTokens({ client, clock }: PodTokensOptions): (request: TokenRequest) => Promise<string> {
  const issued = new Map<string, Issued>();

  const issue = async ({ cluster, pod, audience, expirationSeconds }: TokenRequest): Promise<Issued> => {
    const { namespace = "", name, uid } = pod.metadata;
    const { serviceAccountName = "default" } = pod.spec;
    const now = clock.now().getTime();
    const answer = (await client(cluster).createSubresource(serviceAccounts, { namespace, name: serviceAccountName }, "token", {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: {
        ...(audience && { audiences: [audience] }),
        expirationSeconds,
        boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid },
      },
    })) as TokenAnswer;
    const expiresAt = Date.parse(answer.status.expirationTimestamp);
    const replaceAt = Math.min(now + (expiresAt - now) * replacedAfterShare, now + replacedAfterMs);
    return { token: answer.status.token, replaceAt, expiresAt };
  };

  const forgetOthers = (now: number): void => {
    for (const [key, { expiresAt }] of issued) if (expiresAt <= now) issued.delete(key);
    for (const key of issued.keys()) {
      if (issued.size < keptTokens) return;
      issued.delete(key);
    }
  };

  return async (request) => {
    const { cluster, pod, audience = "", expirationSeconds } = request;
    const key = JSON.stringify([cluster, pod.metadata.uid, audience, expirationSeconds]);
    const now = clock.now().getTime();
    const known = issued.get(key);
    if (known && now < known.replaceAt) return known.token;
    try {
      const next = await issue(request);
      issued.delete(key);
      forgetOthers(now);
      issued.set(key, next);
      return next.token;
    } catch (error) {
      // One that is due still counts for a while: a control plane that is away for a moment takes no token from anybody.
      if (known && now < known.expiresAt) return known.token;
      throw new VolumeNotReadyError(`failed to fetch token: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  };
}
