/** `GET …/pods/NAME/log`: query options, and the port to whatever keeps the logs. */
import type { AnyObject } from "../api/kind.ts";
import { invalid, type StatusCause } from "../errors/status-error.ts";
import { integer } from "./query.ts";
import { isTrue } from "./request-info.ts";

export interface PodLogOptions {
  readonly container: string | undefined;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines?: number;
  readonly sinceSeconds?: number;
  readonly sinceTime?: Date;
  readonly limitBytes?: number;
}

export interface PodLogs {
  /**
   * @param newest reads the Pod again: a followed log ends when its container has
   * @returns the log's bytes; ends when it does, or with the signal when followed
   * @throws {StatusError} BadRequest when the container is not named and there are several, or has not started; NotFound
   */
  open(
    pod: AnyObject,
    options: PodLogOptions,
    signal: AbortSignal,
    newest: () => Promise<AnyObject | undefined>,
  ): Promise<ReadableStream<Uint8Array>>;
}

/** @throws {StatusError} BadRequest, Invalid */
export function podLogOptions(pod: string, query: URLSearchParams): PodLogOptions {
  const tailLines = integer(query, "tailLines");
  const sinceSeconds = integer(query, "sinceSeconds");
  const limitBytes = integer(query, "limitBytes");
  const since = query.get("sinceTime") ?? "";
  const problems: StatusCause[] = [];
  const bad = (field: string, value: string | number, message: string) =>
    problems.push({ reason: "FieldValueInvalid", field, message: `Invalid value: ${JSON.stringify(value)}: ${message}` });
  if (tailLines !== undefined && tailLines < 0) bad("tailLines", tailLines, "must be greater than or equal to 0");
  if (limitBytes !== undefined && limitBytes < 1) bad("limitBytes", limitBytes, "must be greater than 0");
  if (sinceSeconds !== undefined && since !== "")
    problems.push({
      reason: "FieldValueForbidden",
      field: "[]",
      message: "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified",
    });
  if (sinceSeconds !== undefined && sinceSeconds < 1) bad("sinceSeconds", sinceSeconds, "must be greater than 0");
  const sinceTime = new Date(since);
  if (since !== "" && Number.isNaN(sinceTime.getTime())) bad("sinceTime", since, "must be a time in RFC 3339 format");
  if (problems.length > 0) throw invalid({ group: "", kind: "PodLogOptions" }, pod, problems);
  return {
    container: query.get("container") || undefined,
    follow: isTrue(query.get("follow")),
    previous: isTrue(query.get("previous")),
    timestamps: isTrue(query.get("timestamps")),
    ...(tailLines !== undefined && { tailLines }),
    ...(sinceSeconds !== undefined && { sinceSeconds }),
    ...(limitBytes !== undefined && { limitBytes }),
    ...(since !== "" && { sinceTime }),
  };
}
