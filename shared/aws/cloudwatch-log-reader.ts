/** Amazon CloudWatch Logs behind the log reader's port. */
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import type { LogReader } from "../kubelet/log-reader.ts";

export function cloudWatchLogReader(given?: CloudWatchLogsClient): LogReader {
  let client = given;
  return {
    async getLogEvents(input) {
      // Loaded by the first who reads a log: most requests are for something else, and should not wait for it.
      const { CloudWatchLogsClient, GetLogEventsCommand, ResourceNotFoundException } = await import("@aws-sdk/client-cloudwatch-logs");
      client ??= new CloudWatchLogsClient();
      try {
        const { events, nextForwardToken, nextBackwardToken } = await client.send(new GetLogEventsCommand(input));
        return {
          events: (events ?? []).map(({ timestamp, message }) => ({ timestamp: timestamp ?? 0, message: message ?? "" })),
          nextForwardToken: nextForwardToken ?? "",
          nextBackwardToken: nextBackwardToken ?? "",
        };
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    },
  };
}
