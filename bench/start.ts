/**
 * Starting, idling, and the way from `kubectl apply` to Available: `npm run bench -- start`.
 * Needs kubectl; Online Boutique's manifest is taken from `../shared/manifests` (or `--manifest FILE`).
 */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { findKubectls } from "../test/support/kubectl.ts";
import { type LocalPlane, startLocalPlane } from "./local-plane.ts";
import { usageOf } from "./processes.ts";

const execute = promisify(execFile);
const idleSeconds = 20;
const settleSeconds = 5;
const rateSeconds = 5;
const concurrency = 16;
const rules: { timingsMs: Record<string, number> } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../local/engine/simulated/rules.json"), "utf8"),
);

export async function run(options: readonly string[]): Promise<Record<string, unknown>> {
  const kubectl = findKubectls().at(-1)?.path;
  if (!kubectl) throw new Error("this benchmark needs kubectl on PATH");
  const named = options.indexOf("--manifest");
  const manifest = named >= 0 ? String(options[named + 1]) : join(import.meta.dirname, "../../shared/manifests/online-boutique.yaml");

  const begin = performance.now();
  const plane = await startLocalPlane("--nodes", "4");
  try {
    const k = (...args: string[]) => execute(kubectl, [`--kubeconfig=${plane.kubeconfig}`, ...args]);
    await k("get", "ns");
    const readyMs = performance.now() - begin;

    await sleep(settleSeconds);
    const before = usageOf(plane.pid);
    await sleep(idleSeconds);
    const after = usageOf(plane.pid);

    const rates = { api_get_per_s: await getsPerSecond(plane), api_create_per_s: await createsPerSecond(plane) };
    const boutique = existsSync(manifest) ? await applyToAvailable(k, manifest) : { manifest: "absent" };
    return {
      ready_ms: Math.round(readyMs),
      idle_cpu_percent: ((after.cpuSeconds - before.cpuSeconds) / idleSeconds) * 100,
      rss_mib: Math.round(after.rssMib),
      rss_after_load_mib: Math.round(usageOf(plane.pid).rssMib),
      ...rates,
      ...boutique,
    };
  } finally {
    await plane.stop();
  }
}

const sleep = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function perSecond(work: (index: number) => Promise<void>): Promise<number> {
  let next = 0;
  const begin = performance.now();
  const until = begin + rateSeconds * 1000;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (performance.now() < until) await work(next++);
    }),
  );
  return Math.round(next / ((performance.now() - begin) / 1000));
}

const getsPerSecond = (plane: LocalPlane) =>
  perSecond(async () => {
    const { status } = await plane.api.call("GET", "/api/v1/namespaces/default");
    if (status !== 200) throw new Error(`get answered ${status}`);
  });

const createsPerSecond = (plane: LocalPlane) =>
  perSecond(async (index) => {
    const { status, body } = await plane.api.call("POST", "/api/v1/namespaces/default/configmaps", {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: `bench-${index}` },
      data: { key: "value".repeat(50) },
    });
    if (status !== 201) throw new Error(`create answered ${status}: ${body}`);
  });

type Kubectl = (...args: string[]) => Promise<{ stdout: string }>;

/** From `kubectl apply` to every Deployment Available, less what probes and the engine's stated times make unavoidable. */
async function applyToAvailable(k: Kubectl, manifest: string): Promise<Record<string, number>> {
  await k("create", "namespace", "boutique");
  const begin = performance.now();
  await k("apply", "-n", "boutique", "-f", manifest);
  await k("wait", "-n", "boutique", "--for=condition=Available", "deployments", "--all", "--timeout=180s");
  const total = performance.now() - begin;
  const floors = parseAllDocuments(readFileSync(manifest, "utf8"))
    .map((document) => document.toJS())
    .filter((object) => object?.kind === "Deployment")
    .map(({ spec }) => floorMs(spec.template.spec));
  const floor = Math.max(...floors);
  return {
    apply_to_available_ms: Math.round(total),
    floor_ms: Math.round(floor),
    apply_to_available_overhead_ms: Math.round(total - floor),
  };
}

interface Container {
  readonly readinessProbe?: { readonly initialDelaySeconds?: number };
}

/** What one Pod needs at least: its network interface, pulls and starts as the engine states them, and the first readiness probe. */
function floorMs({
  containers,
  initContainers = [],
}: {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Container[];
}): number {
  const { attachNetworkInterface = 0, pull = 0, start = 0 } = rules.timingsMs;
  const init = initContainers.length * (pull + start + 200);
  const probes = containers.map(({ readinessProbe }) => (readinessProbe?.initialDelaySeconds ?? 0) * 1000);
  return attachNetworkInterface + init + pull + start + Math.max(...probes);
}
