/** Serves discovery: `/api`, `/apis` and what is below them, alone or aggregated. */
import { createHash } from "node:crypto";
import type { Catalog } from "../../registry/registry.ts";
import { bytesResponse, objectResponse, writing } from "../encode.ts";
import { pageNotFound, resourceNotFound } from "../errors.ts";
import { json, negotiate, parseAccept, protobuf, yaml } from "../media-types.ts";
import { type ApiGroup, aggregated, apiGroups, coreVersions, type Document, groupDocument, groupList, resourceList } from "./documents.ts";

type AggregatedVersion = "v2" | "v2beta1";

/** Documents of one state of a cluster's catalog, each made when it is first asked for. */
interface Documents {
  readonly groups: readonly ApiGroup[];
  readonly aggregated: Map<string, { readonly body: Buffer; readonly etag: string }>;
}

const documentsByVersion = new WeakMap<Catalog, Documents>();

function documentsOf(catalog: Catalog): Documents {
  const known = documentsByVersion.get(catalog);
  if (known) return known;
  const documents: Documents = { groups: apiGroups(catalog.all()), aggregated: new Map() };
  documentsByVersion.set(catalog, documents);
  return documents;
}

/**
 * @param path decoded, without the cluster's prefix
 * @param serverAddress `HOST:PORT` as clients reach it
 * @returns undefined when the path is none of discovery's
 */
export async function discoveryResponse(
  path: string,
  catalog: Catalog,
  request: Request,
  query: URLSearchParams,
  serverAddress: string,
): Promise<Response | undefined> {
  const [root, ...rest] = path.split("/").slice(1);
  if (root !== "api" && root !== "apis") return undefined;
  const [groupName, version, more] = root === "api" ? ["", rest[0], rest[1]] : rest;
  if (more !== undefined) return undefined;
  const documents = documentsOf(catalog);

  if (rest.length === 0) {
    const groups = documents.groups.filter(({ name }) => (root === "api") === (name === ""));
    const wanted = aggregatedVersion(request);
    const response = wanted
      ? aggregatedResponse(documents, groups, root, wanted, request, query)
      : await plainResponse(root === "api" ? coreVersions(serverAddress) : groupList(groups), request, query);
    response.headers.append("vary", "Accept");
    return response;
  }
  const group = documents.groups.find(({ name }) => name === groupName);
  if (!group) return root === "api" ? undefined : pageNotFound();
  if (version === undefined) return plainResponse(groupDocument(group), request, query);
  const found = group.versions.find((one) => one.version === version);
  if (found) return plainResponse(resourceList(group.name, found), request, query);
  if (group.versions.some(({ kinds }) => kinds.some(({ custom }) => !custom))) throw resourceNotFound();
  return pageNotFound();
}

const plainResponse = (document: Document, request: Request, query: URLSearchParams): Promise<Response> => {
  const { mediaType } = negotiate(request.headers.get("accept") ?? "", { mediaTypes: [json, yaml, protobuf] });
  return objectResponse(document, 200, writing(request, query, mediaType), `io.k8s.apimachinery.pkg.apis.meta.v1.${document.kind}`);
};

/** The version of the aggregated document that the client prefers to the plain one. */
function aggregatedVersion(request: Request): AggregatedVersion | undefined {
  for (const { type, parameters, quality } of parseAccept(request.headers.get("accept") ?? "")) {
    if (quality === 0 || (type !== json && type !== "*/*" && type !== "application/*")) continue;
    const { g, v, as } = parameters;
    if (g === undefined && v === undefined && as === undefined) return undefined;
    if (g === "apidiscovery.k8s.io" && as === "APIGroupDiscoveryList" && (v === "v2" || v === "v2beta1")) return v;
  }
  return undefined;
}

function aggregatedResponse(
  { aggregated: made }: Documents,
  groups: readonly ApiGroup[],
  root: string,
  version: AggregatedVersion,
  request: Request,
  query: URLSearchParams,
): Response {
  const key = `${root} ${version}`;
  let document = made.get(key);
  if (!document) {
    const body = Buffer.from(`${JSON.stringify(aggregated(groups, version))}\n`);
    document = { body, etag: contentTag(body) };
    made.set(key, document);
  }
  const mediaType = `${json};g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
  // A 304 names the media type too: API Gateway adds `application/json` to answers that have none, and clients lay a 304's headers over
  // those they have kept, which would turn a kept aggregated document into a plain one.
  // It is the same for everybody who may see it.
  const headers = { etag: document.etag, vary: "Accept", "content-type": mediaType, "cache-control": "public" };
  if (matchesTag(request.headers.get("if-none-match"), document.etag)) return new Response(null, { status: 304, headers });
  const response = bytesResponse(document.body, 200, {
    ...writing(request, query, json),
    mediaType,
  });
  response.headers.set("etag", document.etag);
  response.headers.set("cache-control", headers["cache-control"]);
  return response;
}

/** The same on every instance, because it depends on nothing but the content. */
export const contentTag = (body: Uint8Array): string => `"${createHash("sha512").update(body).digest("hex").toUpperCase()}"`;

/** Whether an `If-None-Match` header names a tag. */
export const matchesTag = (header: string | null, etag: string): boolean =>
  header !== null &&
  header.split(",").some((one) => {
    const tag = one.trim().replace(/^W\//, "");
    return tag === "*" || tag === etag;
  });
