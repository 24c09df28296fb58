import { describe, expect, it } from "vitest";
import { testServer } from "../support/test-server.ts";

const broken = { name: "store", check: () => Promise.reject(new Error("password=hunter2")) };
const healthy = { name: "store", check: async () => {} };

describe("checklist 55: health", () => {
  it.each(["/healthz", "/livez", "/readyz", "/healthz/ping", "/readyz/store"])("%s is ok, for anybody", async (path) => {
    const response = await testServer({ checks: [healthy] }).ask(path, { token: path.split("/").length > 2 ? "admin" : "" });
    expect([response.status, response.headers.get("content-type"), await response.text()]).toEqual([
      200,
      "text/plain; charset=utf-8",
      "ok",
    ]);
  });

  it("?verbose names the checks, ?exclude leaves some out", async () => {
    const { ask } = testServer({ checks: [healthy] });
    expect(await (await ask("/readyz?verbose")).text()).toBe("[+]ping ok\n[+]store ok\nreadyz check passed\n");
    expect(await (await ask("/readyz?verbose&exclude=store&exclude=none")).text()).toBe(
      '[+]ping ok\n[+]store excluded: ok\nwarn: some health checks cannot be excluded: no matches for "none"\nreadyz check passed\n',
    );
  });

  it("says which check failed, and keeps the reason", async () => {
    const { ask } = testServer({ checks: [broken] });
    const response = await ask("/readyz");
    expect([response.status, await response.text()]).toEqual([500, "[+]ping ok\n[-]store failed: reason withheld\nreadyz check failed\n"]);
    expect((await ask("/readyz?exclude=store")).status).toBe(200);
    expect(await (await ask("/readyz/store")).text()).toBe("internal server error: reason withheld\n");
  });

  it("a process is not to be replaced because something else is broken", async () => {
    expect((await testServer({ checks: [broken] }).ask("/livez")).status).toBe(200);
  });

  it("componentstatuses show the same checks", async () => {
    const { json } = testServer({ checks: [broken, { ...healthy, name: "cache" }] });
    expect((await json("/api/v1/componentstatuses")).items).toMatchObject([
      { metadata: { name: "store" }, conditions: [{ type: "Healthy", status: "False" }] },
      { metadata: { name: "cache" }, conditions: [{ type: "Healthy", status: "True", message: "ok" }] },
    ]);
    expect(await json("/api/v1/componentstatuses/none")).toMatchObject({ message: 'componentstatuses "none" not found' });
  });
});

describe("checklist 55: version", () => {
  it("is one that clients can compare", async () => {
    const version = await testServer().json("/version", { token: "" });
    expect(version).toMatchObject({
      major: "1",
      minor: "36",
      emulationMajor: "1",
      emulationMinor: "36",
      minCompatibilityMajor: "1",
      minCompatibilityMinor: "35",
    });
    expect(version.gitVersion).toMatch(/^v1\.36\.\d+\+binnacle-1\.2\.3$/);
  });
});

it("the root names what is served", async () => {
  const { paths } = await testServer({ checks: [healthy] }).json("/");
  expect(paths).toEqual(
    expect.arrayContaining(["/api", "/api/v1", "/apis/apps", "/apis/apps/v1", "/healthz/store", "/openapi/v3", "/version"]),
  );
});

describe("metrics", () => {
  it("count requests, by what they were", async () => {
    const { ask } = testServer();
    await ask("/api/v1/pods");
    await ask("/api/v1/pods");
    await ask("/apis/nobody.example.com/v1/things-that-strangers-invent");
    const text = await (await ask("/metrics")).text();
    expect(text).toContain('apiserver_request_total{verb="list",resource="pods",code="200"} 2\n');
    expect(text).toContain('apiserver_request_duration_seconds_count{verb="list"} 3\n');
    expect(text).not.toContain("strangers");
  });

  it("count open watches", async () => {
    const { ask } = testServer();
    const open = async () => /^apiserver_longrunning_requests\{verb="watch"\} (\d+)$/m.exec(await (await ask("/metrics")).text())?.[1];
    const watch = await ask("/api/v1/pods?watch=true");
    expect(await open()).toBe("1");
    await watch.body?.cancel();
    expect(await open()).toBe("0");
  });
});
