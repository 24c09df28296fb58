/** What claims and slices of devices need of the clock and of other objects. */
import type { DeviceClaim, ResourceClaimTemplate, ResourceResourceClaim, ResourceSlice } from "../api/generated/types.ts";
import type { AnyObject, Problem } from "../api/kind.ts";
import { namespaces } from "../api/kinds.ts";
import { forbidden } from "../api/validation/problems.ts";
import type { Lifecycle } from "./lifecycle.ts";
import { seconds } from "./values.ts";

/** A taint tells since when it is there. */
function dateTaints(object: AnyObject, now: Date): void {
  const { spec } = object as unknown as ResourceSlice;
  for (const { taints } of spec.devices ?? []) for (const taint of taints ?? []) taint.timeAdded ??= seconds(now);
}

export const resourceSliceLifecycle: Lifecycle = {
  beforeCreate: dateTaints,
  beforeUpdate: (next, _previous, now) => dateTaints(next, now),
};

const adminLabel = "resource.kubernetes.io/admin-access";

/** Where a claim asks for access to devices that others use. The paths are Kubernetes', which leave out `exactly`, and a template's own `spec`. */
function requestedAccess(devices: DeviceClaim | undefined): string | undefined {
  const index = (devices?.requests ?? []).findIndex(({ exactly }) => exactly?.adminAccess);
  return index < 0 ? undefined : `spec.devices.requests[${index}].adminAccess`;
}

function grantedAccess(object: AnyObject): string | undefined {
  const { status } = object as unknown as ResourceResourceClaim;
  const index = (status?.allocation?.devices?.results ?? []).findIndex(({ adminAccess }) => adminAccess);
  return index < 0 ? undefined : `status.allocation.devices.results[${index}].adminAccess`;
}

const adminLifecycle = (claimOf: (object: AnyObject) => DeviceClaim | undefined): Lifecycle => ({
  foreignProblems: async (next, previous, reader, subresource): Promise<Problem[]> => {
    let field: string | undefined;
    if (!previous) field = requestedAccess(claimOf(next));
    else if (subresource === "status" && grantedAccess(previous) === undefined) field = grantedAccess(next);
    if (field === undefined) return [];
    const namespace = await reader.get(namespaces, { namespace: "", name: next.metadata.namespace ?? "" });
    return namespace?.metadata.labels?.[adminLabel] === "true"
      ? []
      : [forbidden(field, `admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`)];
  },
});

export const resourceClaimLifecycle = adminLifecycle((object) => (object as unknown as ResourceResourceClaim).spec?.devices);
export const resourceClaimTemplateLifecycle = adminLifecycle((object) => (object as unknown as ResourceClaimTemplate).spec?.spec?.devices);
