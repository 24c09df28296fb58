import { CloudWatchLogsClient, ResourceNotFoundException } from "@aws-sdk/client-cloudwatch-logs";
import { describe, expect, it } from "vitest";
import { cloudWatchLogReader } from "../../shared/aws/cloudwatch-log-reader.ts";

function readerOf(answer: (input: unknown) => unknown) {
  const client = new CloudWatchLogsClient({ region: "eu-west-1" });
  client.send = (async (command: { readonly input: unknown }) => answer(command.input)) as typeof client.send;
  return cloudWatchLogReader(client);
}

const input = { logGroupName: "g", logStreamName: "s", startFromHead: true };

describe("Amazon CloudWatch Logs behind the log reader's port", () => {
  it("hands over a page and its tokens", async () => {
    const reader = readerOf(() => ({
      events: [{ timestamp: 1, message: "a", ingestionTime: 2 }],
      nextForwardToken: "f",
      nextBackwardToken: "b",
    }));
    expect(await reader.getLogEvents(input)).toEqual({
      events: [{ timestamp: 1, message: "a" }],
      nextForwardToken: "f",
      nextBackwardToken: "b",
    });
  });

  it("says that there is no stream, rather than failing", async () => {
    const reader = readerOf(() => {
      throw new ResourceNotFoundException({ message: "The specified log stream does not exist.", $metadata: {} });
    });
    expect(await reader.getLogEvents(input)).toBeUndefined();
  });

  it("lets other failures through", async () => {
    const reader = readerOf(() => {
      throw new Error("connection refused");
    });
    await expect(reader.getLogEvents(input)).rejects.toThrow("connection refused");
  });
});
