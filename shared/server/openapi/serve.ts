/** Serves the OpenAPI documents, each made when it is first asked for and kept in compressed form. */
import { createHash } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Kind } from "../../api/kind.ts";
import type { Catalog } from "../../registry/registry.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type ApiGroup, apiGroups } from "../discovery/documents.ts";
import { matchesTag } from "../discovery/serve.ts";
import { acceptsGzip } from "../encode.ts";
import { json, notAcceptable, parseAccept } from "../media-types.ts";
import { documentPath, documentV2, documentV3, pathsOfServer, serverDocumentV3 } from "./documents.ts";
import { encodeGnostic } from "./gnostic.ts";
import type { ServerPath } from "./operations.ts";

export interface OpenApi {
  /**
   * @param path decoded, without the cluster's prefix
   * @returns undefined when there is no such document
   * @throws {StatusError} NotAcceptable
   */
  response(path: string, catalog: Catalog, request: Request, query: URLSearchParams): Promise<Response | undefined>;
}

const gnosticTypes = [
  "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
  "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
];
const gnosticType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
const oneYearMs = 365 * 24 * 3600 * 1000;
/** Clusters with custom resources of their own have documents of their own. */
const keptPerDocument = 4;

/** A document as bytes. */
interface Encoded {
  readonly gzipped: Buffer;
  /** SHA-512 of the content, hexadecimal. */
  readonly hash: string;
}

const versionsOf = (catalog: Catalog) =>
  apiGroups(catalog.all()).flatMap(({ name, versions }: ApiGroup) =>
    versions.map(({ version, kinds }) => ({ group: name, version, kinds })),
  );

/** @param openId whether the server tells what verifying its tokens takes */
export function createOpenApi({ clock, openId }: { readonly clock: Clock; readonly openId: boolean }): OpenApi {
  const v3 = memo((group: string, version: string, kinds: readonly Kind[]) => encoded(JSON.stringify(documentV3(group, version, kinds))));
  const v2Json = memo((_format: string, _all: string, kinds: readonly Kind[]) =>
    encoded(JSON.stringify(documentV2(apiGroups(kinds), { openId }))),
  );
  const v2Protobuf = memo((_format: string, _all: string, kinds: readonly Kind[]) =>
    encoded(encodeGnostic(documentV2(apiGroups(kinds), { openId }))),
  );

  /** Always the same, and no more of them than there are built-in groups. */
  const ofServer = new Map<string, Encoded>();
  function serverDocument(path: ServerPath): Encoded {
    const known = ofServer.get(path.document);
    if (known) return known;
    const made = encoded(JSON.stringify(serverDocumentV3(path)));
    ofServer.set(path.document, made);
    return made;
  }

  /** Every document of a cluster: its path below `/openapi/v3`, and what makes it. */
  const documents = (catalog: Catalog): { readonly path: string; readonly content: () => Encoded }[] => [
    ...pathsOfServer(apiGroups(catalog.all()), { openId }).map((path) => ({ path: path.document, content: () => serverDocument(path) })),
    ...versionsOf(catalog).map(({ group, version, kinds }) => ({
      path: documentPath(group, version),
      content: () => v3(group, version, kinds),
    })),
  ];

  /** URLs are rooted at `/openapi/v3` whatever stands before it: clients keep their own prefix only then. */
  function index(catalog: Catalog): Encoded {
    const paths = documents(catalog).map(
      ({ path, content }) => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${content().hash}` }] as const,
    );
    return encoded(JSON.stringify({ paths: Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1))) }));
  }

  function one(catalog: Catalog, path: string, request: Request, query: URLSearchParams): Response | undefined {
    const document = documents(catalog)
      .find((candidate) => candidate.path === path)
      ?.content();
    if (!document) return undefined;
    const asked = query.get("hash");
    if (asked === null) return send(document, json, request);
    // Relative to what the client asked for, so that a cluster's path and a stage before it stay.
    if (asked !== document.hash)
      return new Response(null, { status: 301, headers: { location: `?hash=${document.hash}`, "cache-control": "no-cache, private" } });
    return send(document, json, request, {
      vary: "Accept",
      "cache-control": "private, immutable",
      expires: new Date(clock.now().getTime() + oneYearMs).toUTCString(),
    });
  }

  return {
    async response(path, catalog, request, query) {
      if (path === "/openapi/v3") return send(index(catalog), acceptable(request, [json]), request);
      const wanted = /^\/openapi\/v3\/(.+)$/.exec(path)?.[1];
      if (wanted !== undefined) {
        acceptable(request, [json]);
        return one(catalog, wanted, request, query);
      }
      if (path !== "/openapi/v2") return undefined;
      const type = acceptable(request, [json, ...gnosticTypes]);
      if (type === json) return send(v2Json("json", "", catalog.all()), json, request, { vary: "Accept" });
      return send(v2Protobuf("protobuf", "", catalog.all()), gnosticType, request, { vary: "Accept" });
    },
  };
}

/**
 * Keeps what was made of the same kinds. A kind that changed is another object, and built-in ones never change, so comparing them one by
 * one is exact and cheap.
 */
function memo(make: (group: string, version: string, kinds: readonly Kind[]) => Encoded) {
  const kept = new Map<string, { readonly kinds: readonly Kind[]; readonly value: Encoded }[]>();
  return (group: string, version: string, kinds: readonly Kind[]): Encoded => {
    const key = `${group}/${version}`;
    const entries = kept.get(key) ?? [];
    const known = entries.find((entry) => entry.kinds.length === kinds.length && entry.kinds.every((kind, index) => kind === kinds[index]));
    if (known) return known.value;
    const value = make(group, version, kinds);
    kept.set(key, [{ kinds: [...kinds], value }, ...entries].slice(0, keptPerDocument));
    return value;
  };
}

const encoded = (content: string | Uint8Array): Encoded => ({
  gzipped: gzipSync(content),
  hash: createHash("sha512").update(content).digest("hex").toUpperCase(),
});

/** The first of the offered types that the client takes, in the client's order. */
function acceptable(request: Request, offered: readonly string[]): string {
  const accept = request.headers.get("accept") ?? "";
  if (accept.trim() === "") return offered[0] ?? json;
  for (const { type, quality } of parseAccept(accept)) {
    if (quality === 0) continue;
    if (type === "*/*" || type === "application/*") return offered[0] ?? json;
    if (offered.includes(type)) return type;
  }
  throw notAcceptable(offered);
}

function send({ gzipped, hash }: Encoded, contentType: string, request: Request, more: Readonly<Record<string, string>> = {}): Response {
  const etag = `"${hash}"`;
  if (matchesTag(request.headers.get("if-none-match"), etag)) {
    return new Response(null, { status: 304, headers: { etag, "content-type": contentType, ...more } });
  }
  const compress = acceptsGzip(request.headers);
  const vary = [more.vary, "Accept-Encoding"].filter((name) => name !== undefined).join(", ");
  return new Response(compress ? new Uint8Array(gzipped) : new Uint8Array(gunzipSync(gzipped)), {
    headers: { ...more, "content-type": contentType, etag, vary, ...(compress && { "content-encoding": "gzip" }) },
  });
}
