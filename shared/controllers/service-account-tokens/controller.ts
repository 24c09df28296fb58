/** Puts tokens into Secrets of type `kubernetes.io/service-account-token`, and removes those whose ServiceAccount is gone. */
import type { Secret, ServiceAccount } from "../../api/generated/types.ts";
import { secrets, serviceAccounts } from "../../api/kinds.ts";
import { keyOf, type ObjectKey } from "../../api/objects.ts";
import type { Controller, ControllerContext, Watched } from "../../runtime/controller.ts";
import { isNotFound } from "../common/settle.ts";
import { accountNameOf, filled, planToken, withoutSecret } from "./plan.ts";

export interface ServiceAccountTokensOptions {
  /** Signs a token without an end for a Secret. */
  readonly issue: (account: ServiceAccount, secretName: string) => Promise<string>;
  /** PEM of the authority that signed the API's certificate; empty where public authorities did. */
  readonly clusterCa: string;
}

export function serviceAccountTokensController({ issue, clusterCa }: ServiceAccountTokensOptions): Controller {
  /** Accounts of Secrets that are gone, by the Secret's key: nothing else remembers whose they were. */
  const mentionedBy = new Map<string, ObjectKey>();
  const text = ({ namespace, name }: ObjectKey) => `${namespace}/${name}`;

  return {
    name: "service-account-tokens-controller",
    watches: [
      {
        kind: secrets,
        keys: ({ previous, next }) => {
          const secret = next ?? previous;
          const name = secret && accountNameOf(secret);
          if (!secret || name === undefined) return [];
          if (!next) mentionedBy.set(text(keyOf(secret)), { namespace: secret.metadata.namespace ?? "", name });
          return [keyOf(secret)];
        },
      } satisfies Watched<Secret>,
      {
        kind: serviceAccounts,
        keys: ({ previous, next }, { lister }) => {
          const account = next ?? previous;
          const ofAccount = (secret: Secret) => accountNameOf(secret) === account?.metadata.name;
          // Of an account that changed there is nothing to do: its name and its uid stay.
          if (!account || (previous && next)) return [];
          return lister(secrets)
            .inNamespace(account.metadata.namespace ?? "")
            .filter(ofAccount)
            .map(keyOf);
        },
      } satisfies Watched<ServiceAccount>,
    ],

    async reconcile(key, context) {
      const secret = context.lister(secrets).get(key);
      if (!secret) {
        const account = mentionedBy.get(text(key));
        mentionedBy.delete(text(key));
        if (account) await context.client.modify(serviceAccounts, account, (current) => withoutSecret(current, key.name));
        return;
      }
      await keepToken(secret, context);
    },
  };

  async function keepToken(secret: Secret, { client, lister }: ControllerContext): Promise<void> {
    const name = accountNameOf(secret);
    if (name === undefined) return;
    const where = { namespace: secret.metadata.namespace ?? "", name };
    // A Secret is deleted only after a look that began after it was seen: its account may be newer than what is known of accounts.
    const account = lister(serviceAccounts).get(where) ?? (await client.get(serviceAccounts, where));
    const plan = planToken(secret, account, clusterCa);
    if (plan.type === "delete") {
      await client.delete(secrets, keyOf(secret), { uid: secret.metadata.uid }).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    } else if (plan.type === "fill" && account) {
      const token = plan.needsToken ? await issue(account, secret.metadata.name) : undefined;
      await client.update(secrets, filled(secret, account, clusterCa, token));
    }
  }
}
