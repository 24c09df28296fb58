/**
 * What is asked of those who ask for certificates, approve them and sign them: to approve and to sign is a right for each signer, and nobody
 * becomes a member of `system:masters` by a certificate.
 * @see k8s.io/kubernetes/plugin/pkg/admission/certificates
 */
import { isDeepStrictEqual } from "node:util";
import type { CertificateSigningRequest } from "../../api/generated/types.ts";
import type { AnyObject } from "../../api/kind.ts";
import type { Authorizer } from "../../auth/auth.ts";
import { forbidden } from "../../errors/status-error.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../plugin.ts";
import { organizationsOf } from "./subject.ts";

const storage = "certificatesigningrequests.certificates.k8s.io";
const clientSigner = "kubernetes.io/kube-apiserver-client";
const administrators = "system:masters";

const asRequest = (object: AnyObject | undefined) => object as unknown as CertificateSigningRequest;

export const certificateApproval = (authorizer: Authorizer): AdmissionPlugin => ({
  name: "CertificateApproval",
  handles: (kind, operation, subresource) => kind.storage === storage && operation === "UPDATE" && subresource === "approval",
  validate: (request) => checkSigner(request, authorizer, "approve"),
});

export const certificateSigning = (authorizer: Authorizer): AdmissionPlugin => ({
  name: "CertificateSigning",
  handles: (kind, operation, subresource) => kind.storage === storage && operation === "UPDATE" && subresource === "status",
  validate: async (request) => {
    const [next, before] = [asRequest(request.object).status, asRequest(request.previous).status];
    const sameConditions = isDeepStrictEqual(next?.conditions ?? [], before?.conditions ?? []);
    if (next?.certificate !== before?.certificate || !sameConditions) await checkSigner(request, authorizer, "sign");
  },
});

/** The signer's name is the stored one: what the request makes of it does not count. @throws {StatusError} Forbidden */
async function checkSigner({ kind, key, previous, user, cluster }: AdmissionRequest, authorizer: Authorizer, verb: "approve" | "sign") {
  const { signerName } = asRequest(previous).spec;
  // The name itself, or all signers of its domain.
  for (const name of [signerName, `${signerName.split("/", 1)[0]}/*`]) {
    const right = { type: "resource", verb, group: "certificates.k8s.io", version: "*", resource: "signers" } as const;
    const { allowed } = await authorizer.authorize(user, { ...right, subresource: "", namespace: "", name }, cluster);
    if (allowed) return;
  }
  throw forbidden(kind, key.name, `user not permitted to ${verb} requests with signerName ${JSON.stringify(signerName)}`);
}

export const certificateSubjectRestriction: AdmissionPlugin = {
  name: "CertificateSubjectRestriction",
  handles: (kind, operation, subresource) => kind.storage === storage && operation === "CREATE" && subresource === "",
  validate: ({ kind, key, object }) => {
    const { signerName, request } = asRequest(object).spec;
    if (signerName !== clientSigner) return;
    const organizations = organizationsOf(Buffer.from(request, "base64").toString("latin1"));
    if (organizations === undefined) throw forbidden(kind, key.name, "failed to parse CSR");
    if (organizations.includes(administrators))
      throw forbidden(kind, key.name, `use of ${clientSigner} signer with ${administrators} group is not allowed`);
  },
};
