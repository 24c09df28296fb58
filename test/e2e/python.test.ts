/** The official Python client against a control plane. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { pythonClients, requireProgram, runToEnd } from "../support/tools.ts";

const python = await requireProgram("python3", ["-c", "import venv, ensurepip"], "the Python client's checks");

describe.skipIf(!python)("the Python client", () => {
  let plane: ControlPlane;
  let interpreter: string;
  beforeAll(async () => {
    interpreter = await pythonClients();
    plane = await startControlPlane();
  }, 300_000);
  afterAll(() => plane?.remove());

  it("lists, creates, watches, patches and deletes", { timeout: 120_000 }, async () => {
    const script = join(import.meta.dirname, "../clients/python/main.py");
    const { code, output } = await runToEnd(interpreter, [script, plane.kubeconfig], { timeoutMs: 110_000 });
    expect(code, output).toBe(0);
    expect(output).toMatch(/^ok the namespace is gone$/m);
  });
});
