/** What the registry does on a change: loaded with the first one, so that a function that only reads starts without it. */
import "../api/base.ts";
import { patch, post, put, shownBy } from "./subresources/index.ts";

export { admissionChain } from "../admission/chain.ts";
export { defaultAdmission } from "../admission/index.ts";
export { createObject } from "./create.ts";
export { checkOptions, deleteObject } from "./delete.ts";
export { deleteListed } from "./delete-collection.ts";
export { quotaLedger } from "./quota-ledger.ts";

export const subresources = { shownBy, put, patch, post };
