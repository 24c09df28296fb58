/** The official Python client against a control plane: the release that the test pins, and the one that Debian 12 has. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { pythonClients, requireProgram, runToEnd } from "../support/tools.ts";

/** The interpreter that Debian's packages are for, whatever is first on PATH. */
const debianPython = "/usr/bin/python3";

const clients = [
  {
    name: "the pinned Python client",
    found: await requireProgram("python3", ["-c", "import venv, ensurepip"], "the Python client's checks"),
    interpreter: pythonClients,
  },
  {
    name: "Debian's python3-kubernetes",
    found: await requireProgram(debianPython, ["-c", "import kubernetes"], "the checks of Debian's python3-kubernetes"),
    interpreter: async () => debianPython,
  },
];

describe.skipIf(!clients.some(({ found }) => found))("in Python", () => {
  let plane: ControlPlane;
  beforeAll(async () => {
    plane = await startControlPlane();
  }, 60_000);
  afterAll(() => plane?.remove());

  for (const { name, found, interpreter } of clients) {
    describe.skipIf(!found)(name, () => {
      let python: string;
      beforeAll(async () => {
        python = await interpreter();
      }, 300_000);

      it("lists, creates, watches, patches and deletes", { timeout: 120_000 }, async () => {
        const script = join(import.meta.dirname, "../clients/python/main.py");
        const { code, output } = await runToEnd(python, [script, plane.kubeconfig], { timeoutMs: 110_000 });
        expect(code, output).toBe(0);
        expect(output).toMatch(/^ok the namespace is gone$/m);
      });
    });
  }
});
