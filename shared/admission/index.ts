/** The admission plugins that a cluster has, in the order in which they run. */
import type { Authorizer } from "../auth/auth.ts";
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from "./certificates/certificates.ts";
import { defaultIngressClass } from "./default-ingress-class.ts";
import { defaultStorageClass } from "./default-storage-class.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { persistentVolumeClaimResize } from "./persistent-volume-claim-resize.ts";
import type { AdmissionPlugin } from "./plugin.ts";
import { podTopologyLabels } from "./pod-topology-labels.ts";
import { priority } from "./priority.ts";
import { type QuotaLedger, resourceQuota } from "./resource-quota.ts";
import { runtimeClass } from "./runtime-class.ts";
import { serviceAccount } from "./service-account.ts";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export interface DefaultAdmissionOptions {
  /** In [0, 1): for generated names. */
  readonly random?: () => number;
  /** Who may approve and sign certificates; absent: whoever may write to the requests. */
  readonly authorizer?: Authorizer;
  /** Absent: quotas are kept, but limit nothing. */
  readonly quotas?: QuotaLedger;
}

export const defaultAdmission = ({
  random = Math.random,
  authorizer,
  quotas,
}: DefaultAdmissionOptions = {}): readonly AdmissionPlugin[] => [
  namespaceLifecycle,
  limitRanger,
  serviceAccount({ random }),
  taintNodesByCondition,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageObjectInUseProtection,
  persistentVolumeClaimResize,
  runtimeClass,
  ...(authorizer ? [certificateApproval(authorizer), certificateSigning(authorizer)] : []),
  certificateSubjectRestriction,
  defaultIngressClass,
  podTopologyLabels,
  ...(quotas ? [resourceQuota(quotas)] : []),
];
