/**
 * What each of the exceptions that DynamoDB may answer a single-item request with says about that request.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */

export type Meaning =
  /** Nothing was written; the same request may succeed later. */
  | "throttled"
  /** Nothing was written, and the same request never succeeds: rights, a missing table, a request that cannot be. */
  | "refused"
  /** The item is not as the condition wants it. */
  | "conditionFailed"
  /** Whether it was carried out, nobody knows. */
  | "unknown";

const meanings: Readonly<Record<string, Meaning>> = {
  ConditionalCheckFailedException: "conditionFailed",

  ProvisionedThroughputExceededException: "throttled",
  ThrottlingException: "throttled",
  RequestLimitExceeded: "throttled",
  LimitExceededException: "throttled",
  // Somebody's transaction holds the item. Nobody of ours makes any.
  TransactionConflictException: "throttled",
  // A function that was frozen signs with what it had; the SDK gets new credentials for the next attempt.
  ExpiredTokenException: "throttled",
  RequestExpired: "throttled",

  ValidationException: "refused",
  SerializationException: "refused",
  ResourceNotFoundException: "refused",
  ItemCollectionSizeLimitExceededException: "refused",
  AccessDeniedException: "refused",
  UnrecognizedClientException: "refused",
  InvalidSignatureException: "refused",
  IncompleteSignatureException: "refused",
  MissingAuthenticationTokenException: "refused",
  InvalidEndpointException: "refused",
  // The SDK found nothing to sign with.
  CredentialsProviderError: "refused",

  InternalServerError: "unknown",
  ServiceUnavailable: "unknown",
  // Another Region wrote the item at the same time: who owns it shows only by reading.
  ReplicatedWriteConflictException: "unknown",
};

/** Time-outs, broken connections and names that are not listed say nothing, so nobody knows. */
export const meaningOf = (error: unknown): Meaning => (error instanceof Error && meanings[error.name]) || "unknown";

/** DynamoDB never is. An engine on a laptop hands on what SQLite says. */
export const isFull = (error: unknown): boolean => error instanceof Error && /\bdisk is full\b/u.test(error.message);
