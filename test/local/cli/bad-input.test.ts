/** Command lines that `npm start` refuses, each with one line that says what to do. (What it meets later is in `test/e2e/trouble/`.) */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ended, runToItsEnd } from "../../support/control-plane.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "binnacle-cli-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  runToItsEnd(args, { env, cwd: folder });

/** Nothing but one line for a person: no stack. */
const expectComplaint = ({ code, stderr, stdout }: Ended, words: string) => {
  expect({ code, stdout, lines: stderr.trimEnd().split("\n").length }).toEqual({ code: 1, stdout: "", lines: 1 });
  expect(stderr).toContain(words);
};

describe("the command line", () => {
  it("explains itself", async () => {
    const { code, stdout } = await run(["--help"]);
    expect(code).toBe(0);
    for (const option of ["--port", "--data", "--kubeconfig", "--engine", "--nodes", "--node-type", "--host", "--provision-any"]) {
      expect(stdout).toContain(option);
    }
  });

  it.each([
    ["an unknown option", ["--prot", "1"], "--prot"],
    ["a stray word", ["start"], "start"],
    ["a port that is no number", ["--port", "http"], "--port must be a whole number from 0 to 65535"],
    ["a port out of range", ["--port", "70000"], "--port must be a whole number from 0 to 65535"],
    ["a negative number of nodes", ["--nodes=-1"], "--nodes must be a whole number from 0 to 100"],
    ["an unknown node type", ["--node-type", "t2.nano"], "--node-type must be one of m5.large"],
    ["an unknown engine", ["--engine", "rkt"], "--engine must be docker or simulated, not rkt"],
    ["a host that is none", ["--host", "a b"], "--host must be an IP address or a DNS name"],
    ["an option without its value", ["--data"], "--data"],
  ])("refuses %s", async (_name, args, words) => {
    expectComplaint(await run(args), words);
  });

  it("refuses an address that is not this machine's", async () => {
    expectComplaint(await run(["--port", "0", "--host", "192.0.2.1", "--data", "data"]), "192.0.2.1 is no address of this machine");
  });

  it("refuses rules that cannot be read", async () => {
    writeFileSync(join(folder, "rules.json"), "{ nope");
    expectComplaint(
      await run(["--port", "0", "--data", "data"], { BINNACLE_SIMULATED_RULES: "rules.json" }),
      "The rules file rules.json is not usable",
    );
  });

  it("refuses an unknown log level", async () => {
    expectComplaint(await run(["--port", "0", "--data", "data"], { BINNACLE_LOG_LEVEL: "loud" }), "BINNACLE_LOG_LEVEL must be");
  });
});
