import { describe, expect, it } from "vitest";
import { secrets, serviceAccounts } from "../../../shared/api/kinds.ts";
import { serviceAccountTokensController } from "../../../shared/controllers/service-account-tokens/controller.ts";
import { registryCluster } from "../../support/registry-cluster.ts";

const key = { namespace: "default", name: "robot-token" };
const account = { namespace: "default", name: "robot" };

const world = (ca = "PEM") => {
  let issued = 0;
  return registryCluster(() => [
    serviceAccountTokensController({ clusterCa: ca, issue: async ({ metadata }, name) => `${metadata.name}/${name}/${++issued}` }),
  ]);
};

const aSecret = (more: object = {}) => ({
  metadata: { ...key, annotations: { "kubernetes.io/service-account.name": "robot", ...more } },
  type: "kubernetes.io/service-account-token",
});

const text = (value: string | undefined) => Buffer.from(value ?? "", "base64").toString();

describe("a Secret of type kubernetes.io/service-account-token", () => {
  it("is filled with a token, the authority and the namespace", async () => {
    const here = await world();
    const robot = await here.client.create(serviceAccounts, { metadata: account });
    await here.client.create(secrets, aSecret());
    await here.reconcile();
    const secret = await here.client.get(secrets, key);
    expect(secret?.metadata.annotations).toEqual({
      "kubernetes.io/service-account.name": "robot",
      "kubernetes.io/service-account.uid": robot.metadata.uid,
    });
    expect(Object.fromEntries(Object.entries(secret?.data ?? {}).map(([name, value]) => [name, text(value)]))).toEqual({
      "ca.crt": "PEM",
      namespace: "default",
      token: "robot/robot-token/1",
    });
  });

  it("keeps the token that it has, and gets back what was taken out", async () => {
    const here = await world();
    await here.client.create(serviceAccounts, { metadata: account });
    await here.client.create(secrets, aSecret());
    await here.reconcile();
    const before = await here.client.get(secrets, key);
    await here.reconcile({ sweep: true });
    expect(await here.client.get(secrets, key)).toEqual(before);
    await here.client.modify(secrets, key, (secret) => ({ ...secret, data: { token: secret.data?.token ?? "" } }));
    await here.reconcile();
    expect((await here.client.get(secrets, key))?.data).toEqual(before?.data);
  });

  it("is deleted where its account is not there, or is another one", async () => {
    const here = await world();
    await here.client.create(secrets, aSecret());
    await here.reconcile();
    expect(await here.client.get(secrets, key)).toBeUndefined();
    await here.client.create(serviceAccounts, { metadata: account });
    await here.client.create(secrets, aSecret({ "kubernetes.io/service-account.uid": "of-an-earlier-one" }));
    await here.reconcile();
    expect(await here.client.get(secrets, key)).toBeUndefined();
  });

  it("goes with its account", async () => {
    const here = await world();
    await here.client.create(serviceAccounts, { metadata: account });
    await here.client.create(secrets, aSecret());
    await here.reconcile();
    await here.client.delete(serviceAccounts, account);
    await here.reconcile();
    expect(await here.client.get(secrets, key)).toBeUndefined();
  });

  it("is mentioned by its account no longer when it is gone", async () => {
    const here = await world();
    await here.client.create(serviceAccounts, { metadata: account, secrets: [{ name: "robot-token" }, { name: "other" }] });
    await here.client.create(secrets, aSecret());
    await here.reconcile();
    await here.client.delete(secrets, key);
    await here.reconcile();
    expect((await here.client.get(serviceAccounts, account))?.secrets).toEqual([{ name: "other" }]);
  });

  it("other Secrets are left alone", async () => {
    const here = await world();
    const other = await here.client.create(secrets, {
      metadata: { ...key, annotations: { "kubernetes.io/service-account.name": "robot" } },
    });
    await here.reconcile();
    expect(await here.client.get(secrets, key)).toEqual(other);
  });
});
