import { describe, expect, it } from "vitest";
import type { EngineContainer, EngineTask } from "../../../local/engine/engine.ts";
import shippedRules from "../../../local/engine/simulated/rules.json" with { type: "json" };
import { compileRules, type RulesFile } from "../../../local/engine/simulated/rules.ts";
import { restartPolicyLabel } from "../../../shared/kubelet/pod-tags.ts";

const shipped = shippedRules as RulesFile;
const aTask = (containers: readonly Partial<EngineContainer>[]): EngineTask => ({
  taskArn: "task",
  clusterArn: "cluster",
  family: "f",
  networkMode: "awsvpc",
  containers: containers.map((container, index) => ({ name: `c${index}`, image: "app", essential: true, ...container })),
  volumes: [],
});
const fate = (container: Partial<EngineContainer>, own?: Partial<RulesFile>) => {
  const task = aTask([container]);
  return compileRules(shipped, own).fate(task, task.containers[0] as EngineContainer);
};

describe("trap 33: the shipped rules decide what becomes of a container", () => {
  it.each([
    { name: "a server runs", container: { image: "nginx" }, exit: undefined },
    { name: "an unknown image runs", container: { image: "ghcr.io/acme/shop:1" }, exit: undefined },
    { name: "true ends well", container: { command: ["/bin/true"] }, exit: { afterSeconds: 0.1, code: 0 } },
    { name: "false fails", container: { command: ["sh", "-c", "echo hi; /bin/false"] }, exit: { afterSeconds: 0.1, code: 1 } },
    { name: "an exit code is taken", container: { command: ["sh", "-c", "exit 42"] }, exit: { afterSeconds: 0.1, code: 42 } },
    { name: "a sleep is slept", container: { command: ["sleep", "1.5"] }, exit: { afterSeconds: 1.5, code: 0 } },
    { name: "a sleep before an exit, too", container: { command: ["sh", "-c", "sleep 3; exit 7"] }, exit: { afterSeconds: 3, code: 7 } },
    {
      name: "an exit code is taken after other statements",
      container: { command: ["sh", "-ec", "echo hi\necho bye; exit 3\n"] },
      exit: { code: 3 },
    },
    { name: "an exit that a test decides is not", container: { command: ["sh", "-c", "[ -f /ready ] || exit 1"] }, exit: undefined },
    { name: "an exit in words is none", container: { command: ["echo", "exit 1"] }, exit: undefined },
    {
      name: "an exit behind a loop that may have ended well before is not",
      container: { command: ["sh", "-c", "for i in 1 2 3; do\n  if ping web; then exit 0; fi\ndone\nexit 1\n"] },
      exit: undefined,
    },
    { name: "a loop never ends", container: { command: ["sh", "-c", "while true; do sleep 5; done"] }, exit: undefined },
    {
      name: "what a Job runs ends",
      container: { command: ["perl", "-e", "print pi"], dockerLabels: { [restartPolicyLabel]: "Never" } },
      exit: { afterSeconds: 1, code: 0 },
    },
    {
      name: "a server in such a Pod runs on",
      container: { image: "nginx:1", dockerLabels: { [restartPolicyLabel]: "Never" } },
      exit: undefined,
    },
    {
      name: "the test image does nothing for ever when it is told nothing",
      container: { image: "registry.k8s.io/e2e-test-images/agnhost:2.63.0", dockerLabels: { [restartPolicyLabel]: "Never" } },
      exit: undefined,
    },
    {
      name: "and ends when it is told to do something once",
      container: { image: "agnhost", command: ["entrypoint-tester"], dockerLabels: { [restartPolicyLabel]: "Never" } },
      exit: { code: 0 },
    },
  ])("$name", ({ container, exit }) => {
    const found = fate(container).exit;
    if (exit === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(exit);
  });

  it.each([
    { image: "acme/shop:nonexistent", found: false },
    { image: "webserver:404", found: false },
    { image: "acme/http:404-pages", found: true },
    { image: "registry:4040/shop:1", found: true },
  ])("whether $image can be pulled: $found", ({ image, found }) => {
    expect(fate({ image }).pullError === undefined).toBe(found);
  });

  it("an init container ends", () => {
    const task = aTask([{ name: "setup", essential: false }, { dependsOn: [{ containerName: "setup", condition: "SUCCESS" }] }]);
    expect(compileRules(shipped).fate(task, task.containers[0] as EngineContainer).exit?.code).toBe(0);
    expect(compileRules(shipped).fate(task, task.containers[1] as EngineContainer).exit).toBeUndefined();
  });

  it("an init container that waits for others in a loop ends well, though its script gives up with a code", () => {
    const command = ["/bin/sh", "-exc", "for i in $(seq 1 12); do\n  if ping web; then exit 0; fi\n  sleep $PAUSE\ndone\nexit 1\n"];
    const task = aTask([{ name: "wait", essential: false, command }, { dependsOn: [{ containerName: "wait", condition: "SUCCESS" }] }]);
    expect(compileRules(shipped).fate(task, task.containers[0] as EngineContainer).exit?.code).toBe(0);
  });

  it("own rules come first, and speak only of what they mention", () => {
    const own = { rules: [{ name: "mine", match: { image: "^busybox" }, outcome: { readiness: "never" as const } }] };
    const found = fate({ image: "busybox", command: ["sleep", "9"] }, own);
    expect(found.checks.readiness).toEqual([Infinity, Infinity]);
    expect(found.exit?.afterSeconds).toBe(9);
  });

  it("a file that is not usable is refused with the place", () => {
    const bad = { rules: [{ name: "broken", match: { image: "(" }, outcome: {} }] };
    expect(() => compileRules(shipped, bad)).toThrow("rules[0] (broken): match.image is not a regular expression");
    expect(() => compileRules(shipped, { timingsMs: { ...shipped.timingsMs, pull: -1 } })).toThrow("timingsMs.pull");
  });
});
