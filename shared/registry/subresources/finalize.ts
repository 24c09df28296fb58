/** `namespaces/finalize`: how whoever cleaned up takes its name from `spec.finalizers`. */

import type { Kind } from "../../api/kind.ts";
import type { Endpoint } from "../update.ts";
import { clone } from "../values.ts";

export const finalizeEndpoint = (kind: Kind): Endpoint => ({
  prepare: (next, previous) => {
    next.status = clone(previous.status);
  },
  problems: (next) => kind.behaviour.validate?.(next) ?? [],
});
