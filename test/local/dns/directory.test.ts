import { describe, expect, it } from "vitest";
import { openDirectory } from "../../../local/dns/directory.ts";
import type { KindRef } from "../../../shared/api/client.ts";
import * as kinds from "../../../shared/api/kinds.ts";
import type { KubeObject } from "../../../shared/api/objects.ts";
import type { Observed } from "../../../shared/runtime/controller.ts";
import type { Fed, Feed } from "../../../shared/runtime/feed.ts";
import { aSlice } from "../../support/names.ts";
import { aService } from "../../support/services.ts";

/** A feed that hands out everything first and then what a test puts into it. */
function fakeFeed() {
  const objects = new Map<KindRef, KubeObject[]>();
  const changes = new Map<KindRef, Observed[]>();
  const asked: { readonly kind: string; readonly after: number | undefined; readonly consistent: boolean }[] = [];
  let forgets = false;
  const feed: Feed = {
    async read<T extends KubeObject>(kind: KindRef<T>, after: number | undefined, { consistent }: { readonly consistent: boolean }) {
      asked.push({ kind: kind.kind, after, consistent });
      const news = changes.get(kind) ?? [];
      const fed =
        after === undefined || forgets
          ? { all: objects.get(kind) ?? [], revision: news.length }
          : { changes: news.slice(after), revision: news.length };
      return fed as Fed as Fed<T>;
    },
  };
  return {
    feed,
    asked,
    put: (kind: KindRef, previous: KubeObject | undefined, next: KubeObject | undefined) => {
      changes.set(kind, [...(changes.get(kind) ?? []), { previous, next }]);
      const others = (objects.get(kind) ?? []).filter((object) => object !== previous);
      objects.set(kind, next ? [...others, next] : others);
    },
    forget: () => {
      forgets = true;
    },
  };
}

const web = aService({}, { namespace: "shop" });

describe("the directory of a cluster", () => {
  it("reads everything once, surely, and then only what is new to this process", async () => {
    const { feed, asked, put } = fakeFeed();
    put(kinds.services, undefined, web);
    const directory = openDirectory(feed);
    expect((await directory()).service("shop", "web")).toBe(web);
    await directory();
    expect(asked.filter(({ kind }) => kind === "Service")).toEqual([
      { kind: "Service", after: undefined, consistent: true },
      { kind: "Service", after: 1, consistent: false },
    ]);
  });

  it("follows slices as they change their addresses and go", async () => {
    const { feed, put } = fakeFeed();
    const directory = openDirectory(feed);
    const [before, after] = [aSlice("web", [{ addresses: ["10.200.0.5"] }]), aSlice("web", [{ addresses: ["10.200.0.6"] }])];
    await directory();
    put(kinds.endpointSlices, undefined, before);
    expect((await directory()).slices("shop", "web")).toEqual([before]);
    put(kinds.endpointSlices, before, after);
    const now = await directory();
    expect(now.slices("shop", "web")).toEqual([after]);
    expect(now.slicesWith("10.200.0.5")).toEqual([]);
    expect(now.slicesWith("10.200.0.6")).toEqual([after]);
    put(kinds.endpointSlices, after, undefined);
    expect((await directory()).slices("shop", "web")).toEqual([]);
  });

  it("knows a namespace as long as it has a Service", async () => {
    const { feed, put } = fakeFeed();
    const directory = openDirectory(feed);
    const other = aService({}, { namespace: "shop", name: "other" });
    put(kinds.services, undefined, web);
    put(kinds.services, undefined, other);
    expect((await directory()).hasNamespace("shop")).toBe(true);
    put(kinds.services, web, undefined);
    expect((await directory()).hasNamespace("shop")).toBe(true);
    put(kinds.services, other, undefined);
    expect((await directory()).hasNamespace("shop")).toBe(false);
  });

  it("starts again from everything when the changes since then are gone", async () => {
    const { feed, put, forget } = fakeFeed();
    const directory = openDirectory(feed);
    put(kinds.services, undefined, web);
    await directory();
    put(kinds.services, web, undefined);
    forget();
    const now = await directory();
    expect(now.service("shop", "web")).toBeUndefined();
    expect(now.hasNamespace("shop")).toBe(false);
  });

  it("applies each change once though many ask at the same time", async () => {
    const { feed, asked, put } = fakeFeed();
    const directory = openDirectory(feed);
    put(kinds.services, undefined, web);
    await Promise.all([directory(), directory(), directory()]);
    expect(asked.filter(({ kind }) => kind === "Service").map(({ after }) => after)).toEqual([undefined, 1, 1]);
  });
});
