/**
 * Writers that change objects through the API at the same time, each its own objects, and settle what they cannot know (a reply lost
 * with the server) by reading, as a careful client does.
 */
import { setTimeout as pause } from "node:timers/promises";
import { ApiException, type CoreV1Api, type V1ConfigMap, type V1ObjectMeta, type V1Pod } from "@kubernetes/client-node";

/** What all objects carry that these writers write: a number that counts their changes, from 0. */
export const stepAnnotation = "step";

export interface Writable {
  readonly kind: "ConfigMap" | "Pod";
  create(name: string): Promise<void>;
  /** Writes the next step with PUT or PATCH, by turns. */
  change(name: string, step: number): Promise<void>;
  delete(name: string): Promise<void>;
  /** The step that is stored, or undefined when there is no such object. */
  stored(name: string): Promise<number | undefined>;
}

const metadata = (name: string): V1ObjectMeta => ({ name, annotations: { [stepAnnotation]: "0" } });
const stepOf = (object: V1ConfigMap | V1Pod): number => Number(object.metadata?.annotations?.[stepAnnotation]);
const next = (step: number) => [{ op: "replace", path: `/metadata/annotations/${stepAnnotation}`, value: String(step) }];

export function configMaps(api: CoreV1Api, namespace: string): Writable {
  return {
    kind: "ConfigMap",
    async create(name) {
      await api.createNamespacedConfigMap({ namespace, body: { metadata: metadata(name), data: { name } } });
    },
    async change(name, step) {
      if (step % 2 === 1) return void (await api.patchNamespacedConfigMap({ namespace, name, body: next(step) }));
      const current = await api.readNamespacedConfigMap({ namespace, name });
      if (current.metadata?.annotations) current.metadata.annotations[stepAnnotation] = String(step);
      await api.replaceNamespacedConfigMap({ namespace, name, body: current });
    },
    async delete(name) {
      await api.deleteNamespacedConfigMap({ namespace, name });
    },
    stored: (name) => unlessMissing(async () => stepOf(await api.readNamespacedConfigMap({ namespace, name }))),
  };
}

/** Pods that wait behind a gate, so that hardly anybody but the writer changes them. */
export function gatedPods(api: CoreV1Api, namespace: string): Writable {
  const spec = { containers: [{ name: "web", image: "registry.example/web:1" }], schedulingGates: [{ name: "example.com/wait" }] };
  return {
    kind: "Pod",
    async create(name) {
      await api.createNamespacedPod({ namespace, body: { metadata: metadata(name), spec } });
    },
    async change(name, step) {
      await api.patchNamespacedPod({ namespace, name, body: next(step) });
    },
    async delete(name) {
      await api.deleteNamespacedPod({ namespace, name });
    },
    stored: (name) => unlessMissing(async () => stepOf(await api.readNamespacedPod({ namespace, name }))),
  };
}

async function unlessMissing<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ApiException && error.code === 404) return undefined;
    throw error;
  }
}

/** The life of one object: created, changed so many times, and perhaps deleted. */
export interface Life {
  readonly name: string;
  readonly changes: number;
  readonly deleted: boolean;
}

/** @param done called after each change that is known to be stored */
export async function live(kind: Writable, { name, changes, deleted }: Life, done: () => void): Promise<void> {
  const settled = async (write: () => Promise<void>, isStored: (step: number | undefined) => boolean) => {
    for (;;) {
      try {
        await write();
        break;
      } catch (error) {
        // It may have been stored all the same.
        if (isStored(await patiently(() => kind.stored(name)))) break;
        if (error instanceof ApiException && error.code !== 429 && error.code < 500 && error.code !== 409) throw error;
      }
    }
    done();
  };
  await settled(
    () => kind.create(name),
    (step) => step === 0,
  );
  for (let next = 1; next <= changes; next++) {
    await settled(
      () => kind.change(name, next),
      (step) => step === next,
    );
  }
  if (deleted) {
    await settled(
      () => kind.delete(name),
      (step) => step === undefined,
    );
  }
}

/** Asks again while the server is away. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  const until = Date.now() + 60_000;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (Date.now() > until) throw error;
      await pause(100);
    }
  }
}
