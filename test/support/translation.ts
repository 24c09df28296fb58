/** Translating a Pod in tests: everything around it is there and plain. */
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret } from "../../shared/api/generated/types.ts";
import { type EngineFeatures, helpedEngine } from "../../shared/kubelet/engine-features.ts";
import { type Translation, translatePod } from "../../shared/kubelet/translate/translate.ts";
import { meta } from "./workloads.ts";

export interface Surroundings {
  readonly features?: EngineFeatures;
  readonly configMaps?: Readonly<Record<string, Record<string, string>>>;
  readonly secrets?: Readonly<Record<string, Record<string, string>>>;
  /** With the volumes that they are bound to. */
  readonly claims?: Readonly<Record<string, readonly [PersistentVolumeClaim, PersistentVolume?]>>;
  readonly given?: Readonly<Record<string, string>>;
}

const configMap = (name: string, data: Record<string, string>): ConfigMap => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: meta(name),
  data,
});
const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = (name: string, data: Record<string, string>): Secret => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: meta(name),
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
});

export function translate(
  pod: Pod,
  { features = helpedEngine, configMaps = {}, secrets = {}, claims = {}, given = {} }: Surroundings = {},
): Translation {
  return translatePod({
    pod,
    node: {
      metadata: meta("node-1", { labels: { "kubernetes.io/hostname": "node-1" } }),
      internalIp: "10.0.0.11",
      allocatable: { cpu: "2", memory: "8Gi" },
    },
    references: {
      configMap: (_namespace, name) => (configMaps[name] ? configMap(name, configMaps[name]) : undefined),
      secret: (_namespace, name) => (secrets[name] ? secret(name, secrets[name]) : undefined),
      claim: (_namespace, name) => claims[name]?.[0],
      persistentVolume: (name) => Object.values(claims).find(([, volume]) => volume?.metadata.name === name)?.[1],
    },
    features,
    deployment: {
      name: "test",
      region: "eu-west-1",
      podLogGroup: "/test/pods",
      executionRoleArn: "arn:aws:iam::111122223333:role/execution",
      podRoleArn: undefined,
    },
    given,
  });
}

/** @throws when the Pod cannot be translated, with the reasons */
export function taskOf(pod: Pod, surroundings?: Surroundings): Extract<Translation, { type: "task" }> {
  const translation = translate(pod, surroundings);
  if (translation.type !== "task") throw new Error(JSON.stringify(translation));
  return translation;
}
