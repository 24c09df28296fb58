/** The API function answers as a real kube-apiserver of the same version does: status, headers that matter, and bodies. */
import { afterAll, beforeAll, describe, it } from "vitest";
import { requireGoModules } from "../../support/tools.ts";
import { known } from "./known.ts";
import { type Pair, startPair } from "./same.ts";
import { themes } from "./themes/index.ts";

const buildable = await requireGoModules("reference", "the comparison with kube-apiserver");

describe.skipIf(!buildable)("beside kube-apiserver", { timeout: 60_000 }, () => {
  let pair: Pair;
  // The first build of all downloads and compiles kube-apiserver.
  beforeAll(async () => {
    pair = await startPair();
  }, 900_000);
  afterAll(() => pair?.stop());

  for (const { name, concurrent = false, scenarios } of themes) {
    describe(name, { concurrent }, () => {
      it.for(Object.entries(scenarios))("%s", ([, steps], { expect }) => pair.compare(steps, expect));
    });
  }

  describe("what is known to differ", () => {
    it.for(known)("$name: $reason", ({ steps }, { expect }) => pair.compareUntilLast(steps, expect));
  });
});
