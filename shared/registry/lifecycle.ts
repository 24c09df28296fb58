/** Kinds whose objects the registry itself takes through states, beyond what their declaration can say. */
import type { AdmissionReader } from "../admission/plugin.ts";
import type { AnyObject, Kind, Problem } from "../api/kind.ts";
import type { UserInfo } from "../auth/auth.ts";
import { certificateLifecycle } from "./certificates.ts";
import { definitionLifecycle } from "./custom/lifecycle.ts";
import { resourceClaimLifecycle, resourceClaimTemplateLifecycle, resourceSliceLifecycle } from "./devices.ts";
import { namespaceLifecycle } from "./namespaces.ts";
import { serviceLifecycle } from "./services/lifecycle.ts";

export interface Lifecycle {
  /** After the kind's own preparation. In place. */
  beforeCreate?(object: AnyObject, now: Date, reader: AdmissionReader, user: UserInfo): void | Promise<void>;
  beforeUpdate?(next: AnyObject, previous: AnyObject, now: Date, reader: AdmissionReader): void | Promise<void>;
  /**
   * Gives an object what must be unique among all of its kind, in place, in front of the slot that is being claimed: asked again with
   * every attempt. @throws {StatusError} Invalid when it cannot have what it asks for
   */
  allocate?(next: AnyObject, previous: AnyObject | undefined, context: AllocationContext): Promise<void>;
  /** Problems beyond the kind's own validation. */
  problems?(next: AnyObject, previous: AnyObject | undefined): Problem[];
  /** The same where other objects have to be asked. These problems are named first. @param subresource empty for the object itself */
  foreignProblems?(next: AnyObject, previous: AnyObject | undefined, reader: AdmissionReader, subresource: string): Promise<Problem[]>;
  /** `Warning:` headers of a create or update. */
  warnings?(next: AnyObject, previous: AnyObject | undefined): string[];
  /**
   * The first request to delete an object marks it, in place, instead of removing it; somebody else removes it in the end.
   * The deletionTimestamp is set already.
   */
  markDeleted?(object: AnyObject, now: Date): void;
  /** Something besides `metadata.finalizers` keeps an object that is being deleted. */
  isHeld?(object: AnyObject): boolean;
}

export interface AllocationContext {
  readonly reader: AdmissionReader;
  /** The other objects of the kind, as they stand in front of the slot. */
  readonly peers: () => Promise<readonly AnyObject[]>;
  /** In [0, 1). */
  readonly random: () => number;
}

const ordinary: Lifecycle = {};

const byStorage: Readonly<Record<string, Lifecycle>> = {
  "certificatesigningrequests.certificates.k8s.io": certificateLifecycle,
  namespaces: namespaceLifecycle,
  services: serviceLifecycle,
  "customresourcedefinitions.apiextensions.k8s.io": definitionLifecycle,
  "resourceclaims.resource.k8s.io": resourceClaimLifecycle,
  "resourceclaimtemplates.resource.k8s.io": resourceClaimTemplateLifecycle,
  "resourceslices.resource.k8s.io": resourceSliceLifecycle,
};

export const lifecycleOf = (kind: Kind): Lifecycle => byStorage[kind.storage] ?? ordinary;
