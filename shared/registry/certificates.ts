/** A CertificateSigningRequest names who asks: signers judge by it, so it is the server that says it. */
import type { CertificateSigningRequest } from "../api/generated/types.ts";
import type { Lifecycle } from "./lifecycle.ts";

export const certificateLifecycle: Lifecycle = {
  beforeCreate: (object, _now, _reader, { username, uid, groups, extra }) => {
    const { spec } = object as unknown as CertificateSigningRequest;
    Object.assign(spec, {
      username,
      ...(uid && { uid }),
      ...(groups.length > 0 && { groups: [...groups] }),
      ...(extra && Object.keys(extra).length > 0 && { extra: structuredClone(extra) }),
    });
  },
};
