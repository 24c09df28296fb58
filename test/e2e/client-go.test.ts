/** client-go against a control plane: typed clients in protobuf, dynamic and metadata clients, shared informers, leader election. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { goClients, requireProgram, runToEnd } from "../support/tools.ts";

const go = await requireProgram("go", ["version"], "client-go's checks");

describe.skipIf(!go)("client-go", () => {
  let plane: ControlPlane;
  let program: string;
  beforeAll(async () => {
    // The first build of all downloads and compiles client-go.
    program = await goClients();
    plane = await startControlPlane();
  }, 600_000);
  afterAll(() => plane?.remove());

  it("does with its clients, informers and leader election what it does with any cluster", { timeout: 300_000 }, async () => {
    // client-go compares every cache that it filled by a watch list with a list, and panics if they differ.
    const env = { KUBE_WATCHLIST_INCONSISTENCY_DETECTOR: "true" };
    const { code, output } = await runToEnd(program, ["-kubeconfig", plane.kubeconfig], { env, timeoutMs: 290_000 });
    expect(code, output).toBe(0);
    expect(output).toMatch(/^ok: \d+ checks$/m);
  });
});
