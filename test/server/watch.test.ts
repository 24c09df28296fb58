import { describe, expect, it } from "vitest";
import type { AnyObject } from "../../shared/api/kind.ts";
import { decodeProtobuf } from "../../shared/api/protobuf.ts";
import { StatusError } from "../../shared/errors/status-error.ts";
import type { WatchEvent } from "../../shared/registry/registry.ts";
import { processWatchBudget } from "../../shared/server/watch-budget.ts";
import { settled } from "../support/fake-clock.ts";
import { testServer } from "../support/test-server.ts";

const pods = "/api/v1/namespaces/ns/pods";
const table = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io,application/json" };

const aPod = (name: string, resourceVersion = "5"): AnyObject => ({
  kind: "Pod",
  apiVersion: "v1",
  metadata: { name, namespace: "ns", uid: name, resourceVersion, creationTimestamp: "2026-01-01T00:00:00Z" },
});
const added = (name: string): WatchEvent => ({ type: "ADDED", object: aPod(name) });
const bookmark: WatchEvent = { type: "BOOKMARK", resourceVersion: "9", initialEventsEnd: true };

async function events(response: Response): Promise<any[]> {
  const text = await response.text();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

describe("a watch", () => {
  it("is one JSON object a line", async () => {
    const { ask, registry } = testServer();
    registry.events = [added("a"), { type: "DELETED", object: aPod("a", "7") }, "end"];
    const response = await ask(`${pods}?watch=true&resourceVersion=4&allowWatchBookmarks=1`);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await events(response)).toEqual([
      { type: "ADDED", object: aPod("a") },
      { type: "DELETED", object: aPod("a", "7") },
    ]);
    expect(registry.last("watch")[1]).toEqual({
      namespace: "ns",
      labelSelector: "",
      fieldSelector: "",
      resourceVersion: "4",
      allowWatchBookmarks: true,
    });
  });

  it("checklist 12: has a deprecated path of its own", async () => {
    const { ask, registry } = testServer();
    registry.events = [added("a"), "end"];
    expect(await events(await ask("/api/v1/watch/namespaces/ns/pods"))).toHaveLength(1);
    expect(await events(await ask("/api/v1/watch/pods"))).toHaveLength(1);
    expect(registry.last("watch")[1]).toMatchObject({ namespace: "" });
  });

  it("checklist 20: bookmarks carry a revision and nothing else", async () => {
    const { ask, registry } = testServer();
    registry.events = [bookmark, "end"];
    expect(await events(await ask(`${pods}?watch=1`))).toEqual([
      {
        type: "BOOKMARK",
        object: { kind: "Pod", apiVersion: "v1", metadata: { resourceVersion: "9", annotations: { "k8s.io/initial-events-end": "true" } } },
      },
    ]);
  });

  it("checklist 15: ends with an ERROR that is a Status", async () => {
    const { ask, registry } = testServer();
    registry.events = [{ type: "ERROR", error: new StatusError("Expired", "too old resource version: 1 (5)") }, added("never")];
    const response = await ask(`${pods}?watch=true`, { headers: table });
    expect(response.status).toBe(200);
    expect(await events(response)).toEqual([
      {
        type: "ERROR",
        object: {
          kind: "Status",
          apiVersion: "v1",
          metadata: {},
          status: "Failure",
          message: "too old resource version: 1 (5)",
          reason: "Expired",
          code: 410,
        },
      },
    ]);
  });

  it("a failure in the middle is an ERROR too, without internals", async () => {
    const { ask, registry } = testServer();
    registry.watch = async () =>
      (async function* () {
        yield added("a");
        throw new TypeError("password=hunter2");
      })();
    const [first, second] = await events(await ask(`${pods}?watch=true`));
    expect(first.type).toBe("ADDED");
    expect(second).toMatchObject({ type: "ERROR", object: { kind: "Status", code: 500 } });
    expect(JSON.stringify(second)).not.toContain("hunter2");
  });

  it("a bad request is answered before the stream begins", async () => {
    const { json, registry } = testServer();
    registry.watch = async () => {
      throw new StatusError("BadRequest", "no");
    };
    expect(await json(`${pods}?watch=true`)).toMatchObject({ code: 400 });
  });
});

