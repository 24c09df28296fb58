/** Programs in containers find the API and say who they are, by what client-go's in-cluster configuration reads. */
import { request } from "node:https";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlPlane, startControlPlaneWith } from "../support/control-plane.ts";
import { type Kubectl, kubectl, requireKubectl } from "../support/kubectl.ts";
import { canRunPodman, podmanStartMs, startPodman, type TestEngine } from "../support/podman.ts";

const binary = requireKubectl();
const possible = canRunPodman();
const minuteMs = 60_000;

describe.skipIf(!binary || !possible)("ServiceAccounts in containers of podman", { timeout: 2 * minuteMs }, () => {
  let engine: TestEngine;
  let plane: ControlPlane;
  let k: Kubectl;

  beforeAll(async () => {
    engine = await startPodman();
    plane = await startControlPlaneWith({ DOCKER_HOST: engine.dockerHost }, "--engine", "docker");
    if (binary) k = kubectl(binary, plane.kubeconfig);
  }, podmanStartMs);
  afterAll(async () => {
    await plane?.remove();
  }, minuteMs);

  const folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  const pod = () => `
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: ${engine.image}
    imagePullPolicy: IfNotPresent
    command:
    - sh
    - -c
    - |
      echo "$KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT"
      base64 ${folder}/ca.crt | tr -d '\\n'; echo
      cat ${folder}/namespace; echo
      cat ${folder}/token; echo
      exec sleep 1000
`;

  interface Found {
    readonly host: string;
    readonly port: string;
    readonly ca: string;
    readonly namespace: string;
    readonly token: string;
  }

  async function found(): Promise<Found> {
    const [address = "", ca = "", namespace = "", token = ""] = (await k.ok("logs", "client")).split("\n");
    const [host = "", port = ""] = address.split(" ");
    return { host, port, ca: Buffer.from(ca, "base64").toString(), namespace, token };
  }

  /** Asked from here: the engine's network may stand in a namespace of its own. */
  const whoAmI = ({ ca, token }: Found): Promise<{ status: number | undefined; body: any }> =>
    new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
      const asking = request({ host: "127.0.0.1", port: plane.port, ca, path, method: "POST", headers, agent: false }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body: JSON.parse(body) }), reject);
      });
      asking.once("error", reject);
      asking.end("{}");
    });

  it("they are who their Pod runs as, where and with what the container was told, until the Pod is gone", async () => {
    expect(await k.pipe(pod(), "apply", "-f", "-")).toMatchObject({ code: 0 });
    await k.ok("wait", "--for=condition=Ready", "pod/client", "--timeout=60s");
    await expect.poll(async () => (await found()).token, { timeout: 20_000 }).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const seen = await found();
    expect(seen).toMatchObject({ host: expect.stringMatching(/^10\.\d+\.0\.1$/), port: String(plane.port), namespace: "default" });
    const { status, body } = await whoAmI(seen);
    expect(status).toBe(201);
    expect(body.status.userInfo).toMatchObject({
      username: "system:serviceaccount:default:default",
      extra: { "authentication.kubernetes.io/pod-name": ["client"] },
    });
    await k.ok("delete", "pod", "client", "--timeout=60s");
    expect((await whoAmI(seen)).status).toBe(401);
  });
});
