/** Helm 3 and 4 against a control plane: the life of a release of a chart with a kind of everything (`test/clients/helm-chart`). */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AppsV1Api, BatchV1Api, CoreV1Api, CustomObjectsApi, KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { type ControlPlane, startControlPlane } from "../support/control-plane.ts";
import { type Helm, helmIn } from "../support/helm.ts";
import { helm, requireProgram } from "../support/tools.ts";

const go = await requireProgram("go", ["version"], "Helm, which is built from its source");

const chart = join(import.meta.dirname, "../clients/helm-chart");
const release = "port";
/** Long enough for what succeeds; what fails waits all of it. */
const timeout = ["--timeout", "15s"];

interface Revision {
  readonly revision: number;
  readonly status: string;
  readonly description: string;
}

describe.skipIf(!go)("Helm", { timeout: 180_000 }, () => {
  let plane: ControlPlane;
  const config = new KubeConfig();
  const programs = new Map<number, string>();
  beforeAll(async () => {
    // The first build of all downloads and compiles both.
    for (const major of [3, 4] as const) programs.set(major, await helm(major));
    plane = await startControlPlane();
    config.loadFromFile(plane.kubeconfig);
  }, 900_000);
  afterAll(() => plane?.remove());

  const helmOf = (major: number) => helmIn(programs.get(major) ?? "", plane.kubeconfig, join(plane.data, `helm-${major}`));
  const api = () => config.makeApiClient(CoreV1Api);
  const historyOf = (program: Helm, namespace: string) => program.json<Revision[]>("history", release, "-n", namespace);
  const statuses = async (program: Helm, namespace: string) => (await historyOf(program, namespace)).map(({ status }) => status);

  describe.each([{ major: 3 }, { major: 4 }])("$major", ({ major }) => {
    const namespace = `sea-${major}`;
    let run: Helm;
    beforeAll(() => {
      run = helmOf(major);
    });
    const upgrade = (...args: string[]) => run("upgrade", release, chart, "-n", namespace, ...args);
    const image = async () =>
      (await config.makeApiClient(AppsV1Api).readNamespacedDeployment({ name: release, namespace })).spec?.template.spec?.containers[0]
        ?.image;
    const colour = async () => (await api().readNamespacedConfigMap({ name: release, namespace })).data?.["colour"];
    const password = async () => (await api().readNamespacedSecret({ name: release, namespace })).data?.["password"];
    const manifestObjects = async () => {
      const manifest = await run.ok("get", "manifest", release, "-n", namespace);
      const objects = parseAllDocuments(manifest).map((document) => document.toJS());
      return objects.map((object) => ({ ...object, metadata: { namespace, ...object.metadata } }));
    };

    it("installs everything, hooks and the chart's CustomResourceDefinition first, and waits until it is ready", async () => {
      const output = await run.ok("install", release, chart, "-n", namespace, "--create-namespace", "--wait", "--timeout", "90s");
      expect(output).toMatch(/^STATUS: deployed$/m);
      expect(output).toContain("port has 2 replicas in blue, revision 1.");
      const deployment = await config.makeApiClient(AppsV1Api).readNamespacedDeployment({ name: release, namespace });
      expect(deployment.status).toMatchObject({ replicas: 2, availableReplicas: 2 });
      const objects = await manifestObjects();
      const live = config.makeApiClient(KubernetesObjectApi);
      const kinds = await Promise.all(objects.map(async (object) => (await live.read(object)).kind));
      expect(new Set(kinds).size).toBe(21);
      const claims = await api().listNamespacedPersistentVolumeClaim({ namespace });
      expect(claims.items.map(({ status }) => status?.phase)).toEqual(["Bound", "Bound"]);
      const custom = config.makeApiClient(CustomObjectsApi);
      const berth = { group: "harbour.example.com", version: "v1", plural: "berths", namespace, name: release };
      expect(await custom.getNamespacedCustomObject(berth)).toMatchObject({ spec: { lengthMetres: 120, depthMetres: 5 } });
      // The pre-install Job was to go when it had succeeded; what it read was to stay.
      expect((await config.makeApiClient(BatchV1Api).listNamespacedJob({ namespace })).items).toEqual([]);
      expect((await api().readNamespacedConfigMap({ name: `${release}-survey`, namespace })).data).toEqual({ depth: "12" });
    });

    it("tells what is released", async () => {
      expect(await run.json("list", "-A", "--filter", `^${release}$`)).toContainEqual(
        expect.objectContaining({ name: release, namespace, revision: "1", status: "deployed", chart: "harbour-1.0.0" }),
      );
      expect(await run.json("status", release, "-n", namespace)).toMatchObject({ info: { status: "deployed" }, version: 1 });
      expect(await run.json("get", "values", release, "-n", namespace, "--all")).toMatchObject({ colour: "blue", replicas: 2 });
      expect(await run.ok("get", "hooks", release, "-n", namespace)).toMatch(/helm\.sh\/hook: pre-install/);
      expect(await run.ok("get", "notes", release, "-n", namespace)).toContain("in blue, revision 1.");
      // Tables of what it installed: an option in 3, always so in 4.
      const resources = await run.ok("status", release, "-n", namespace, ...(major === 3 ? ["--show-resources"] : []));
      expect(resources).toMatch(/port-log-0\s+1\/1\s+Running/);
    });

    it("asks the server about an installation without making anything", async () => {
      const rendered = await run.ok("install", release, chart, "-n", "default", "--dry-run=server");
      expect(rendered).toMatch(/kubernetes: \\?"v1\.36\./);
      expect(
        (await api().listNamespacedConfigMap({ namespace: "default", labelSelector: "app.kubernetes.io/name=harbour" })).items,
      ).toEqual([]);
    });

    it("upgrades, with hooks before and after, and finds what the cluster has", async () => {
      const before = await password();
      expect(await upgrade("--set", "colour=green", "--wait", "--wait-for-jobs", "--timeout", "90s")).toMatchObject({ code: 0 });
      expect(await colour()).toBe("green");
      expect(await password()).toBe(before);
      const jobs = (await config.makeApiClient(BatchV1Api).listNamespacedJob({ namespace })).items;
      expect(jobs.map(({ metadata, status }) => [metadata?.name, status?.succeeded])).toEqual([
        ["port-announce", 1],
        ["port-check", 1],
      ]);
      expect(jobs[0]?.metadata?.labels).toEqual({ announces: "2" });
      expect(await statuses(run, namespace)).toEqual(["superseded", "deployed"]);
    });

    it("goes back by itself when an upgrade does not become ready", async () => {
      const flag = major === 3 ? "--atomic" : "--rollback-on-failure";
      const { code, output } = await upgrade("--set", "colour=red,image=registry.invalid/harbour:2", flag, ...timeout);
      expect(code, output).toBe(1);
      expect(output).toMatch(/UPGRADE FAILED: release port failed, and has been rolled back/);
      expect(await statuses(run, namespace)).toEqual(["superseded", "superseded", "failed", "deployed"]);
      expect([await image(), await colour()]).toEqual(["registry.example/harbour:1", "green"]);
    });

    it("does not begin an upgrade whose check fails", async () => {
      const { code, output } = await upgrade("--set", "colour=black,checkCommand=exit 3", ...timeout);
      expect(code, output).toBe(1);
      expect(output).toMatch(/pre-upgrade hooks failed/);
      expect(await colour()).toBe("green");
      expect((await statuses(run, namespace)).at(-1)).toBe("failed");
    });

    it("passes on what the API says about a manifest", async () => {
      const { code, output } = await upgrade("--set", "replicas=-1", "--no-hooks", ...timeout);
      expect(code).toBe(1);
      expect(output).toContain('Deployment.apps "port" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0');
    });

    it("goes back to any revision", async () => {
      await run.ok("rollback", release, "1", "-n", namespace, "--wait", "--timeout", "90s");
      expect(await colour()).toBe("blue");
      expect((await historyOf(run, namespace)).at(-1)).toMatchObject({ status: "deployed", description: "Rollback to 1" });
    });

    it("runs the chart's tests and shows their logs", async () => {
      const output = await run.ok("test", release, "-n", namespace, "--logs");
      expect(output).toMatch(/^Phase:\s+Succeeded$/m);
      expect(output).toContain("POD LOGS: port-answers");
    });

    it("removes what it installed and nothing else", async () => {
      const objects = await manifestObjects();
      await run.ok("uninstall", release, "-n", namespace, "--wait", "--timeout", "90s");
      const live = config.makeApiClient(KubernetesObjectApi);
      const found = await Promise.allSettled(objects.map((object) => live.read(object)));
      expect(found.map(({ status }) => status)).toEqual(objects.map(() => "rejected"));
      expect(await run.json("list", "-n", namespace, ...(major === 3 ? ["--all"] : []))).toEqual([]);
      // The hook ran while everything was there; hooks, claims of StatefulSets and CustomResourceDefinitions are left to the user.
      const farewell = await config.makeApiClient(BatchV1Api).readNamespacedJob({ name: `${release}-farewell`, namespace });
      expect(farewell.status?.succeeded).toBe(1);
      const claims = (await api().listNamespacedPersistentVolumeClaim({ namespace })).items;
      expect(claims.map(({ metadata }) => metadata?.name)).toEqual([`data-${release}-log-0`]);
    });

    // The command line of one has nothing to do with the size; the other is let off with fewer.
    const revisions = major === 3 ? 10 : 3;
    it(`keeps ${revisions} revisions of almost a mebibyte each, and goes back to the oldest`, async () => {
      const heavy = writeHeavyChart(join(plane.data, `heavy-${major}`), 740_000);
      const within = `heavy-${major}`;
      await run.ok("install", release, heavy, "-n", within, "--create-namespace");
      for (let revision = 2; revision <= revisions; revision++)
        await run.ok("upgrade", release, heavy, "-n", within, "--set", `revision=${revision}`);
      const secrets = (await api().listNamespacedSecret({ namespace: within, labelSelector: "owner=helm" })).items;
      const sizes = secrets.map(({ data }) => Buffer.from(data?.["release"] ?? "", "base64").length);
      expect(sizes).toHaveLength(revisions);
      expect(Math.min(...sizes)).toBeGreaterThan(960 * 1024);
      await run.ok("rollback", release, "1", "-n", within);
      expect((await statuses(run, within)).at(-1)).toBe("deployed");
      expect((await api().readNamespacedConfigMap({ name: release, namespace: within })).data).toEqual({ revision: "1" });
    });

    it("is told that a release is too large for a Secret", async () => {
      const { code, output } = await run("install", "galleon", writeHeavyChart(join(plane.data, `heavier-${major}`), 800_000));
      expect(code).toBe(1);
      expect(output).toMatch(/is invalid: data: Too long: may not be more than 1048576 bytes/);
    });
  });

  it("4 takes over what 3 installed, and its server-side apply finds no conflict with it", async () => {
    const namespace = "inherited";
    await helmOf(3).ok("install", release, chart, "-n", namespace, "--create-namespace", "--no-hooks");
    const run = helmOf(4);
    const upgrade = (...args: string[]) => run("upgrade", release, chart, "-n", namespace, "--no-hooks", ...args);
    expect(await upgrade("--set", "colour=red", "--server-side=true")).toMatchObject({ code: 0 });
    const deployment = await config.makeApiClient(AppsV1Api).readNamespacedDeployment({ name: release, namespace });
    const managers = deployment.metadata?.managedFields?.filter(({ manager }) => manager === "helm");
    expect(managers?.map(({ operation }) => operation)).toEqual(["Apply"]);
    // Somebody else's field is left alone, until it is to be another.
    const scale = config.makeApiClient(AppsV1Api);
    await scale.patchNamespacedDeploymentScale({
      name: release,
      namespace,
      body: [{ op: "replace", path: "/spec/replicas", value: 1 }],
      fieldManager: "someone",
    });
    const refused = await upgrade("--set", "replicas=3");
    expect(refused.code).toBe(1);
    expect(refused.output).toMatch(
      /Apply failed with 1 conflict: conflict with "someone" with subresource "scale" using .*: \.spec\.replicas/,
    );
    expect(await upgrade("--set", "replicas=3", "--force-conflicts")).toMatchObject({ code: 0 });
  });
});

/** A chart of one ConfigMap, with a file that does not compress: every revision of a release carries the whole chart. */
function writeHeavyChart(folder: string, bytes: number): string {
  mkdirSync(join(folder, "templates"), { recursive: true });
  mkdirSync(join(folder, "files"));
  writeFileSync(join(folder, "Chart.yaml"), "apiVersion: v2\nname: heavy\nversion: 1.0.0\n");
  writeFileSync(join(folder, "values.yaml"), "revision: 1\n");
  const configMap = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {revision: "{{ .Values.revision }}"}\n';
  writeFileSync(join(folder, "templates/revision.yaml"), configMap);
  writeFileSync(join(folder, "files/noise"), randomBytes(bytes));
  return folder;
}
