/** Bad input to a control plane that runs, with a real kubectl: each is refused with a Status that says what is wrong, and changes nothing. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlane } from "../../support/control-plane.ts";
import { type Kubectl, kubectl, type Ran, requireKubectl, typicalKubectls } from "../../support/kubectl.ts";
import { configMap } from "../../support/shop.ts";

const binary = requireKubectl();

/** A Pod of about that many bytes, in variables of a size that no other limit minds. */
const podOf = (bytes: number, name: string): string => {
  const each = 10_000;
  const env = Array.from({ length: Math.floor(bytes / each) }, (_, index) => ({ name: `V${index}`, value: "x".repeat(each) }));
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    // Nothing is to run it.
    spec: { nodeSelector: { nobody: "has-this" }, containers: [{ name: "a", image: "registry.example/a:1", env }] },
  });
};

const mebibyte = 1 << 20;

describe.skipIf(!binary)("with kubectl", { timeout: 120_000 }, () => {
  let plane: ControlPlane;
  let k: Kubectl;
  beforeAll(async () => {
    plane = await startControlPlane("--nodes", "1");
    if (binary) k = kubectl(binary, plane.kubeconfig);
    await k.apply(configMap("kept", "state: before"));
  }, 90_000);
  afterAll(() => plane?.remove(), 60_000);

  const expectRefusal = ({ code, stderr }: Ran, words: RegExp) => {
    expect(stderr).toMatch(words);
    expect(code).toBe(1);
  };
  const isThere = async (what: string) => (await k.ok("get", what, "--ignore-not-found", "-o", "name")) !== "";

  describe("a document", () => {
    it.each([
      [
        "YAML with a wrong indent",
        "apiVersion: v1\nkind: ConfigMap\n  metadata: {name: bad}\n",
        /error converting YAML to JSON: yaml: line 3/,
      ],
      ["YAML with a tab", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n\tname: bad\n", /found character that cannot start any token/],
      ["JSON that ends too soon", '{"apiVersion":"v1","kind":"ConfigMap",', /unexpected EOF|unexpected end of JSON/],
      ["without a kind", "apiVersion: v1\nmetadata: {name: bad}\n", /'Kind' is missing|kind not set/],
      ["of a kind that nobody serves", "apiVersion: v9\nkind: Bad\nmetadata: {name: bad}\n", /no matches for kind "Bad" in version "v9"/],
      [
        "with a value of another type",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bad}\ndata: {a: 1}\n",
        /json: cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
      ],
    ])("%s is refused", async (_name, document, words) => {
      expectRefusal(await k.pipe(document, "apply", "-f", "-"), words);
      expect(await isThere("configmap/bad")).toBe(false);
    });

    it("that is bad spares those before and after it", async () => {
      const { code, stdout, stderr } = await k.pipe(
        `${configMap("good-1")}apiVersion: v1\nkind: Nothing\nmetadata: {name: bad}\n---\n${configMap("good-2")}`,
        "apply",
        "-f",
        "-",
      );
      expect(code).toBe(1);
      expect(stdout).toBe("configmap/good-1 created\nconfigmap/good-2 created\n");
      expect(stderr).toContain('no matches for kind "Nothing"');
    });

    it.each(["json", "yaml", "vnd.kubernetes.protobuf"])("that never was %s is refused by the server too", async (type) => {
      const raw = JSON.parse(await k.ok("config", "view", "--raw", "-o", "json"));
      const { status, body } = await post(plane, raw.users[0].user.token, `application/${type}`, '{"apiVersion":"v1","kind":');
      expect(status).toBe(400);
      expect(body).toMatchObject({
        kind: "Status",
        status: "Failure",
        reason: "BadRequest",
        code: 400,
        message: expect.stringContaining("the object provided is unrecognized (must be of type ConfigMap)"),
      });
    });
  });

  describe.each(typicalKubectls())("an unknown field, with kubectl $minor", (version) => {
    const typo = (name: string) => `
apiVersion: v1
kind: Pod
metadata: {name: ${name}}
spec: {restartPolicyy: Never, nodeSelector: {nobody: has-this}, containers: [{name: a, image: "registry.example/a:1", imagee: b}]}
`;
    const name = `typo-${version.minor.replace(".", "-")}`;
    let own: Kubectl;
    beforeAll(() => {
      own = kubectl(version, plane.kubeconfig);
    });

    it.each([["apply"], ["create"]])("is refused by %s with its path", async (command) => {
      expectRefusal(
        await own.pipe(typo(name), command, "-f", "-"),
        /strict decoding error: unknown field "spec\.containers\[0\]\.imagee", unknown field "spec\.restartPolicyy"/,
      );
      expect(await isThere(`pod/${name}`)).toBe(false);
    });

    it("is refused in a change, which changes nothing", async () => {
      const change = `${configMap("kept", "state: after").replace("---", "")}dataa: {a: b}\n`;
      expectRefusal(await own.pipe(change, "apply", "-f", "-"), /unknown field "dataa"/);
      expect(await k.read("configmap kept", "{.metadata.labels.state}")).toBe("before");
    });

    it("is warned of or left out where the user says so", async () => {
      const warned = await own.pipe(typo(name), "create", "--validate=warn", "-f", "-");
      expect(warned).toMatchObject({ code: 0, stdout: `pod/${name} created\n` });
      expect(warned.stderr).toMatch(/^Warning: unknown field "spec\.containers\[0\]\.imagee"$/m);
      expect(await own.pipe(typo(`${name}-silent`), "create", "--validate=ignore", "-f", "-")).toMatchObject({ code: 0, stderr: "" });
      expect(await k.read(`pod ${name}-silent`, "{.spec.containers[0]}")).not.toContain("imagee");
    });
  });

  describe("what is too large", () => {
    it("is stored whole up to 1.5 MiB", async () => {
      expect(await k.pipe(podOf(1.4 * mebibyte, "large"), "create", "-f", "-")).toMatchObject({ code: 0, stdout: "pod/large created\n" });
      const { spec } = JSON.parse(await k.ok("get", "pod", "large", "-o", "json"));
      expect(spec.containers[0].env).toEqual(JSON.parse(podOf(1.4 * mebibyte, "large")).spec.containers[0].env);
    });

    it("is refused beyond, as an object", async () => {
      expectRefusal(
        await k.pipe(podOf(1.6 * mebibyte, "larger"), "create", "-f", "-"),
        /\(RequestEntityTooLarge\).*object of \d+ bytes is larger than 1572864/,
      );
      expect(await isThere("pod/larger")).toBe(false);
    });

    it("is refused as a body of more than 3 MiB", async () => {
      expectRefusal(await k.pipe(podOf(3.2 * mebibyte, "largest"), "create", "-f", "-"), /\(RequestEntityTooLarge\).*limit is 3145728/);
      expect(await isThere("pod/largest")).toBe(false);
    });

    it("is refused where a kind has a limit of its own", async () => {
      const data = `${configMap("wide").replace("---", "")}data: {a: ${"x".repeat(1.1 * mebibyte)}}\n`;
      const words = 'The ConfigMap "wide" is invalid: []: Too long: may not be more than 1048576 bytes';
      expect(await k.pipe(data, "create", "-f", "-")).toMatchObject({ code: 1, stderr: expect.stringContaining(words) });
      // Client-side apply keeps the manifest in an annotation.
      const manifest = `${configMap("kept", "state: after").replace("---", "")}data: {a: ${"x".repeat(0.3 * mebibyte)}}\n`;
      expectRefusal(await k.pipe(manifest, "apply", "-f", "-"), /metadata\.annotations: Too long: may not be more than 262144 bytes/);
      expect(await k.read("configmap kept", "{.metadata.labels.state}")).toBe("before");
    });

    it("keeps nobody else from being served, and is no trouble of the server's own", async () => {
      expect(await k.apply(configMap("next"))).toBe("configmap/next created\n");
      expect(plane.output()).not.toContain("request failed");
    });
  });
});

/** A request that kubectl would not send. */
async function post(
  plane: ControlPlane,
  token: string,
  type: string,
  body: string,
): Promise<{ readonly status: number | undefined; readonly body: unknown }> {
  const url = `https://127.0.0.1:${plane.port}/api/v1/namespaces/default/configmaps`;
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": type };
  const ca = readFileSync(join(plane.data, "ca.crt"));
  return new Promise((resolve, reject) => {
    const asking = request(url, { method: "POST", headers, ca, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
    });
    asking.on("error", reject);
    asking.end(body);
  });
}
