import { describe, expect, it } from "vitest";
import type { PodLogOptions, PodLogs } from "../../shared/server/pod-logs.ts";
import { testServer } from "../support/test-server.ts";

const path = "/api/v1/namespaces/ns/pods/web/log";

async function withPod() {
  const opened: { options: PodLogOptions; signal: AbortSignal }[] = [];
  const podLogs: PodLogs = {
    async open(_pod, options, signal) {
      opened.push({ options, signal });
      return new Blob(["one\ntwo\n"]).stream();
    },
  };
  const server = testServer({ podLogs });
  await server.ask("/api/v1/namespaces/ns/pods", { method: "POST", body: { metadata: { name: "web" } } });
  return { ...server, opened };
}

describe("a Pod's log", () => {
  it("is plain text", async () => {
    const { ask } = await withPod();
    const response = await ask(path);
    expect([response.headers.get("content-type"), await response.text()]).toEqual(["text/plain", "one\ntwo\n"]);
  });

  it("takes Kubernetes' options", async () => {
    const { ask, opened } = await withPod();
    await ask(`${path}?container=app&previous=true&timestamps=1&tailLines=5&sinceTime=2026-01-01T00:00:00Z&limitBytes=100`);
    expect(opened[0]?.options).toEqual({
      container: "app",
      follow: false,
      previous: true,
      timestamps: true,
      tailLines: 5,
      sinceTime: new Date("2026-01-01T00:00:00Z"),
      limitBytes: 100,
    });
  });

  it.each([
    { query: "tailLines=-1", field: "tailLines" },
    { query: "limitBytes=0", field: "limitBytes" },
    { query: "sinceSeconds=0", field: "sinceSeconds" },
    { query: "sinceTime=yesterday", field: "sinceTime" },
    { query: "sinceSeconds=5&sinceTime=2026-01-01T00:00:00Z", field: "[]" },
  ])("refuses $query", async ({ query, field }) => {
    const { json } = await withPod();
    expect(await json(`${path}?${query}`)).toMatchObject({
      code: 422,
      details: { name: "web", kind: "PodLogOptions", causes: [{ field }] },
    });
  });

  it("ends when a watch would, if it is followed", async () => {
    const { ask, clock, opened } = await withPod();
    await ask(`${path}?follow=true`);
    await clock.advance(299_999);
    expect(opened[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(opened[0]?.signal.aborted).toBe(true);
  });

  it("of a Pod that does not exist is a Status", async () => {
    const { json } = await withPod();
    expect(await json("/api/v1/namespaces/ns/pods/none/log")).toMatchObject({ code: 404, message: 'pods "none" not found' });
  });
});
