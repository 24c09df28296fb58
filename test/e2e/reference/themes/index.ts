/** All themes, in the order in which they are compared. */
import type { Theme } from "../requests.ts";
import { customResources } from "./custom-resources.ts";
import { deletions } from "./deletions.ts";
import { kinds } from "./kinds.ts";
import { lists } from "./lists.ts";
import { patches } from "./patches.ts";
import { serverSideApply } from "./server-side-apply.ts";
import { subresources } from "./subresources.ts";
import { updates } from "./updates.ts";
import { validation } from "./validation.ts";
import { watches } from "./watches.ts";

export const themes: readonly Theme[] = [
  serverSideApply,
  patches,
  updates,
  deletions,
  lists,
  watches,
  kinds,
  customResources,
  subresources,
  validation,
];
