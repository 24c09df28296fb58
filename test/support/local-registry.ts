/** The local account's Amazon ECR, listening, with clients for both of its protocols; and images to put into it. */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localAccount } from "../../local/account.ts";
import { distribution } from "../../local/ecr/distribution/serve.ts";
import { ecr } from "../../local/ecr/ecr.ts";
import { openRegistry } from "../../local/ecr/registry.ts";
import { registryUser } from "../../local/ecr/tokens.ts";
import { openRecords } from "../../local/state/records.ts";
import { startAwsServer } from "../../local/wire/server.ts";
import type { Clock } from "../../shared/runtime/clock.ts";
import { silentLog } from "../../shared/runtime/log.ts";
import { fakeClock } from "./fake-clock.ts";

export interface LocalRegistry {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly folder: string;
  readonly login: { readonly username: string; readonly password: string };
  /** Calls an operation of Amazon ECR. @returns its output, or `__type` and `message` of its exception */
  call(operation: string, input?: object): Promise<any>;
  /** Asks the registry, as somebody who has logged in. @param path after `/v2/` */
  ask(
    method: string,
    path: string,
    init?: { readonly headers?: Record<string, string>; readonly body?: Uint8Array | string },
  ): Promise<Response>;
  /** Puts a blob in one request. @returns its digest */
  putBlob(repository: string, content: Uint8Array | string): Promise<string>;
  /** With its configuration and layers. @returns its digest */
  putImage(repository: string, tag: string, image?: ImageGiven): Promise<string>;
  putManifest(repository: string, reference: string, manifest: object, mediaType?: string): Promise<Response>;
  /** Ends the process, as it were, and begins another on the same folder. */
  restart(): Promise<LocalRegistry>;
  stop(): Promise<void>;
}

export interface ImageGiven {
  readonly layers?: readonly (Uint8Array | string)[];
  /** Digest of what it refers to. */
  readonly subject?: string;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const ociImage = "application/vnd.oci.image.manifest.v1+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";
export const sha256 = (content: Uint8Array | string): string => `sha256:${createHash("sha256").update(content).digest("hex")}`;

export async function startLocalRegistry({
  clock = fakeClock(),
  folder = mkdtempSync(join(tmpdir(), "binnacle-registry-")),
}: {
  readonly clock?: Clock;
  readonly folder?: string;
} = {}): Promise<LocalRegistry> {
  const account = localAccount("us-east-1");
  const records = openRecords(join(folder, "aws.sqlite"));
  const registry = openRegistry({ records, account, clock, folder: join(folder, "images") });
  const url = (): string => server.url;
  const server = await startAwsServer({
    port: 0,
    services: [ecr({ registry, account, url })],
    streams: [distribution({ registry, url, log: silentLog })],
    log: silentLog,
  });
  const login = { username: registryUser, password: registry.tokens.issue().password };
  const authorization = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;

  const local: LocalRegistry = {
    url: server.url,
    host: new URL(server.url).host,
    folder,
    login,
    async call(operation, input = {}) {
      const headers = { "X-Amz-Target": `AmazonEC2ContainerRegistry_V20150921.${operation}`, "Content-Type": "application/x-amz-json-1.1" };
      return (await fetch(server.url, { method: "POST", headers, body: JSON.stringify(input) })).json();
    },
    ask: (method, path, { headers = {}, body } = {}) =>
      fetch(new URL(path.startsWith("/") ? path : `/v2/${path}`, server.url), {
        method,
        headers: { Authorization: authorization, ...headers },
        ...(body !== undefined && { body: body as string }),
      }),
    async putBlob(repository, content) {
      const digest = sha256(content);
      const { status } = await local.ask("POST", `${repository}/blobs/uploads/?digest=${digest}`, { body: content });
      if (status !== 201) throw new Error(`the blob was not taken: ${status}`);
      return digest;
    },
    async putImage(repository, tag, { layers = ["a layer"], subject, artifactType, annotations } = {}) {
      const describe = async (mediaType: string, content: Uint8Array | string) => ({
        mediaType,
        digest: await local.putBlob(repository, content),
        size: Buffer.byteLength(content),
      });
      const manifest = {
        schemaVersion: 2,
        mediaType: ociImage,
        ...(artifactType !== undefined && { artifactType }),
        config: await describe("application/vnd.oci.image.config.v1+json", "{}"),
        layers: await Promise.all(layers.map((layer) => describe("application/vnd.oci.image.layer.v1.tar", layer))),
        ...(subject !== undefined && { subject: { mediaType: ociImage, digest: subject, size: 1 } }),
        ...(annotations !== undefined && { annotations }),
      };
      const answer = await local.putManifest(repository, tag, manifest);
      if (answer.status !== 201) throw new Error(`the image was not taken: ${answer.status} ${await answer.text()}`);
      return answer.headers.get("docker-content-digest") ?? "";
    },
    putManifest: (repository, reference, manifest, mediaType = ociImage) =>
      local.ask("PUT", `${repository}/manifests/${reference}`, {
        headers: { "Content-Type": mediaType },
        body: JSON.stringify(manifest),
      }),
    async restart() {
      await server.stop();
      records.close();
      return startLocalRegistry({ clock, folder });
    },
    async stop() {
      await server.stop();
      records.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return local;
}
