import { describe, expect, it } from "vitest";
import { aConfigMap, aRegistry, refusal, type TestRegistry, type Watching } from "../support/registry.ts";

const minute = 60_000;
/** Longer than the store's pause between two polls. */
const aPoll = 2_000;

const label = (name: string, labels: Record<string, string>) => aConfigMap(name, {}, { labels });

/** Replaces a ConfigMap's labels. */
async function relabel(api: TestRegistry, name: string, labels: Record<string, string>) {
  return api.update("configmaps", label(name, labels));
}

const objectOf = (watch: Watching, index: number) => {
  const event = watch.events[index];
  if (event === undefined || !("object" in event)) throw new Error(`event ${index} has no object`);
  return event.object;
};

async function oldToken(): Promise<{ api: TestRegistry; token: string; revision: string }> {
  const api = await aRegistry();
  for (const name of ["a", "b", "c", "d"]) await api.create("configmaps", aConfigMap(name));
  const page = await api.list("configmaps", { limit: 2 });
  await api.create("configmaps", aConfigMap("cc"));
  await api.create("configmaps", aConfigMap("e"));
  await api.forgetHistory();
  return { api, token: page.continue ?? "", revision: page.resourceVersion };
}

describe("checklist 13: watch from a resourceVersion", () => {
  it("delivers every later event once, in order", async () => {
    const api = await aRegistry();
    const first = await api.create("configmaps", aConfigMap("a"));
    await api.create("configmaps", aConfigMap("b"));
    const watch = await api.watch("configmaps", { resourceVersion: first.metadata.resourceVersion });
    await api.update("configmaps", aConfigMap("a", { changed: "yes" }));
    await api.remove("configmaps", "b");
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual(["ADDED b", "MODIFIED a", "DELETED b"]);
    await watch.stop();
  });

  it("sees one namespace alone when it asks for one", async () => {
    const api = await aRegistry();
    const watch = await api.watch("configmaps", { namespace: "here" });
    await api.create("configmaps", aConfigMap("a"), { namespace: "here" });
    await api.create("configmaps", aConfigMap("b"), { namespace: "here-too" });
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual(["ADDED a"]);
    await watch.stop();
  });
});

describe("checklist 14: watch without a resourceVersion, or from 0", () => {
  it.each([undefined, "0"])("begins with the state: %s", async (resourceVersion) => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    await api.create("configmaps", aConfigMap("b"));
    const watch = await api.watch("configmaps", resourceVersion === undefined ? {} : { resourceVersion });
    await api.create("configmaps", aConfigMap("c"));
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual(["ADDED a", "ADDED b", "ADDED c"]);
    await watch.stop();
  });
});

describe("checklist 15: watch from a resourceVersion that is too old", () => {
  it("opens, and its first event is an error that says so", async () => {
    const api = await aRegistry();
    const { metadata } = await api.create("configmaps", aConfigMap("a"));
    await api.create("configmaps", aConfigMap("b"));
    await api.create("configmaps", aConfigMap("c"));
    await api.forgetHistory();
    const watch = await api.watch("configmaps", { resourceVersion: metadata.resourceVersion });
    await watch.ended;
    const [event] = watch.events;
    expect(event).toMatchObject({
      type: "ERROR",
      error: {
        reason: "Expired",
        code: 410,
        message: expect.stringMatching(new RegExp(`^too old resource version: ${metadata.resourceVersion} \\(\\d+\\)$`)),
      },
    });
  });
});

describe("checklist 16: watch from a resourceVersion of the future", () => {
  it("waits", async () => {
    const api = await aRegistry();
    const { metadata } = await api.create("configmaps", aConfigMap("a"));
    const watch = await api.watch("configmaps", { resourceVersion: String(Number(metadata.resourceVersion) + 5_000) });
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual([]);
    await watch.stop();
  });

  it("is a timeout for a WatchList", async () => {
    const api = await aRegistry();
    const { metadata } = await api.create("configmaps", aConfigMap("a"));
    const asked = refusal(
      api.watch("configmaps", {
        resourceVersion: String(Number(metadata.resourceVersion) + 5_000),
        resourceVersionMatch: "NotOlderThan",
        sendInitialEvents: true,
        allowWatchBookmarks: true,
      }),
    );
    await api.clock.advance(5_000);
    expect(await asked).toMatchObject({ code: 504, details: { causes: [{ reason: "ResourceVersionTooLarge" }] } });
  });
});

describe("checklist 17: selector transitions", () => {
  it("come and go as they begin and cease to match", async () => {
    const api = await aRegistry();
    const watch = await api.watch("configmaps", { labelSelector: "watched=yes" });
    await api.create("configmaps", label("a", { watched: "no" }));
    await relabel(api, "a", { watched: "yes" });
    await relabel(api, "a", { watched: "yes", more: "x" });
    const last = await relabel(api, "a", { watched: "no" });
    await api.remove("configmaps", "a");
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual(["ADDED a", "MODIFIED a", "DELETED a"]);
    // The state that was seen last, under the revision of the change.
    expect(objectOf(watch, 2).metadata).toMatchObject({
      labels: { watched: "yes", more: "x" },
      resourceVersion: last.metadata.resourceVersion,
    });
    await watch.stop();
  });

  it("a deletion of what did not match says nothing", async () => {
    const api = await aRegistry();
    await api.create("configmaps", label("a", { watched: "no" }));
    const watch = await api.watch("configmaps", { labelSelector: "watched=yes" });
    await api.remove("configmaps", "a");
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual([]);
    await watch.stop();
  });
});

