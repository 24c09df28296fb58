/** All themes, in the order in which they are compared. */
import type { Theme } from "../requests.ts";
import { certificates } from "./certificates.ts";
import { clusterKinds } from "./cluster-kinds.ts";
import { customObjects } from "./custom-objects.ts";
import { customResources } from "./custom-resources.ts";
import { customValues } from "./custom-values.ts";
import { definitionRules } from "./definition-rules.ts";
import { definitionsTheme } from "./definitions.ts";
import { deletions } from "./deletions.ts";
import { devices } from "./devices.ts";
import { discovery } from "./discovery.ts";
import { kinds } from "./kinds.ts";
import { limits } from "./limits.ts";
import { lists } from "./lists.ts";
import { namespaces } from "./namespaces.ts";
import { parameters } from "./parameters.ts";
import { patches } from "./patches.ts";
import { reviews } from "./reviews.ts";
import { serverSideApply } from "./server-side-apply.ts";
import { storageKinds } from "./storage-kinds.ts";
import { subresources } from "./subresources.ts";
import { updates } from "./updates.ts";
import { validation } from "./validation.ts";
import { versions } from "./versions.ts";
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
  customValues,
  customObjects,
  definitionsTheme,
  definitionRules,
  subresources,
  validation,
  discovery,
  parameters,
  reviews,
  namespaces,
  limits,
  certificates,
  versions,
  clusterKinds,
  storageKinds,
  devices,
];
