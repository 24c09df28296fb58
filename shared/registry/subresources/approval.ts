/** `certificatesigningrequests/approval`: an administrator's verdict, which is a condition. */
import type { CertificateSigningRequest } from "../../api/generated/types.ts";
import type { AnyObject } from "../../api/kind.ts";
import { approval } from "../../api/kinds/certificate-signing-requests.ts";
import type { Endpoint } from "../update.ts";

const asRequest = (object: AnyObject): CertificateSigningRequest => object as unknown as CertificateSigningRequest;

export const approvalEndpoint = (): Endpoint => ({
  prepare: (next, previous, now) => approval.prepare(asRequest(next), asRequest(previous), now),
  problems: (next, previous) => approval.problems(asRequest(next), asRequest(previous)),
});
