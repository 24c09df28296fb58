import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import middy from "@middy/core";
import { executionModeStreamifyResponse } from "@middy/core/executionModeStreamifyResponse";
import type { APIGatewayProxyEvent, Context } from "aws-lambda";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installAwsLambda } from "../../../local/gateway/awslambda.ts";
import { type Gateway, startGateway } from "../../../local/gateway/start-gateway.ts";
import { makeAuthority, makeServerCertificate } from "../../../local/tls/certificates.ts";
import { adminAuthorizer } from "../../../shared/auth/admin-authorizer.ts";
import { tokenAuthenticator } from "../../../shared/auth/token-authenticator.ts";
import { bootstrap } from "../../../shared/registry/bootstrap.ts";
import { inProcessClient } from "../../../shared/registry/client.ts";
import { createRegistry } from "../../../shared/registry/create-registry.ts";
import { systemClock as clock } from "../../../shared/runtime/clock.ts";
import { silentLog as log } from "../../../shared/runtime/log.ts";
import { createServer } from "../../../shared/server/create-server.ts";
import { answerEvent, type StreamingResult } from "../../../shared/server/lambda.ts";
import { memoryTable } from "../../../shared/store/memory-table.ts";
import { openStore } from "../../../shared/store/open-store.ts";
import { findKubectls, kubectl, requireKubectl } from "../../support/kubectl.ts";
import { sha256 } from "../../support/test-server.ts";

requireKubectl();
const found = findKubectls();
/** The oldest and the newest: what both can do, those between can. */
const versions = [...new Set([found.at(0), found.at(-1)])].filter((binary) => binary !== undefined);

/** What stands before the API's paths: nothing, a cluster, the stage of an API without a domain name of its own, or both. */
const places = ["", "/clusters/blue", "/k", "/k/clusters/blue"];

const aConfigMap = (value: string) =>
  JSON.stringify({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "default" }, data: { a: value } });
/** A definition of its own for each version: one with objects goes only when somebody has removed these. */
const definition = (group: string) =>
  JSON.stringify({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `crontabs.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { plural: "crontabs", singular: "crontab", kind: "CronTab", shortNames: ["ct"] },
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties: { every: { type: "string" } } } } },
          },
        },
      ],
    },
  });

const authority = await makeAuthority("gateway test", new Date());
const tls = await makeServerCertificate(authority, ["127.0.0.1"], new Date());

describe.skipIf(versions.length === 0)("kubectl through the gateway", { timeout: 60_000 }, () => {
  let gateway: Gateway;
  let folder: string;

  beforeAll(async () => {
    const store = openStore({ table: memoryTable(), clock, log });
    const registry = createRegistry({ store, clock, log });
    for (const cluster of ["default", "blue"]) {
      await store.createCluster(cluster);
      await bootstrap(inProcessClient(registry, { cluster, part: "bootstrap" }));
    }
    const server = createServer({
      registry,
      clock,
      log,
      authenticator: tokenAuthenticator([sha256("admin")]),
      authorizer: adminAuthorizer(),
      version: "0.0.0",
    });
    installAwsLambda();
    const handler = middy<APIGatewayProxyEvent, StreamingResult>({ executionMode: executionModeStreamifyResponse }).handler(
      (event: APIGatewayProxyEvent, context: Context) =>
        answerEvent(
          // API Gateway takes the stage off the path before the function sees it.
          { ...event, path: event.path.replace(/^\/k(?=\/)/, "") },
          () => context.getRemainingTimeInMillis(),
          (request, options) => server.fetch(request, options),
        ),
    );
    gateway = await startGateway({ handler, host: "127.0.0.1", port: 0, tls, log });
    folder = mkdtempSync(join(tmpdir(), "binnacle-gateway-"));
  });
  afterAll(async () => {
    await gateway.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const at = (binary: (typeof versions)[number], place: string) => {
    const name = join(folder, `${binary.minor}${place.replaceAll("/", "-")}`);
    writeFileSync(
      name,
      JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [
          {
            name: "c",
            cluster: {
              server: `https://127.0.0.1:${gateway.port}${place}`,
              "certificate-authority-data": Buffer.from(authority.cert).toString("base64"),
            },
          },
        ],
        users: [{ name: "u", user: { token: "admin" } }],
        contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
        "current-context": "c",
      }),
    );
    // A home of its own: kubectl keeps what it discovers there.
    return kubectl(binary, name, { HOME: `${name}-home` });
  };

  describe.each(versions)("version $minor", (binary) => {
    it.each(places)("trap 8: discovers, explains and applies at %j", async (place) => {
      const k = at(binary, place);
      expect(await k.ok("api-resources", "--api-group=apps", "-o", "name")).toContain("deployments.apps");
      expect(await k.ok("explain", "deployment.spec.strategy")).toContain("rollingUpdate\t<RollingUpdateDeployment>");
      await k.ok("delete", "configmap", "settings", "--ignore-not-found");
      for (const [value, said] of [
        ["one", "created"],
        ["one", "unchanged"],
        ["two", "configured"],
      ] as const)
        expect((await k.pipe(aConfigMap(value), "apply", "-f", "-")).stdout).toBe(`configmap/settings ${said}\n`);
      const dry = await k.pipe(aConfigMap("three"), "apply", "--dry-run=server", "-f", "-");
      expect(dry.stdout).toBe("configmap/settings configured (server dry run)\n");
      expect(await k.ok("get", "configmap", "settings", "-o", "jsonpath={.data.a}")).toBe("two");
      expect((await k.pipe(aConfigMap("four"), "apply", "--server-side", "--force-conflicts", "-f", "-")).stdout).toContain(
        "serverside-applied",
      );
    });

    it("trap 10: watches as a table", async () => {
      const k = at(binary, "/clusters/blue");
      await k.ok("delete", "configmap", "watched", "--ignore-not-found");
      await k.pipe(aConfigMap("any"), "apply", "-f", "-");
      const watching = k.start("get", "configmap", "--watch", "--output-watch-events");
      await watching.until(/^EVENT\s+NAME\s+DATA\s+AGE$/);
      await k.ok("create", "configmap", "watched", "--from-literal=a=b");
      await watching.until(/^ADDED\s+watched\s+1\s+\d+s$/);
      await k.ok("delete", "configmap", "watched");
      await watching.until(/^DELETED\s+watched/);
      await watching.stop();
    });

    it("trap 2: creates what it sends as protobuf, and asks what it may do", async () => {
      const k = at(binary, "");
      await k.ok("delete", "secret", "s", "--ignore-not-found");
      await k.ok("create", "secret", "generic", "s", "--from-literal=a=b");
      expect(await k.ok("auth", "can-i", "create", "pods")).toBe("yes\n");
      expect((await k("auth", "can-i", "create", "pods", "--as=bob", "--as-group=devs")).stdout).toBe("no\n");
    });

    it("meets a kind that came a moment ago", async () => {
      const k = at(binary, "/clusters/blue");
      const group = `v${binary.minor}.example.com`;
      expect((await k.pipe(definition(group), "create", "-f", "-")).stderr).toBe("");
      const object = JSON.stringify({ apiVersion: `${group}/v1`, kind: "CronTab", metadata: { name: "one" }, spec: { every: "1h" } });
      expect((await k.pipe(object, "apply", "-f", "-")).stdout).toBe(`crontab.${group}/one created\n`);
      expect(await k.ok("get", `crontabs.${group}`, "-o", "name")).toBe(`crontab.${group}/one\n`);
      expect(await k.ok("api-resources", `--api-group=${group}`, "-o", "name")).toBe(`crontabs.${group}\n`);
    });
  });
});