describe("trap 10: a watch as Tables", () => {
  it("names the columns in the first event only, and bookmarks are Tables", async () => {
    const { ask, registry } = testServer();
    registry.events = [added("a"), added("b"), bookmark, "end"];
    const [first, second, third] = (await events(await ask(`${pods}?watch=true`, { headers: table }))).map(({ object }) => object);
    expect(first.columnDefinitions.map((column: any) => column.name)).toEqual(["Name", "Age"]);
    expect(first).toMatchObject({ kind: "Table", apiVersion: "meta.k8s.io/v1", metadata: { resourceVersion: "5" } });
    expect(first.rows.map((row: any) => row.cells[0])).toEqual(["a"]);
    expect(second.columnDefinitions).toBeNull();
    expect(second.rows[0].cells[0]).toBe("b");
    expect(third).toMatchObject({ kind: "Table", metadata: { resourceVersion: "9" } });
    expect(third.rows[0].object.metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
  });

  it("as metadata alone", async () => {
    const { ask, registry } = testServer();
    registry.events = [added("a"), "end"];
    const accept =
      "application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
    const [event] = await events(await ask(`${pods}?watch=true`, { headers: { accept } }));
    expect(event.object).toEqual({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: aPod("a").metadata });
  });
});

describe("trap 14: watches and media types", () => {
  it("is JSON, and says so, where the client also takes JSON", async () => {
    const { ask, registry } = testServer();
    registry.events = [added("a"), "end"];
    const accept = "application/vnd.kubernetes.protobuf;stream=watch,application/json;stream=watch,application/json";
    const response = await ask(`${pods}?watch=true`, { headers: { accept } });
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await events(response)).toHaveLength(1);
  });

  it("is framed protobuf where the client takes nothing else", async () => {
    const { ask, registry } = testServer();
    registry.events = [added("a"), "end"];
    const response = await ask(`${pods}?watch=true`, { headers: { accept: "application/vnd.kubernetes.protobuf;stream=watch" } });
    expect(response.headers.get("content-type")).toBe("application/vnd.kubernetes.protobuf;stream=watch");
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.readUInt32BE(0)).toBe(bytes.byteLength - 4);
    // WatchEvent { type = 1, object = 2 { raw = 1 } }
    expect(bytes.subarray(4, 11)).toEqual(Buffer.from([0x0a, 5, ...Buffer.from("ADDED")]));
    const object = bytes.subarray(bytes.indexOf("k8s\0"));
    expect(decodeProtobuf(object)).toMatchObject({ kind: "Pod", object: { metadata: { name: "a" } } });
  });

  it("is refused as a Status", async () => {
    expect(await testServer().json(`${pods}?watch=true`, { headers: { accept: "text/html" } })).toMatchObject({ code: 406 });
  });
});

describe("trap 17: watches end early and cleanly", () => {
  it.each([
    { what: "after five minutes at the latest", query: "&timeoutSeconds=3600", remainingMs: undefined, afterMs: 300_000 },
    { what: "when the client said", query: "&timeoutSeconds=20", remainingMs: undefined, afterMs: 20_000 },
    { what: "before the function must", query: "", remainingMs: 70_000, afterMs: 60_000 },
  ])("$what", async ({ query, remainingMs, afterMs }) => {
    const { ask, clock, registry } = testServer();
    registry.events = [added("a")];
    const response = await ask(`${pods}?watch=true${query}`, remainingMs === undefined ? {} : { remainingMs: () => remainingMs });
    const all = events(response);
    let ended = false;
    void all.then(() => (ended = true));
    await clock.advance(afterMs - 1);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(await all).toEqual([{ type: "ADDED", object: aPod("a") }]);
    expect(clock.sleeping).toBe(0);
  });

  it("at once when the client's time is negative", async () => {
    const { ask, clock } = testServer();
    const all = (async () => events(await ask(`${pods}?watch=true&timeoutSeconds=-1`)))();
    await clock.advance(1);
    expect(await all).toEqual([]);
  });

  it("lets the events have a last word", async () => {
    const { ask, clock, registry } = testServer();
    registry.watch = async (_kind, _parameters, { signal }) =>
      (async function* () {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        yield bookmark;
      })();
    const all = (async () => events(await ask(`${pods}?watch=true&timeoutSeconds=5`)))();
    await clock.advance(5000);
    expect(await all).toMatchObject([{ type: "BOOKMARK" }]);
  });

  it("does not wait for events that never end", async () => {
    const { ask, clock, registry } = testServer();
    registry.watch = async () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });
    const all = (async () => events(await ask(`${pods}?watch=true&timeoutSeconds=5`)))();
    await clock.advance(6000);
    expect(await all).toEqual([]);
  });

  it("stops when the client is gone", async () => {
    const { ask, clock, registry } = testServer();
    const client = new AbortController();
    const response = await ask(`${pods}?watch=true`, { signal: client.signal });
    const all = events(response);
    client.abort();
    await settled();
    expect(await all).toEqual([]);
    expect((registry.last("watch")[2] as { signal: AbortSignal }).signal.aborted).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  it("stops when nobody reads any more", async () => {
    const { ask, clock, registry } = testServer();
    const response = await ask(`${pods}?watch=true`);
    await response.body?.cancel();
    await settled();
    expect((registry.last("watch")[2] as { signal: AbortSignal }).signal.aborted).toBe(true);
    expect(clock.sleeping).toBe(0);
  });
});

describe("the budget for watches", () => {
  it("refuses one more than a user may have in a cluster", async () => {
    const { ask } = testServer({ watchBudget: processWatchBudget({ maxOpenWatches: 2 }) });
    const open = await Promise.all([ask(`${pods}?watch=true`), ask(`${pods}?watch=true`)]);
    const refused = await ask(`${pods}?watch=true`);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "10"]);
    expect(await refused.json()).toMatchObject({ reason: "TooManyRequests", details: { retryAfterSeconds: 10 } });
    expect((await ask(`/clusters/other${pods}?watch=true`)).status).toBe(200);

    await open[0]?.body?.cancel();
    await settled();
    expect((await ask(`${pods}?watch=true`)).status).toBe(200);
  });

  it("gives back what a refused watch took", async () => {
    const { ask, registry } = testServer({ watchBudget: processWatchBudget({ maxOpenWatches: 1 }) });
    registry.failure = new StatusError("BadRequest", "no");
    expect((await ask(`${pods}?watch=true`)).status).toBe(400);
    registry.failure = undefined;
    expect((await ask(`${pods}?watch=true`)).status).toBe(200);
  });
});
