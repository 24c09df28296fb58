import { ECSClient, ECSServiceException } from "@aws-sdk/client-ecs";
import { describe, expect, it } from "vitest";
import { ecsTaskEngine } from "../../shared/aws/ecs-task-engine.ts";

/** The SDK's client, answered by the test instead of AWS. */
function clientThat(answer: (name: string, input: unknown) => unknown): { client: ECSClient; sent: { name: string; input: unknown }[] } {
  const client = new ECSClient({ region: "eu-west-1" });
  const sent: { name: string; input: unknown }[] = [];
  client.send = (async (command: { readonly constructor: { readonly name: string }; readonly input: unknown }) => {
    sent.push({ name: command.constructor.name, input: command.input });
    return answer(command.constructor.name, command.input);
  }) as typeof client.send;
  return { client, sent };
}

const failing = (name: string, message = "no") =>
  ecsTaskEngine(
    clientThat(() => {
      throw new ECSServiceException({ name, message, $fault: "client", $metadata: {} });
    }).client,
  );

describe("Amazon ECS behind the task engine's port", () => {
  it("passes a start on as it is", async () => {
    const { client, sent } = clientThat(() => ({ tasks: [{ taskArn: "t" }], failures: [] }));
    const input = { cluster: "c", containerInstances: ["i"], taskDefinition: "d", startedBy: "u", tags: [{ key: "a", value: "b" }] };
    expect(await ecsTaskEngine(client).startTask(input)).toEqual({ tasks: [{ taskArn: "t" }], failures: [] });
    expect(sent).toEqual([{ name: "StartTaskCommand", input }]);
  });

  it("asks for tags, which say which Pod a task runs", async () => {
    const { client, sent } = clientThat(() => ({}));
    expect(await ecsTaskEngine(client).describeTasks({ cluster: "c", tasks: ["t"] })).toEqual({ tasks: [], failures: [] });
    expect(sent[0]?.input).toEqual({ cluster: "c", tasks: ["t"], include: ["TAGS"] });
  });

  it("knows no definition where ECS complains that there is none", async () => {
    expect(await failing("ClientException", "Unable to describe task definition.").describeTaskDefinition("d")).toBeUndefined();
  });

  it.each([
    ["ThrottlingException", "Rate exceeded", "EngineThrottledError"],
    ["ClientException", "Too many concurrent attempts to create a new revision of the specified family.", "EngineThrottledError"],
    ["ClientException", "Container.image should not be null or empty.", "EngineRefusedError"],
    ["InvalidParameterException", "no", "EngineRefusedError"],
    ["AccessDeniedException", "no", "EngineRefusedError"],
    ["ServerException", "no", "Error"],
  ])("turns %s: %s into %s", async (name, message, expected) => {
    const error = await failing(name, message)
      .stopTask({ cluster: "c", task: "t" })
      .then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ message, ...(expected !== "Error" && { name: expected }) });
  });
});
