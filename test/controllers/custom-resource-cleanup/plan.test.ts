import { describe, expect, it } from "vitest";
import type { CustomResourceDefinition } from "../../../shared/api/generated/types.ts";
import { planCleanup, servedKind } from "../../../shared/controllers/custom-resource-cleanup/plan.ts";
import { meta } from "../../support/workloads.ts";

const widget = (deleting: boolean) => ({
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: meta("w", deleting ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
});

const definition = (versions: readonly { name: string; served: boolean; storage: boolean }[]): CustomResourceDefinition => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: meta("widgets.example.com"),
  spec: { group: "example.com", scope: "Namespaced", names: { kind: "Widget", plural: "widgets" }, versions: [...versions] },
});

describe("a definition that is being deleted", () => {
  it.each([
    { name: "deletes its objects", objects: [widget(false), widget(true)], type: "delete" },
    { name: "waits for those that finalizers hold", objects: [widget(true)], type: "wait" },
    { name: "goes when none is left", objects: [], type: "release" },
  ])("$name", ({ objects, type }) => {
    expect(planCleanup(objects).type).toBe(type);
  });

  it("reaches its objects by a version that is served, the stored one if possible", () => {
    const versions = [
      { name: "v1", served: true, storage: false },
      { name: "v2", served: true, storage: true },
    ];
    expect(servedKind(definition(versions))).toEqual({
      group: "example.com",
      version: "v2",
      kind: "Widget",
      plural: "widgets",
      namespaced: true,
    });
    expect(
      servedKind(
        definition([
          { name: "v1", served: true, storage: false },
          { name: "v2", served: false, storage: true },
        ]),
      )?.version,
    ).toBe("v1");
    expect(servedKind(definition([{ name: "v1", served: false, storage: true }]))).toBeUndefined();
  });
});
