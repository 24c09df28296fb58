/** Errors as an AWS service with the JSON protocol answers them. */

/** A modelled exception: its name travels as `__type`, its message as `message`. */
export class ServiceError extends Error {
  override readonly name = "ServiceError";
  /** The exception's name in the service's model, such as `ClientException`. */
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** The caller used up its token bucket. SDKs retry it with back-off. */
export const throttled = (): ServiceError => new ServiceError("ThrottlingException", "Rate exceeded");

/** The body could not be read as the operation's input. */
export const serializationError = (message: string): ServiceError => new ServiceError("SerializationException", message);
