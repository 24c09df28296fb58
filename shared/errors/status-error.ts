/** Kubernetes' error taxonomy: a closed list of reasons, and the one error class that carries them to the client. */

/** HTTP status by reason. @see k8s.io/apimachinery/pkg/apis/meta/v1, StatusReason */
export const codeByReason = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  ServerTimeout: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;

export type Reason = keyof typeof codeByReason;

/** Why one field is refused. @see k8s.io/apimachinery/pkg/util/validation/field, ErrorType */
export type CauseReason =
  | "FieldValueRequired"
  | "FieldValueInvalid"
  | "FieldValueNotSupported"
  | "FieldValueDuplicate"
  | "FieldValueForbidden"
  | "FieldValueNotFound"
  | "FieldValueTooLong"
  | "FieldValueTooMany"
  | "FieldValueTooFew"
  | "FieldValueTooShort"
  | "FieldValueTypeInvalid"
  | "FieldManagerConflict"
  | "NamespaceTerminating"
  | "ResourceVersionTooLarge"
  | "DisruptionBudget"
  | "InternalError";

export interface StatusCause {
  readonly reason?: CauseReason;
  readonly message: string;
  readonly field?: string;
}

export interface StatusDetails {
  readonly name?: string;
  readonly group?: string;
  /** The resource for NotFound, AlreadyExists, Conflict and Forbidden; the kind for Invalid. */
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly StatusCause[];
  readonly retryAfterSeconds?: number;
}

/** The `v1 Status` that every failed request answers with. */
export interface Status {
  readonly kind: "Status";
  readonly apiVersion: "v1";
  readonly metadata: { readonly continue?: string; readonly remainingItemCount?: number; readonly resourceVersion?: string };
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: Reason;
  readonly details?: StatusDetails;
  readonly code: number;
}

/** What a {@link StatusError} needs besides its reason and message. */
export interface StatusErrorOptions extends ErrorOptions {
  readonly details?: StatusDetails;
  /** For 410 Expired on a list: a token with which the list can go on, at a newer revision. */
  readonly continue?: string;
}

/** An error that a client may see. Internals belong into `cause`, never into `message`. */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly reason: Reason;
  readonly details: StatusDetails | undefined;
  readonly continueToken: string | undefined;

  constructor(reason: Reason, message: string, options: StatusErrorOptions = {}) {
    super(message, options);
    this.reason = reason;
    this.details = options.details;
    this.continueToken = options.continue;
  }

  get code(): number {
    return codeByReason[this.reason];
  }

  toStatus(): Status {
    return {
      kind: "Status",
      apiVersion: "v1",
      metadata: this.continueToken === undefined ? {} : { continue: this.continueToken },
      status: "Failure",
      message: this.message,
      reason: this.reason,
      ...(this.details && { details: this.details }),
      code: this.code,
    };
  }
}

/** A resource for messages: `deployments.apps`, `pods`. */
export interface GroupResource {
  readonly group: string;
  readonly plural: string;
}

/** `deployments.apps`; the core group has no suffix. */
export const groupResource = ({ group, plural }: GroupResource): string => (group ? `${plural}.${group}` : plural);

const about = ({ group, plural }: GroupResource, name: string): StatusDetails => ({
  name,
  ...(group && { group }),
  kind: plural,
});

export const notFound = (resource: GroupResource, name: string): StatusError =>
  new StatusError("NotFound", `${groupResource(resource)} "${name}" not found`, { details: about(resource, name) });

export const alreadyExists = (resource: GroupResource, name: string): StatusError =>
  new StatusError("AlreadyExists", `${groupResource(resource)} "${name}" already exists`, { details: about(resource, name) });

export const conflict = (resource: GroupResource, name: string, why: string): StatusError =>
  new StatusError("Conflict", `Operation cannot be fulfilled on ${groupResource(resource)} "${name}": ${why}`, {
    details: about(resource, name),
  });

export const forbidden = (resource: GroupResource, name: string, why: string, causes?: readonly StatusCause[]): StatusError =>
  new StatusError("Forbidden", `${groupResource(resource)}${name ? ` "${name}"` : ""} is forbidden: ${why}`, {
    details: {
      ...(name ? about(resource, name) : { ...(resource.group && { group: resource.group }), kind: resource.plural }),
      ...(causes && { causes }),
    },
  });

export const badRequest = (message: string, cause?: unknown): StatusError => new StatusError("BadRequest", message, { cause });

/** The caller sent an object that breaks rules of its kind; every problem is named at once. */
export const invalid = (
  kind: { readonly group: string; readonly kind: string },
  name: string,
  causes: readonly StatusCause[],
): StatusError => {
  const lines = causes.map(({ field, message }) => (field ? `${field}: ${message}` : message));
  const what = `${kind.group ? `${kind.kind}.${kind.group}` : kind.kind} "${name}" is invalid`;
  const message = lines.length === 0 ? what : `${what}: ${lines.length === 1 ? lines[0] : `[${lines.join(", ")}]`}`;
  return new StatusError("Invalid", message, {
    details: { ...(name && { name }), ...(kind.group && { group: kind.group }), ...(kind.kind && { kind: kind.kind }), causes },
  });
};
