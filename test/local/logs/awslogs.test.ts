import { describe, expect, it } from "vitest";
import { awslogs } from "../../../local/logs/awslogs.ts";
import { openLogStore } from "../../../local/logs/log-store.ts";
import { anEngineContainer, anEngineTask } from "../../support/engine-tasks.ts";

const options = { "awslogs-group": "/binnacle/pods", "awslogs-stream-prefix": "pods" };
const container = anEngineContainer({ logConfiguration: { logDriver: "awslogs", options } });
const task = anEngineTask({ taskArn: "arn:aws:ecs:us-east-1:000000000000:task/binnacle-default/abc" });

function store() {
  const logs = openLogStore(":memory:");
  logs.createGroup("/binnacle/pods", 0);
  const lines = () =>
    logs.read({ logGroupName: "/binnacle/pods", limit: 100 }).map(({ logStreamName, message }) => `${logStreamName} ${message}`);
  return { logs, lines, driver: awslogs(logs) };
}

describe("the awslogs driver", () => {
  it("names the stream for prefix, container and task", () => {
    const { driver, lines } = store();
    driver.append(task, container, [
      { timestamp: 1, message: "one" },
      { timestamp: 2, message: "two" },
    ]);
    expect(lines()).toEqual(["pods/main/abc one", "pods/main/abc two"]);
  });

  it("says how far a log got: the last time, and how many lines have it", () => {
    const { driver } = store();
    expect(driver.position(task, container)).toBeUndefined();
    driver.append(task, container, [
      { timestamp: 1, message: "a" },
      { timestamp: 2, message: "b" },
      { timestamp: 2, message: "c" },
    ]);
    expect(driver.position(task, container)).toEqual({ timestamp: 2, count: 2 });
    expect(driver.position(task, { ...container, name: "other" })).toBeUndefined();
  });

  it.each([
    { without: "a log configuration", container: anEngineContainer() },
    {
      without: "a prefix",
      container: anEngineContainer({ logConfiguration: { logDriver: "awslogs", options: { "awslogs-group": "/binnacle/pods" } } }),
    },
    {
      without: "its group",
      container: anEngineContainer({ logConfiguration: { logDriver: "awslogs", options: { ...options, "awslogs-group": "/other" } } }),
    },
  ])("keeps nothing without $without", ({ container }) => {
    const { driver, lines } = store();
    driver.append(task, container, [{ timestamp: 1, message: "one" }]);
    expect(lines()).toEqual([]);
    expect(driver.position(task, container)).toBeUndefined();
  });

  it("makes the group where the configuration says so", () => {
    const { driver, logs } = store();
    const making = { ...options, "awslogs-group": "/other", "awslogs-create-group": "true" };
    driver.append(task, anEngineContainer({ logConfiguration: { logDriver: "awslogs", options: making } }), [
      { timestamp: 1, message: "one" },
    ]);
    expect(logs.hasGroup("/other")).toBe(true);
  });
});
