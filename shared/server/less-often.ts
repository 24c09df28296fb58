/** What answers everything but plain reads: loaded with the first request that needs it. */
import "../api/base.ts";

export { discoveryResponse } from "./discovery/serve.ts";
export { createOpenApi } from "./openapi/serve.ts";
export { subresource } from "./subresources.ts";
export { create, patch, remove, removeCollection, update } from "./writes.ts";
