/** Amazon CloudWatch Logs behind the log reader's port. */
import { CloudWatchLogsClient, GetLogEventsCommand, ResourceNotFoundException } from "@aws-sdk/client-cloudwatch-logs";
import type { LogReader } from "../kubelet/log-reader.ts";

export function cloudWatchLogReader(client: CloudWatchLogsClient = new CloudWatchLogsClient()): LogReader {
  return {
    async getLogEvents(input) {
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
