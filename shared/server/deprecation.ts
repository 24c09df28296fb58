/** Served kinds that Kubernetes, or their definition, has deprecated: every request for one is answered with a warning. */
import { apiVersionOf, type Kind } from "../api/kind.ts";

const deprecated: Readonly<Record<string, { readonly since: string; readonly use?: string }>> = {
  "v1 ComponentStatus": { since: "v1.19" },
  "v1 Endpoints": { since: "v1.33", use: "discovery.k8s.io/v1 EndpointSlice" },
};

export function deprecationWarning(kind: Kind): string | undefined {
  if (kind.custom) return kind.deprecation;
  const name = `${apiVersionOf(kind)} ${kind.kind}`;
  const fact = deprecated[name];
  return fact && `${name} is deprecated in ${fact.since}+${fact.use ? `; use ${fact.use}` : ""}`;
}
