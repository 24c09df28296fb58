/**
 * What the gateway answers itself. On AWS these bodies come from the API's gateway responses, which the stack templates as Kubernetes
 * Statuses; `Retry-After` makes clients try again where trying again can help.
 */

const reasons: Readonly<Record<number, string>> = {
  400: "BadRequest",
  413: "RequestEntityTooLarge",
  414: "BadRequest",
  429: "TooManyRequests",
  431: "BadRequest",
  500: "InternalError",
  502: "InternalError",
  503: "ServiceUnavailable",
  504: "Timeout",
};

const retryable = new Set([429, 503, 504]);

/** The gateway's own answer to a request. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }

  get headers(): Record<string, string> {
    return { "content-type": "application/json", ...(retryable.has(this.statusCode) && { "retry-after": "1" }) };
  }

  get body(): string {
    return JSON.stringify({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: this.message,
      reason: reasons[this.statusCode] ?? "InternalError",
      ...(retryable.has(this.statusCode) && { details: { retryAfterSeconds: 1 } }),
      code: this.statusCode,
    });
  }
}
