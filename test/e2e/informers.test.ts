/**
 * Informers and watches through the JavaScript client, while several writers make a thousand changes and the control plane is killed
 * in the middle of them: nothing is lost, nothing comes twice, and each object's changes keep their order.
 */
import {
  CoreV1Api,
  type Informer,
  KubeConfig,
  type KubernetesListObject,
  type KubernetesObject,
  makeInformer,
  type ObjectCache,
  Watch,
} from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { configMaps, gatedPods, type Life, live, stepAnnotation, type Writable } from "../support/change-writers.ts";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";

const namespace = "crowd";
const writersPerKind = 4;
const livesPerWriter = 25;
/** Of each object: created, changed and, every second one, deleted. */
const writesPerLife = 5;
const changes = 2 * writersPerKind * livesPerWriter * writesPerLife;

interface Told {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly step: number;
  readonly revision: bigint;
}

/** What somebody was told, by the object's name, in the order in which it came. */
type Record = Map<string, Told[]>;

function note(record: Record, type: string, { metadata }: KubernetesObject): void {
  const name = metadata?.name ?? "";
  const told = record.get(name) ?? [];
  record.set(name, told);
  const step = Number(metadata?.annotations?.[stepAnnotation]);
  told.push({ type: type as Told["type"], step, revision: BigInt(metadata?.resourceVersion ?? 0) });
}

const lives = (writer: number): Life[] =>
  Array.from({ length: livesPerWriter }, (_, index) => {
    const deleted = index % 2 === 1;
    return { name: `w${writer}-${index}`, changes: writesPerLife - (deleted ? 2 : 1), deleted };
  });
const allLives = Array.from({ length: writersPerKind }, (_, writer) => lives(writer)).flat();