describe("checklist 18: a DELETED object", () => {
  it("carries the deletion's resourceVersion", async () => {
    const api = await aRegistry();
    const made = await api.create("configmaps", aConfigMap("a", { k: "v" }));
    const watch = await api.watch("configmaps", { resourceVersion: made.metadata.resourceVersion });
    await api.remove("configmaps", "a");
    await api.clock.advance(aPoll);
    const gone = objectOf(watch, 0);
    expect(Number(gone.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion));
    expect(gone).toMatchObject({ data: { k: "v" } });
    expect((await api.list("configmaps")).resourceVersion).toBe(gone.metadata.resourceVersion);
    await watch.stop();
  });
});

describe("checklist 19: all watchers", () => {
  it("see the same order", async () => {
    const api = await aRegistry();
    const watches = await Promise.all([1, 2, 3].map(() => api.watch("configmaps")));
    await Promise.all(Array.from({ length: 20 }, (_, n) => api.create("configmaps", aConfigMap(`m${n}`))));
    await api.clock.advance(aPoll);
    const [first, ...others] = watches.map(({ said }) => said);
    expect(first).toHaveLength(20);
    for (const other of others) expect(other).toEqual(first);
    await Promise.all(watches.map((watch) => watch.stop()));
  });
});

describe("checklist 20: bookmarks", () => {
  it("come once a minute, with the revision up to which all is told", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const watch = await api.watch("configmaps", {
      resourceVersion: (await api.list("configmaps")).resourceVersion,
      allowWatchBookmarks: true,
      labelSelector: "none=such",
    });
    const { metadata } = await api.create("configmaps", aConfigMap("b"));
    await api.clock.advance(2 * minute + aPoll);
    expect(watch.said).toEqual(["BOOKMARK", "BOOKMARK"]);
    expect(watch.events[1]).toEqual({ type: "BOOKMARK", resourceVersion: metadata.resourceVersion, initialEventsEnd: false });
    await watch.stop();
  });

  it("one comes before the end, so that nothing is told twice", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const watch = await api.watch("configmaps", {
      resourceVersion: (await api.list("configmaps")).resourceVersion,
      allowWatchBookmarks: true,
      labelSelector: "none=such",
    });
    const { metadata } = await api.create("configmaps", aConfigMap("b"));
    await api.clock.advance(aPoll);
    await watch.stop();
    expect(watch.events).toEqual([{ type: "BOOKMARK", resourceVersion: metadata.resourceVersion, initialEventsEnd: false }]);
  });

  it("do not come unasked", async () => {
    const api = await aRegistry();
    const watch = await api.watch("configmaps", {});
    await api.clock.advance(3 * minute);
    await watch.stop();
    expect(watch.said).toEqual([]);
  });
});

describe("checklist 21: WatchList", () => {
  const watchList = { sendInitialEvents: true, resourceVersionMatch: "NotOlderThan", allowWatchBookmarks: true } as const;

  it("sends the state, then says that this was it, then the changes", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const { resourceVersion } = await api.list("configmaps");
    const watch = await api.watch("configmaps", watchList);
    await api.create("configmaps", aConfigMap("b"));
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual(["ADDED a", "BOOKMARK", "ADDED b"]);
    expect(watch.events[1]).toEqual({ type: "BOOKMARK", resourceVersion, initialEventsEnd: true });
    await watch.stop();
  });

  it("does not mark the end where bookmarks were not asked for", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const watch = await api.watch("configmaps", { ...watchList, allowWatchBookmarks: false });
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual(["ADDED a"]);
    await watch.stop();
  });

  it("sends no state when told not to", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    const watch = await api.watch("configmaps", { ...watchList, sendInitialEvents: false });
    await api.create("configmaps", aConfigMap("b"));
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual(["ADDED b"]);
    await watch.stop();
  });

  it.each([
    {
      name: "without resourceVersionMatch",
      options: { sendInitialEvents: true },
      message: "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    },
    {
      name: "for Exact",
      options: { resourceVersionMatch: "Exact", resourceVersion: "5" },
      message: "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    },
  ] as const)("is refused $name", async ({ options, message }) => {
    const api = await aRegistry();
    const status = await refusal(api.watch("configmaps", options));
    expect(status.code).toBe(422);
    expect(status.details?.causes?.map((cause) => cause.message)).toContain(`Forbidden: ${message}`);
  });
});

describe("checklist 23: watch of a single object", () => {
  it("sees that object alone", async () => {
    const api = await aRegistry();
    await api.create("configmaps", aConfigMap("a"));
    await api.create("configmaps", aConfigMap("ab"));
    const watch = await api.watch("configmaps", { namespace: "default", fieldSelector: "metadata.name=a" });
    await api.update("configmaps", aConfigMap("ab", { changed: "yes" }));
    await api.update("configmaps", aConfigMap("a", { changed: "yes" }));
    await api.clock.advance(aPoll);
    expect(watch.said).toEqual(["ADDED a", "MODIFIED a"]);
    await watch.stop();
  });
});

describe("checklist 5, 8: history that is gone", () => {
  it("a list exactly there is Expired", async () => {
    const { api, revision } = await oldToken();
    expect(await refusal(api.list("configmaps", { resourceVersion: revision, resourceVersionMatch: "Exact" }))).toMatchObject({
      code: 410,
      reason: "Expired",
      message: "The resourceVersion for the provided list is too old.",
    });
  });

  it("a token from then is Expired, with one that goes on after the same key at the newest revision", async () => {
    const { api, token } = await oldToken();
    const status = await refusal(api.list("configmaps", { limit: 2, continue: token }));
    expect(status).toMatchObject({
      code: 410,
      reason: "Expired",
      message: expect.stringMatching(/^The provided continue parameter is too old/),
    });
    const { items } = await api.list("configmaps", { continue: status.metadata.continue ?? "" });
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["c", "cc", "d", "e"]);
  });
});
