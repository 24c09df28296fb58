/** `certificatesigningrequests/approval`: an administrator's verdict, which is a condition. */
import type { CertificateSigningRequest } from "../../api/generated/types.ts";
import type { AnyObject, Kind } from "../../api/kind.ts";
import type { Endpoint } from "../update.ts";
import { clone, seconds } from "../values.ts";

const asRequest = (object: AnyObject): CertificateSigningRequest => object as unknown as CertificateSigningRequest;

export const approvalEndpoint = (kind: Kind): Endpoint => ({
  prepare: (next, previous, now) => {
    const before = asRequest(previous).status?.conditions ?? [];
    const conditions = (asRequest(next).status?.conditions ?? []).map((condition) => ({
      ...condition,
      lastUpdateTime: condition.lastUpdateTime ?? seconds(now),
      lastTransitionTime:
        condition.lastTransitionTime ??
        before.find(({ type, status, lastTransitionTime }) => type === condition.type && status === condition.status && lastTransitionTime)
          ?.lastTransitionTime ??
        seconds(now),
    }));
    next.spec = clone(previous.spec);
    next.status = { ...(clone(previous.status) as object), conditions };
  },
  problems: (next, previous) => kind.behaviour.validateUpdate?.(next, previous) ?? [],
});
