import { describe, expect, it } from "vitest";
import type { Client } from "../../shared/api/client.ts";
import type { Pod } from "../../shared/api/generated/types.ts";
import { apiVariables } from "../../shared/kubelet/api-variables.ts";
import { podTokens } from "../../shared/kubelet/pod-tokens.ts";
import { VolumeNotReadyError } from "../../shared/kubelet/volumes.ts";
import { fakeClock } from "../support/fake-clock.ts";

const minute = 60_000;

function world() {
  const clock = fakeClock();
  const asked: unknown[] = [];
  const state = { down: false };
  const client = {
    async createSubresource(_kind: unknown, key: unknown, subresource: string, body: { spec: { expirationSeconds: number } }) {
      if (state.down) throw new Error("nobody answers");
      asked.push({ key, subresource, body });
      const expirationTimestamp = new Date(clock.now().getTime() + body.spec.expirationSeconds * 1000).toISOString();
      return { status: { token: `token-${asked.length}`, expirationTimestamp } };
    },
  } as unknown as Client;
  const token = podTokens({ client: () => client, clock });
  return { clock, asked, state, token };
}

const pod = { metadata: { namespace: "ns", name: "p", uid: "u1" }, spec: { serviceAccountName: "robot" } } as Pod;
const request = { cluster: "default", pod, audience: undefined, expirationSeconds: 3600 };

describe("tokens in Pods", () => {
  it("are bound to their Pod", async () => {
    const { asked, token } = world();
    await token({ ...request, audience: "vault" });
    expect(asked).toEqual([
      {
        key: { namespace: "ns", name: "robot" },
        subresource: "token",
        body: {
          apiVersion: "authentication.k8s.io/v1",
          kind: "TokenRequest",
          spec: { audiences: ["vault"], expirationSeconds: 3600, boundObjectRef: { apiVersion: "v1", kind: "Pod", name: "p", uid: "u1" } },
        },
      },
    ]);
  });

  it("stay the same until four fifths of their life are over", async () => {
    const { clock, token } = world();
    expect(await token(request)).toBe("token-1");
    await clock.advance(47 * minute);
    expect(await token(request)).toBe("token-1");
    await clock.advance(minute);
    expect(await token(request)).toBe("token-2");
  });

  it("are replaced after a day at the latest", async () => {
    const { clock, token } = world();
    const week = { ...request, expirationSeconds: 7 * 24 * 3600 };
    await token(week);
    await clock.advance(24 * 60 * minute - 1);
    expect(await token(week)).toBe("token-1");
    await clock.advance(1);
    expect(await token(week)).toBe("token-2");
  });

  it("of different Pods, audiences and times are different", async () => {
    const { token } = world();
    const other = { ...pod, metadata: { ...pod.metadata, uid: "u2" } };
    const tokens = [
      await token(request),
      await token({ ...request, pod: other }),
      await token({ ...request, audience: "vault" }),
      await token({ ...request, expirationSeconds: 600 }),
    ];
    expect(new Set(tokens).size).toBe(4);
  });

  it("one that is due is used on while no new one can be had, but not beyond its end", async () => {
    const { clock, state, token } = world();
    await token(request);
    state.down = true;
    await clock.advance(59 * minute);
    expect(await token(request)).toBe("token-1");
    await clock.advance(minute);
    await expect(token(request)).rejects.toThrow(new VolumeNotReadyError("failed to fetch token: nobody answers"));
  });
});

describe("the variables that lead containers to the API", () => {
  it("are those of the Service kubernetes", () => {
    expect(apiVariables("172.18.0.1:6443")).toEqual({
      KUBERNETES_SERVICE_HOST: "172.18.0.1",
      KUBERNETES_SERVICE_PORT: "6443",
      KUBERNETES_SERVICE_PORT_HTTPS: "6443",
      KUBERNETES_PORT: "tcp://172.18.0.1:6443",
      KUBERNETES_PORT_6443_TCP: "tcp://172.18.0.1:6443",
      KUBERNETES_PORT_6443_TCP_ADDR: "172.18.0.1",
      KUBERNETES_PORT_6443_TCP_PORT: "6443",
      KUBERNETES_PORT_6443_TCP_PROTO: "tcp",
    });
  });

  it("take an IPv6 address out of its brackets, as client-go puts it back", () => {
    expect(apiVariables("[fd00::1]:443")).toMatchObject({ KUBERNETES_SERVICE_HOST: "fd00::1", KUBERNETES_PORT: "tcp://[fd00::1]:443" });
  });

  it("refuse what is no address", () => {
    expect(() => apiVariables("172.18.0.1")).toThrow('"172.18.0.1" is not HOST:PORT');
  });
});
