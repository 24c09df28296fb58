/** Objects and lists as answers: whole, as rows of a Table, or as their metadata alone. */
import { definitionOf } from "../api/builtin-schemas.ts";
import { type AnyObject, apiVersionOf } from "../api/kind.ts";
import type { JsonObject } from "../api/objects.ts";
import { StatusError } from "../errors/status-error.ts";
import type { ListAnswer } from "../registry/registry.ts";
import { documentResponse, objectResponse, type Writing, writing } from "./encode.ts";
import { itemJson, itemProtobuf, metadataJson, metadataProtobuf, objectJson, rowJson, untyped } from "./encoded.ts";
import type { KindRequest } from "./kind-request.ts";
import { json, negotiate, protobuf, yaml } from "./media-types.ts";
import { includeObject, partialMetadata, plainTable, scaleTable, type TableRenderer, tableFor } from "./table.ts";

/** Writes answers in the representation that the request asks for. Made before anything is done: 406 must not follow a write. */
export interface Answerer {
  object(object: AnyObject, status?: number): Promise<Response>;
  list(answer: ListAnswer): Promise<Response>;
  status(status: JsonObject): Promise<Response>;
}

/** @throws {StatusError} NotAcceptable */
export function answerer(
  { request, query, kind, options, info }: KindRequest,
  { transforms }: { readonly transforms: boolean } = { transforms: true },
): Answerer {
  const accept = request.headers.get("accept") ?? "";
  const { mediaType, as } = negotiate(accept, {
    mediaTypes: kind.custom ? [json, yaml] : [json, yaml, protobuf],
    named: [json, yaml, protobuf],
    ...(transforms && { tables: true, metadata: [json, yaml, protobuf] }),
  });
  const how = writing(request, query, mediaType);
  const include = includeObject(query);
  const isList = info.verb === "list" || info.verb === "deletecollection";
  if (as?.kind === "PartialObjectMetadata" && isList)
    throw new StatusError("NotAcceptable", `you requested PartialObjectMetadata, but the requested object is a list (${kind.listKind})`);
  if (as?.kind === "PartialObjectMetadataList" && !isList)
    throw new StatusError(
      "NotAcceptable",
      `you requested PartialObjectMetadataList, but the requested object is not a list (${kind.kind})`,
    );
  const metaVersion = `meta.k8s.io/${as?.version ?? "v1"}`;
  const rendererFor = (object: AnyObject): TableRenderer => {
    if (object.kind === kind.kind) return tableFor(kind, options.clock.now());
    return object.kind === "Scale" ? scaleTable(options.clock.now()) : plainTable;
  };

  return {
    status: (status) => objectResponse(status, 200, ...encodable(how, definitionOf("v1", "Status"))),

    async object(object, status = 200) {
      if (object.kind === "Status") return objectResponse(object, status, ...encodable(how, definitionOf("v1", "Status")));
      if (as?.kind === "Table") {
        await kind.loadBehaviour?.();
        const table = rendererFor(object);
        return objectResponse(
          {
            kind: "Table",
            apiVersion: metaVersion,
            metadata: { resourceVersion: object.metadata.resourceVersion },
            columnDefinitions: table.columnDefinitions,
            rows: [table.row(object, include, as.version)],
          },
          status,
          how,
        );
      }
      if (as) return objectResponse(partialMetadata(object, as.version), status, how, metadataDefinition);
      return objectResponse(object, status, ...encodable(how, definitionOf(object.apiVersion, object.kind)));
    },

    async list({ items: objects, resourceVersion, ...rest }) {
      const metadata = { ...(resourceVersion && { resourceVersion }), ...rest };
      if (as?.kind === "Table") {
        await kind.loadBehaviour?.();
        const table = tableFor(kind, options.clock.now());
        const head = { kind: "Table", apiVersion: metaVersion, metadata, columnDefinitions: table.columnDefinitions };
        const element = (object: AnyObject) => table.row(object, include, as.version);
        return documentResponse({ head, arrayName: "rows", objects, element, json: rowJson(table, include, as.version) }, how);
      }
      if (as) {
        const head = { kind: "PartialObjectMetadataList", apiVersion: metaVersion, metadata };
        // Go makes no list of nothing, and writes null.
        if (objects.length === 0 && mediaType !== protobuf) return objectResponse({ ...head, items: null }, 200, how);
        const element = (object: AnyObject) => partialMetadata(object, as.version);
        return documentResponse(
          {
            head,
            arrayName: "items",
            objects,
            element,
            json: metadataJson(as.version),
            protobuf: { definition: metadataListDefinition, form: metadataProtobuf(metadataDefinition, as.version) },
          },
          how,
        );
      }
      const head = { kind: kind.listKind, apiVersion: apiVersionOf(kind), metadata };
      const definition = definitionOf(head.apiVersion, head.kind);
      return documentResponse(
        {
          head,
          arrayName: "items",
          objects,
          element: kind.custom ? (object) => object : untyped,
          json: kind.custom ? objectJson : itemJson,
          ...(definition && { protobuf: { definition, form: itemProtobuf(kind.definition) } }),
        },
        how,
      );
    },
  };
}

/** Both versions of meta.k8s.io have the same messages. */
const metadataDefinition = "io.k8s.apimachinery.pkg.apis.meta.v1.PartialObjectMetadata";
const metadataListDefinition = `${metadataDefinition}List`;

/** What has no definition cannot be protobuf, whatever the client prefers. */
const encodable = (how: Writing, definition: string | undefined): [Writing, string | undefined] =>
  how.mediaType === protobuf && !definition ? [{ ...how, mediaType: json }, undefined] : [how, definition];
