/** All themes, in the order in which they are compared. */
import type { Theme } from "../requests.ts";
import { deletions } from "./deletions.ts";
import { patches } from "./patches.ts";
import { serverSideApply } from "./server-side-apply.ts";
import { updates } from "./updates.ts";

export const themes: readonly Theme[] = [serverSideApply, patches, updates, deletions];
