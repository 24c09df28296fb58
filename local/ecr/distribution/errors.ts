/** Refusals in the registry's protocol: a code, a message, and the status that goes with the code. */
import { ServiceError } from "../../wire/service-error.ts";

const statusOf = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_UNKNOWN: 404,
  RANGE_INVALID: 416,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNSUPPORTED: 405,
} as const;

export type Code = keyof typeof statusOf;

export class RegistryError extends Error {
  override readonly name = "RegistryError";
  readonly code: Code;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: Code, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.code = code;
    this.status = statusOf[code];
    this.headers = headers;
  }
}

/** How Amazon ECR's own exceptions read in this protocol. */
const codeOf: Readonly<Record<string, Code>> = {
  ImageDigestDoesNotMatchException: "DIGEST_INVALID",
  ImageNotFoundException: "MANIFEST_UNKNOWN",
  ImageReferencedByManifestList: "DENIED",
  ImageTagAlreadyExistsException: "TAG_INVALID",
  InvalidLayerException: "DIGEST_INVALID",
  InvalidLayerPartException: "BLOB_UPLOAD_INVALID",
  InvalidParameterException: "MANIFEST_INVALID",
  LayersNotFoundException: "MANIFEST_BLOB_UNKNOWN",
  LimitExceededException: "TOOMANYREQUESTS",
  ReferencedImagesNotFoundException: "MANIFEST_BLOB_UNKNOWN",
  RepositoryNotFoundException: "NAME_UNKNOWN",
  UnsupportedImageTypeException: "MANIFEST_INVALID",
  UploadNotFoundException: "BLOB_UPLOAD_UNKNOWN",
};

/** Undefined for what is nobody's fault but ours. */
export function asRegistryError(error: unknown): RegistryError | undefined {
  if (error instanceof RegistryError) return error;
  const code = error instanceof ServiceError ? codeOf[error.type] : undefined;
  return code && new RegistryError(code, (error as ServiceError).message);
}
