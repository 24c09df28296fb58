import { describe, expect, it } from "vitest";
import { claimFinalizer, isConcerned, protect, uses } from "../../../shared/controllers/volume-protection/plan.ts";
import { aWorkPod } from "../../support/nodes.ts";
import { aVolumeClaim } from "../../support/volumes.ts";

const deletionTimestamp = "2026-01-01T00:00:00Z";
const aClaimWith = (metadata: object) => aVolumeClaim("data", { metadata });

describe("a claim or volume", () => {
  it.each([
    { name: "is held from the beginning", metadata: {}, used: false, finalizers: [claimFinalizer] },
    {
      name: "is held while it is used",
      metadata: { deletionTimestamp, finalizers: [claimFinalizer] },
      used: true,
      finalizers: [claimFinalizer],
    },
    {
      name: "is let go when it is not",
      metadata: { deletionTimestamp, finalizers: ["other", claimFinalizer] },
      used: false,
      finalizers: ["other"],
    },
    {
      name: "is not held once it is on its way",
      metadata: { deletionTimestamp, finalizers: ["other"] },
      used: true,
      finalizers: ["other"],
    },
  ])("$name", ({ metadata, used, finalizers }) => {
    const claim = aClaimWith(metadata);
    const next = protect(claim, claimFinalizer, used);
    expect(next.metadata.finalizers).toEqual(finalizers);
    expect(protect(next, claimFinalizer, used)).toBe(next);
    if (!isConcerned(claim, claimFinalizer)) expect(next).toBe(claim);
  });
});

describe("a Pod uses a claim", () => {
  const volumes = [
    { name: "v", persistentVolumeClaim: { claimName: "data" } },
    { name: "scratch", ephemeral: {} },
  ];

  it("when it has a place, and not before", () => {
    expect(uses(aWorkPod({ spec: { volumes } }), "data")).toBe(false);
    expect(uses(aWorkPod({ nodeName: "node-1", spec: { volumes } }), "data")).toBe(true);
    expect(uses(aWorkPod({ nodeName: "node-1", spec: { volumes } }), "other")).toBe(false);
  });

  it("as an ephemeral volume until it only waits to be removed", () => {
    expect(uses(aWorkPod({ nodeName: "node-1", spec: { volumes } }), "pod-1-scratch")).toBe(true);
    const leaving = { deletionTimestamp, deletionGracePeriodSeconds: 0 };
    expect(uses(aWorkPod({ nodeName: "node-1", metadata: leaving, spec: { volumes } }), "pod-1-scratch")).toBe(false);
    expect(uses(aWorkPod({ nodeName: "node-1", metadata: leaving, spec: { volumes } }), "data")).toBe(true);
  });
});
