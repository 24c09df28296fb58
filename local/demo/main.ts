/**
 * `npm run demo`: starts a control plane of its own, applies a small shop, and shows what happens: placement, self-healing, a rollout,
 * a rollback, and how nothing is left. It ends with what it proved.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import type { Deployment, Node, Pod } from "../../shared/api/generated/types.ts";
import type { ObjectList } from "../../shared/api/objects.ts";
import { nodeBound } from "../../shared/scheduler/bound.ts";
import { type ApiConnection, connectApi } from "../api-connection.ts";
import { startPlane } from "./plane.ts";
import { heading, nodeTable, say, seconds, step, summary } from "./show.ts";

const namespace = "shop";
const manifest = join(import.meta.dirname, "../../examples/shop.yaml");
const limitMs = 90_000;

const begin = performance.now();

async function show(api: ApiConnection): Promise<void> {
  const objects = parseAllDocuments(readFileSync(manifest, "utf8")).map((document) => document.toJS());
  const deployments: Deployment[] = objects.filter(({ kind }) => kind === "Deployment");
  const wanted = deployments.reduce((sum, { spec }) => sum + (spec.replicas ?? 1), 0);

  heading(`1  Apply ${objects.length} objects: ${wanted} Pods in ${deployments.length} Deployments`);
  const applied = performance.now();
  await api.json("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } });
  for (const object of objects) {
    const [path, what] = object.apiVersion === "v1" ? ["/api/v1", `${object.kind.toLowerCase()}s`] : ["/apis/apps/v1", "deployments"];
    await api.json(
      "PATCH",
      `${path}/namespaces/${namespace}/${what}/${object.metadata.name}?fieldManager=demo`,
      object,
      "application/apply-patch+yaml",
    );
  }
  await narrated(api, async () => until(api, "every Deployment available", ({ pods }) => pods.filter(isReady).length === wanted));
  const availableMs = performance.now() - applied;
  step(`all ${wanted} Pods ready after ${seconds(availableMs)}`);

  heading("2  Where they went");
  const { nodes, pods } = await state(api);
  nodeTable(nodes, pods);
  const used = new Set(pods.map(({ spec }) => spec.nodeName)).size;
  const bound = nodeBound(pods, nodes[0]?.status?.allocatable ?? {});
  step(`${used} of ${nodes.length} nodes used; no packing of these Pods can use fewer than ${bound}`);

  heading("3  A Pod dies");
  const [victim] = pods.filter(({ metadata }) => metadata.labels?.app === "storefront");
  const killed = performance.now();
  await api.json("DELETE", `/api/v1/namespaces/${namespace}/pods/${victim?.metadata.name}?gracePeriodSeconds=0`);
  step(`deleted ${victim?.metadata.name}`);
  await narrated(api, async () =>
    until(
      api,
      "the replacement ready",
      ({ pods: now }) => now.filter(isReady).length === wanted && !now.some(({ metadata }) => metadata.uid === victim?.metadata.uid),
    ),
  );
  const healMs = performance.now() - killed;
  step(`healed after ${seconds(healMs)}`);

  heading("4  Roll out storefront 2.0, one that works");
  const rolloutMs = await rollTo(api, "registry.example/shop/storefront:2.0");
  step(`rolled out after ${seconds(rolloutMs)}`);

  heading("5  Roll out storefront 3.0, which cannot be pulled, and roll back");
  await setImage(api, "registry.example/shop/storefront:does-not-exist");
  await narrated(api, async () =>
    until(api, "the failure shown", ({ pods: now }) =>
      now.some(({ status }) => /ErrImagePull|ImagePullBackOff/.test(JSON.stringify(status))),
    ),
  );
  const during = (await state(api)).pods.filter((pod) => pod.metadata.labels?.app === "storefront" && isReady(pod)).length;
  step(`the bad version does not start; ${during} Pods of the old one keep serving`);
  const rollbackMs = await rollTo(api, "registry.example/shop/storefront:2.0");
  step(`rolled back after ${seconds(rollbackMs)}`);

  heading("6  Delete the namespace");
  const deleted = performance.now();
  await api.json("DELETE", `/api/v1/namespaces/${namespace}`);
  await until(
    api,
    "the namespace gone",
    ({ pods: now }) => now.length === 0,
    async () => (await api.call("GET", `/api/v1/namespaces/${namespace}`)).status === 404,
  );
  const deleteMs = performance.now() - deleted;
  step(`namespace, Pods and tasks gone after ${seconds(deleteMs)}`);

  summary([
    ["pods placed", String(wanted)],
    ["nodes used / least possible", `${used} / ${bound}`],
    ["apply to all ready", seconds(availableMs)],
    ["time to heal", seconds(healMs)],
    ["time to roll out", seconds(rolloutMs)],
    ["time to roll back", seconds(rollbackMs)],
    ["time to delete everything", seconds(deleteMs)],
    ["the whole show", seconds(performance.now() - begin)],
  ]);
}

interface State {
  readonly nodes: readonly Node[];
  readonly pods: readonly Pod[];
}

async function state(api: ApiConnection): Promise<State> {
  const [nodes, pods] = await Promise.all([
    api.json<ObjectList<Node>>("GET", "/api/v1/nodes"),
    api.json<ObjectList<Pod>>("GET", `/api/v1/namespaces/${namespace}/pods`),
  ]);
  return { nodes: nodes.items, pods: pods.items };
}

const isReady = ({ status, metadata }: Pod): boolean =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions?.some(({ type, status: is }) => type === "Ready" && is === "True") ?? false);

/** Looks again after each change of a Pod, and now and then by itself. */
async function until(
  api: ApiConnection,
  what: string,
  holds: (now: State) => boolean,
  alsoHolds: () => Promise<boolean> = async () => true,
): Promise<void> {
  const start = performance.now();
  while (!(holds(await state(api)) && (await alsoHolds()))) {
    if (performance.now() - start > limitMs) throw new Error(`not seen within ${limitMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Prints what happens to Pods while something is waited for. */
async function narrated(api: ApiConnection, wait: () => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const { metadata } = await api.json<ObjectList<Pod>>("GET", `/api/v1/namespaces/${namespace}/pods`);
  const watching = (async () => {
    const last = new Map<string, string>();
    for await (const { type, object } of api.watch<Pod>(
      `/api/v1/namespaces/${namespace}/pods?watch=true&resourceVersion=${metadata.resourceVersion}`,
      stop.signal,
    )) {
      if (type === "BOOKMARK" || type === "ERROR") continue;
      const text = type === "DELETED" ? "gone" : describe(object);
      if (last.get(object.metadata.name) !== text) say(`   ${object.metadata.name.padEnd(28)} ${text}`);
      last.set(object.metadata.name, text);
    }
  })();
  try {
    await wait();
  } finally {
    stop.abort();
    await watching.catch(() => {});
  }
}

function describe(pod: Pod): string {
  if (pod.metadata.deletionTimestamp) return "stopping";
  const waiting = pod.status?.containerStatuses?.find(({ state: now }) => now?.waiting)?.state?.waiting?.reason;
  if (isReady(pod)) return `ready at ${pod.status?.podIP} on ${pod.spec.nodeName}`;
  if (waiting && waiting !== "ContainerCreating") return waiting;
  return pod.spec.nodeName ? `starting on ${pod.spec.nodeName}` : "waiting for a node";
}

const setImage = (api: ApiConnection, image: string) =>
  api.json(
    "PATCH",
    `/apis/apps/v1/namespaces/${namespace}/deployments/storefront`,
    { spec: { template: { spec: { containers: [{ name: "web", image }] } } } },
    "application/strategic-merge-patch+json",
  );

/** @returns milliseconds until every replica runs the image and nothing else is left */
async function rollTo(api: ApiConnection, image: string): Promise<number> {
  const start = performance.now();
  await setImage(api, image);
  await narrated(api, async () => {
    await until(api, `storefront on ${image}`, ({ pods }) => {
      const own = pods.filter(({ metadata }) => metadata.labels?.app === "storefront");
      return own.length === 6 && own.every((pod) => isReady(pod) && pod.spec.containers[0]?.image === image);
    });
  });
  return performance.now() - start;
}

const data = mkdtempSync(join(tmpdir(), "binnacle-demo-"));
heading("Binnacle: Kubernetes without a cluster to run");
const plane = await startPlane(data);
try {
  const api = connectApi(join(data, "kubeconfig"));
  try {
    step(`control plane ready in ${seconds(performance.now() - begin)}`, plane.notice);
    await show(api);
  } finally {
    api.close();
  }
} finally {
  await plane.stop();
  rmSync(data, { recursive: true, force: true });
}
