/** `namespaces/finalize`: how whoever cleaned up takes its name from `spec.finalizers`. */
import type { Namespace } from "../../api/generated/types.ts";
import { validateFinalize } from "../../api/kinds/namespaces.ts";
import type { Endpoint } from "../update.ts";
import { clone } from "../values.ts";

export const finalizeEndpoint = (): Endpoint => ({
  prepare: (next, previous) => {
    next.status = clone(previous.status);
  },
  problems: (next) => validateFinalize(next as unknown as Namespace),
});
