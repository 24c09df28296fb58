/** `pods/ephemeralcontainers`: containers for debugging, added to a Pod that runs. */
import type { Pod } from "../../api/generated/types.ts";
import type { AnyObject, Kind, Problem } from "../../api/kind.ts";
import { forbidden } from "../../api/validation/problems.ts";
import { semanticallyEqual } from "../../api/validation/semantic-equality.ts";
import type { Endpoint } from "../update.ts";
import { clone } from "../values.ts";
import { keepDeclaredMetadata } from "./status.ts";

const asPod = (object: AnyObject): Pod => object as unknown as Pod;
const path = "spec.ephemeralContainers";

export const ephemeralContainersEndpoint = (kind: Kind): Endpoint => ({
  prepare: (next, previous) => {
    const { ephemeralContainers } = asPod(next).spec;
    const { ephemeralContainers: _, ...spec } = clone(asPod(previous).spec);
    next.spec = { ...spec, ...(ephemeralContainers && { ephemeralContainers }) };
    next.status = clone(previous.status);
    keepDeclaredMetadata(next, previous);
  },
  problems: (next, previous) => [...(kind.behaviour.validate?.(next) ?? []), ...changedContainers(asPod(next), asPod(previous))],
});

/** Those that are there already stay as they are. */
function changedContainers(next: Pod, previous: Pod): Problem[] {
  if (previous.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) {
    return [forbidden("", "static pods do not support ephemeral containers")];
  }
  const byName = new Map((next.spec.ephemeralContainers ?? []).map((container) => [container.name, container]));
  return (previous.spec.ephemeralContainers ?? []).flatMap((before) => {
    const now = byName.get(before.name);
    const name = JSON.stringify(before.name);
    if (now === undefined) return [forbidden(path, `existing ephemeral containers ${name} may not be removed\n`)];
    return semanticallyEqual(now, before) ? [] : [forbidden(path, `existing ephemeral containers ${name} may not be changed\n`)];
  });
}
