/** Container logs, in Amazon CloudWatch Logs' vocabulary. */

export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  /** One line, without its end. */
  readonly message: string;
}

export interface LogReader {
  /**
   * One page of a stream. Undefined when the group or stream does not exist (nothing was ever written).
   * `nextForwardToken` equals the token that was passed when there is nothing new.
   */
  getLogEvents(input: {
    readonly logGroupName: string;
    readonly logStreamName: string;
    readonly startFromHead: boolean;
    readonly nextToken?: string;
    readonly startTime?: number;
    readonly limit?: number;
  }): Promise<{ readonly events: readonly LogEvent[]; readonly nextForwardToken: string; readonly nextBackwardToken: string } | undefined>;
}
