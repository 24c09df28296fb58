import { describe, expect, it } from "vitest";
import { volumeFiles } from "../../shared/kubelet/volume-files.ts";
import type { FilledVolume, VolumeContent } from "../../shared/kubelet/volumes.ts";
import { aWorkPod } from "../support/nodes.ts";
import { meta } from "../support/workloads.ts";

const pod = aWorkPod({ nodeName: "node-1", metadata: { labels: { app: "web", tier: "front" } }, limits: { cpu: "250m" } });
const lookups = {
  configMap: async (_namespace: string, name: string) =>
    name === "settings"
      ? { apiVersion: "v1", kind: "ConfigMap", metadata: meta("settings"), data: { a: "1", b: "2" }, binaryData: { c: "AAE=" } }
      : undefined,
  secret: async (_namespace: string, name: string) =>
    name === "login" ? { apiVersion: "v1", kind: "Secret", metadata: meta("login"), data: { password: "aHVudGVyMg==" } } : undefined,
  token: async (_pod: unknown, { audience, expirationSeconds }: { audience: string | undefined; expirationSeconds: number }) =>
    `token for ${audience} for ${expirationSeconds}s`,
  allocatable: async () => ({ cpu: "2", memory: "8Gi" }),
};

const volume = (...contents: VolumeContent[]): FilledVolume => ({ name: "v", defaultMode: 0o644, contents });
const filesOf = async (...contents: VolumeContent[]) =>
  Object.fromEntries(
    (await volumeFiles(pod, volume(...contents), lookups)).map(({ path, content, mode }) => [
      path,
      [Buffer.from(content).toString("latin1"), mode],
    ]),
  );

describe("a volume's files", () => {
  it("are all keys of a ConfigMap, binary ones included", async () => {
    expect(await filesOf({ type: "configMap", name: "settings", optional: false })).toEqual({
      a: ["1", 0o644],
      b: ["2", 0o644],
      c: ["\u0000\u0001", 0o644],
    });
  });

  it("are the keys that are named, at their paths and modes", async () => {
    const items = [{ key: "password", path: "db/password", mode: 0o400 }];
    expect(await filesOf({ type: "secret", name: "login", items, optional: false })).toEqual({ "db/password": ["hunter2", 0o400] });
  });

  it("are facts of the Pod", async () => {
    const items = [
      { path: "labels", fieldPath: "metadata.labels" },
      { path: "cpu", resource: { containerName: "app", resource: "limits.cpu", divisor: "1m" } },
    ];
    expect(await filesOf({ type: "downwardAPI", items })).toEqual({ labels: ['app="web"\ntier="front"', 0o644], cpu: ["250", 0o644] });
  });

  it("of several sources lie in one folder; the later wins", async () => {
    const found = await filesOf(
      { type: "configMap", name: "settings", items: [{ key: "a", path: "x" }], optional: false },
      { type: "serviceAccountToken", path: "token", audience: "vault", expirationSeconds: 600 },
      { type: "configMap", name: "settings", items: [{ key: "b", path: "x" }], optional: false },
    );
    expect(found).toEqual({ x: ["2", 0o644], token: ["token for vault for 600s", 0o644] });
  });

  it.each<[string, VolumeContent, string]>([
    ["ConfigMap", { type: "configMap", name: "none", optional: false }, 'configmap "none" not found'],
    ["Secret", { type: "secret", name: "none", optional: false }, 'secret "none" not found'],
    [
      "key",
      { type: "configMap", name: "settings", items: [{ key: "x", path: "x" }], optional: false },
      "references non-existent config key: x",
    ],
  ])("wait for a %s that is missing", async (_what, content, message) => {
    await expect(filesOf(content)).rejects.toMatchObject({ name: "VolumeNotReadyError", message });
  });

  it("do without what is optional", async () => {
    expect(
      await filesOf(
        { type: "secret", name: "none", optional: true },
        { type: "configMap", name: "settings", items: [{ key: "x", path: "x" }], optional: true },
      ),
    ).toEqual({});
  });
});