describe("through a thousand changes by concurrent writers, and a kill -9 in the middle of them", () => {
  let plane: ControlPlane;
  let config: KubeConfig;
  let api: CoreV1Api;
  const kinds: { writable: Writable; path: string; list: () => Promise<KubernetesListObject<KubernetesObject>> }[] = [];
  const informers: (Informer<KubernetesObject> & ObjectCache<KubernetesObject>)[] = [];
  const informed: Record[] = [];
  const watched: Record[] = [];
  const failures: unknown[] = [];
  const ending = new AbortController();
  const connections = { informers: 0, watches: 0 };

  beforeAll(async () => {
    plane = await startControlPlane("--nodes", "1");
    config = new KubeConfig();
    config.loadFromFile(plane.kubeconfig);
    api = config.makeApiClient(CoreV1Api);
    await api.createNamespace({ body: { metadata: { name: namespace } } });
    const objects = `/api/v1/namespaces/${namespace}`;
    kinds.push(
      { writable: configMaps(api, namespace), path: `${objects}/configmaps`, list: () => api.listNamespacedConfigMap({ namespace }) },
      { writable: gatedPods(api, namespace), path: `${objects}/pods`, list: () => api.listNamespacedPod({ namespace }) },
    );
    for (const { path, list } of kinds) {
      const heard: Record = new Map();
      informed.push(heard);
      const informer = makeInformer(config, path, list);
      informer.on("add", (object) => note(heard, "ADDED", object));
      informer.on("update", (object) => note(heard, "MODIFIED", object));
      informer.on("delete", (object) => note(heard, "DELETED", object));
      informer.on("connect", () => connections.informers++);
      // What an informer's user does: start it again a little later.
      informer.on("error", () => setTimeout(() => !ending.signal.aborted && void informer.start(), 100));
      await informer.start();
      informers.push(informer);

      const seen: Record = new Map();
      watched.push(seen);
      await follow(path, await list(), seen);
    }
  }, 60_000);

  afterAll(async () => {
    ending.abort();
    await Promise.all(informers.map((informer) => informer.stop()));
    await plane?.remove();
  });

  /** A list, then a watch that goes on from the last resourceVersion it saw whenever its connection ends; it never lists again. */
  async function follow(path: string, list: KubernetesListObject<KubernetesObject>, record: Record): Promise<void> {
    let resourceVersion = list.metadata?.resourceVersion ?? "";
    const watch = new Watch(config);
    const connect = async () => {
      connections.watches++;
      const connection = await watch.watch(
        path,
        { resourceVersion, allowWatchBookmarks: true },
        (type: string, object: KubernetesObject) => {
          resourceVersion = object.metadata?.resourceVersion ?? resourceVersion;
          if (type === "ERROR") failures.push(object);
          else if (type !== "BOOKMARK") note(record, type, object);
        },
        () => setTimeout(() => !ending.signal.aborted && void connect(), 100),
      );
      ending.signal.addEventListener("abort", () => connection.abort());
    };
    await connect();
  }

  it("all writes are made", { timeout: 180_000 }, async () => {
    let made = 0;
    let half = () => {};
    const halfway = new Promise<void>((resolve) => {
      half = resolve;
    });
    const done = () => {
      if (++made === changes / 2) half();
    };
    const crash = async () => {
      await halfway;
      await plane.kill();
      await plane.restart();
    };
    const writers = kinds.flatMap(({ writable }) =>
      Array.from({ length: writersPerKind }, async (_, writer) => {
        for (const life of lives(writer)) await live(writable, life, done);
      }),
    );
    await Promise.all([crash(), ...writers]);
    expect(made).toBe(changes);
  });

  describe.each([
    { kind: "ConfigMaps", index: 0 },
    { kind: "Pods", index: 1 },
  ])("$kind", ({ index }) => {
    const stored = async () =>
      new Map((await kinds[index]?.list())?.items.map(({ metadata }) => [metadata?.name, metadata?.resourceVersion] as const));

    it("are stored as the last write of each left them", async () => {
      const left = allLives.filter(({ deleted }) => !deleted).map(({ name }) => name);
      const names = [...(await stored()).keys()].filter((name) => name !== "kube-root-ca.crt");
      expect(new Set(names)).toEqual(new Set(left));
    });

    it.each(["a watch", "an informer"] as const)("are told by %s, each change once and in its order", { timeout: 60_000 }, async (who) => {
      const record = () => (who === "a watch" ? watched : informed)[index] ?? new Map<string, Told[]>();
      const latest = async () => {
        const wanted = await stored();
        return [...wanted].filter(([name, revision]) => String(record().get(String(name))?.at(-1)?.revision) !== revision);
      };
      // The root CA may have been there before the list.
      await expect.poll(async () => (await latest()).filter(([name]) => name !== "kube-root-ca.crt"), { timeout: 30_000 }).toEqual([]);
      for (const { name, changes, deleted } of allLives) {
        const told = record().get(name) ?? [];
        const revisions = told.map(({ revision }) => revision);
        expect(revisions, `${name}: no change twice, none late`).toEqual(
          [...new Set(revisions)].toSorted((one, other) => Number(one - other)),
        );
        expect(told.map(({ type }) => type).filter((type) => type !== "MODIFIED")).toEqual(["ADDED", ...(deleted ? ["DELETED"] : [])]);
        expect(told[0]?.type).toBe("ADDED");
        // Others may write a Pod's status in between: the steps stay.
        const steps = told.map(({ step }) => step).filter((step, position, all) => step !== all[position - 1]);
        expect(steps, name).toEqual(Array.from({ length: changes + 1 }, (_, step) => step));
      }
    });

    it("are in the informer's cache as they are stored", async () => {
      const cached = new Map(informers[index]?.list(namespace).map(({ metadata }) => [metadata?.name, metadata?.resourceVersion] as const));
      expect(cached).toEqual(await stored());
    });
  });

  it("came over connections that broke with the control plane", () => {
    expect(connections.watches).toBeGreaterThan(kinds.length);
    expect(connections.informers).toBeGreaterThan(kinds.length);
    expect(failures).toEqual([]);
  });
});
