/**
 * Rebuilds `shared/api/generated/` from Kubernetes' published documents: field names and types, merge keys, protobuf field
 * numbers, resources with their verbs. Facts only; the documents' prose stays where it is.
 *
 * Usage: npm run generate -- --openapi DIR --discovery DIR --modules DIR[,DIR…]
 *   --openapi    folder with the OpenAPI v3 documents, one `*.json` or `*.json.gz` per group version
 *   --discovery  folder with the golden discovery documents (`api__v1.json`, `apis__apps__v1.json`, …)
 *   --modules    unpacked Go modules k8s.io/api, apimachinery, apiextensions-apiserver and kube-aggregator of the same release
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { GoTypes } from "./go-types.ts";
import { readOpenApi } from "./openapi.ts";
import { readResources } from "./resources.ts";
import { buildSchemas } from "./schemas.ts";
import { banner, renderResources, renderTypeTable } from "./tables.ts";
import { renderTypes } from "./types.ts";

const { values } = parseArgs({
  options: { openapi: { type: "string" }, discovery: { type: "string" }, modules: { type: "string" } },
});
if (!values.openapi || !values.discovery || !values.modules) {
  console.error("usage: npm run generate -- --openapi DIR --discovery DIR --modules DIR[,DIR…]");
  process.exit(2);
}

const out = join(import.meta.dirname, "../../shared/api/generated");
const definitions = readOpenApi(values.openapi);
const schemas = buildSchemas(definitions, new GoTypes(values.modules.split(",")));
const resources = readResources(values.discovery, definitions);

mkdirSync(out, { recursive: true });
writeFileSync(join(out, "schemas.ts"), renderTypeTable(schemas));
writeFileSync(join(out, "resources.ts"), renderResources(resources));
writeFileSync(join(out, "types.ts"), banner("TypeScript types of every stable type") + renderTypes(schemas));
console.log(`${Object.keys(schemas).length} types, ${resources.length} resources`);
