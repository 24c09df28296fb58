/** ServiceAccounts. */
import type { ServiceAccount } from "../generated/types.ts";
import { serviceAccounts } from "../kinds.ts";
import { behaviour, noGeneration } from "./behaviour.ts";

const enforceMountable = "kubernetes.io/enforce-mountable-secrets";

/** Of the secrets only their names count. */
function cleanSecrets(account: ServiceAccount): void {
  if (account.secrets) account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}

export const serviceAccountBehaviour = behaviour(serviceAccounts, {
  prepareForCreate: cleanSecrets,
  prepareForUpdate: cleanSecrets,
  warnings: (next, previous) => {
    const isNew = previous?.metadata.annotations?.[enforceMountable] === undefined;
    return isNew && next.metadata.annotations?.[enforceMountable] !== undefined
      ? [`metadata.annotations[${enforceMountable}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`]
      : [];
  },
  generationFields: noGeneration,
});
