import { describe, expect, it } from "vitest";
import { createInbox } from "../../shared/kubelet/inbox.ts";
import { clusterOf, ingest } from "../../shared/kubelet/ingest.ts";
import { memoryTable } from "../../shared/store/memory-table.ts";

const taskArn = "arn:aws:ecs:eu-west-1:111122223333:task/binnacle-default/t1";
const detail = (version: number, given: Record<string, unknown> = {}) => ({
  taskArn,
  clusterArn: "arn:aws:ecs:eu-west-1:111122223333:cluster/binnacle-default",
  taskDefinitionArn: "d",
  lastStatus: "RUNNING",
  desiredStatus: "RUNNING",
  version,
  containers: [],
  startedAt: "2026-01-01T00:00:00.000Z",
  ...given,
});

function world() {
  const table = memoryTable();
  const inbox = createInbox(table);
  const take = (detail: unknown, type = "ECS Task State Change", source = "aws.ecs") =>
    ingest({ source, "detail-type": type, detail }, { deployment: "binnacle", inbox });
  return { table, inbox, take };
}

describe("the inbox", () => {
  it("holds the newest state of each task, whatever the order of events", async () => {
    const { inbox, take } = world();
    for (const version of [2, 3, 1, 3]) await take(detail(version));
    const entries = await inbox.all("default");
    expect(entries).toMatchObject([
      { version: 3, message: { type: "task", task: { taskArn, startedAt: new Date("2026-01-01T00:00:00Z") } } },
    ]);
  });

  it("rings the kubelet of the cluster", async () => {
    const { table, take } = world();
    await take(detail(1));
    const { item } = await table.get({ pk: "default#kubelet-inbox", sk: "task/t1" }, { consistent: true });
    expect(item).toMatchObject({ cluster: "default", ring: "kubelet" });
  });

  it("keeps an entry that was replaced while its predecessor was dealt with", async () => {
    const { inbox, take } = world();
    await take(detail(1));
    const [old] = await inbox.all("default");
    await take(detail(2));
    if (old) await inbox.remove("default", old);
    const [left] = await inbox.all("default");
    expect(left?.version).toBe(2);
    if (left) await inbox.remove("default", left);
    expect(await inbox.all("default")).toEqual([]);
  });

  it("keeps probe reports beside task states", async () => {
    const { inbox, take } = world();
    await take(detail(1));
    expect(
      await take({ ...detail(9), containers: [{ name: "app", started: true, ready: true }] }, "Binnacle Probe Report", "binnacle.prober"),
    ).toEqual({ cluster: "default", type: "report" });
    expect((await inbox.all("default")).map(({ message }) => message.type).toSorted()).toEqual(["report", "task"]);
  });
});

describe("ingest", () => {
  it.each([
    {
      name: "another deployment's cluster",
      detail: detail(1, { clusterArn: "arn:aws:ecs:eu-west-1:1:cluster/other-default" }),
      type: "ECS Task State Change",
    },
    { name: "something without a version", detail: { taskArn }, type: "ECS Task State Change" },
    { name: "nothing", detail: null, type: "ECS Task State Change" },
    { name: "another kind of event", detail: detail(1), type: "ECS Service Action" },
  ])("drops $name", async ({ detail, type }) => {
    const { inbox, take } = world();
    expect(await take(detail, type)).toMatchObject({ type: "other" });
    expect(await inbox.all("default")).toEqual([]);
  });

  it("tells of a container instance only when its state is news", async () => {
    const { take } = world();
    const tell = async (version: number, agentConnected: boolean, runningTasksCount = 0) => {
      const instance = { containerInstanceArn: "arn:x/binnacle-default/i", clusterArn: "arn:x/binnacle-default", status: "ACTIVE" };
      return (await take({ ...instance, agentConnected, runningTasksCount, version }, "ECS Container Instance State Change")).type;
    };
    expect(await tell(1, true)).toBe("instance");
    expect(await tell(2, true, 1)).toBe("other");
    expect(await tell(4, false)).toBe("instance");
    expect(await tell(3, true)).toBe("other");
    expect(await tell(5, true)).toBe("instance");
  });

  it.each([
    ["arn:aws:ecs:eu-west-1:1:cluster/binnacle-default", "default"],
    ["binnacle-team-a", "team-a"],
    ["binnacle-", undefined],
    [undefined, undefined],
  ])("knows the cluster of %s", (arn, cluster) => {
    expect(clusterOf(arn, "binnacle")).toBe(cluster);
  });
});
