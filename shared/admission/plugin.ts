/** Admission: what is filled in and refused on the way in, after decoding and defaulting. One small plugin per concern. */
import type { KindRef } from "../api/client.ts";
import type { AnyObject, Kind } from "../api/kind.ts";
import type { KubeObject, ObjectKey } from "../api/objects.ts";
import type { UserInfo } from "../auth/auth.ts";
import { forbidden, type StatusError } from "../errors/status-error.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE";

/** What is asked of one object. */
export interface AdmissionRequest {
  readonly operation: Operation;
  readonly kind: Kind;
  /** The name is empty while `generateName` has not been turned into one. */
  readonly key: ObjectKey;
  /** Empty for the object itself. */
  readonly subresource: string;
  /** The object as it would be stored; absent for DELETE. Mutating plugins change it in place. */
  readonly object: AnyObject | undefined;
  /** The object as it is; absent for CREATE. Frozen. */
  readonly previous: AnyObject | undefined;
  readonly cluster: string;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** The time at which this is decided. */
  readonly now: Date;
  warn(text: string): void;
  /** Takes back what a plugin has done elsewhere: called when the write certainly did not happen, or is tried again. */
  onFailure(takeBack: () => Promise<void>): void;
}

/**
 * Objects of the request's cluster. An answer may be a second old, as an informer's would be; that something does *not* exist is only
 * answered from a read begun after the question.
 */
export interface AdmissionReader {
  get<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): Promise<T | undefined>;
  /** The newest state, read after the question. */
  fresh<T extends KubeObject>(kind: KindRef<T>, key: ObjectKey): Promise<T | undefined>;
  list<T extends KubeObject>(kind: KindRef<T>, namespace?: string): Promise<readonly T[]>;
}

/** A refusal in Kubernetes' words: what has no name yet goes by that which its name will begin with. */
export const refusal = ({ kind, key, object }: AdmissionRequest, why: string): StatusError =>
  forbidden(kind, key.name || object?.metadata.name || object?.metadata.generateName || "Unknown", why);

export interface AdmissionPlugin {
  readonly name: string;
  /** Cheap, and the same answer each time: the registry asks it once per kind. */
  handles(kind: Kind, operation: Operation, subresource: string): boolean;
  /** Fills in and changes. @throws {StatusError} to refuse */
  admit?(request: AdmissionRequest, reader: AdmissionReader): void | Promise<void>;
  /** Sees the final object. @throws {StatusError} to refuse */
  validate?(request: AdmissionRequest, reader: AdmissionReader): void | Promise<void>;
}
