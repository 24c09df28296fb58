/** How a built-in kind's behaviour is written down, and what many of them have in common. */
import type { KindRef } from "../client.ts";
import type { KindBehaviour } from "../kind.ts";
import type { KubeObject } from "../objects.ts";
import { copyOf } from "../patch/values.ts";

/** A behaviour and the kind that it belongs to. */
export interface Declared {
  readonly kind: KindRef<any>;
  readonly behaviour: KindBehaviour<any>;
}

/** `behaviour(deployments, { … })`: typed by the kind it is for. */
export const behaviour = <T extends KubeObject>(kind: KindRef<T>, declared: KindBehaviour<NoInfer<T>>): Declared => ({
  kind,
  behaviour: declared,
});

/** The kind has no `metadata.generation`. */
export const noGeneration = (): undefined => undefined;

/** Generation follows `spec` alone. */
export const specGeneration = (object: object): unknown => ("spec" in object ? object.spec : undefined);

type WithStatus = KubeObject & { status?: any };

/** A create through the main resource brings no status. */
export const clearStatus = (object: WithStatus): void => {
  object.status = {};
};

/** An update of the main resource leaves the status alone. */
export const keepStatus = (next: WithStatus, previous: WithStatus): void => {
  next.status = copyOf(previous.status ?? {});
};

/** What nearly every kind with a status prepares. */
export const statusBehaviour = { prepareForCreate: clearStatus, prepareForUpdate: keepStatus } as const;

/** A status update of a kind whose metadata no such update changes. */
const keepAllButStatus = (next: WithStatus & { spec?: any }, previous: WithStatus & { spec?: any }): void => {
  if (previous.spec === undefined) delete next.spec;
  else next.spec = copyOf(previous.spec);
  for (const field of ["labels", "annotations", "finalizers", "ownerReferences"] as const) {
    if (previous.metadata[field] === undefined) delete next.metadata[field];
    else Object.assign(next.metadata, { [field]: copyOf(previous.metadata[field]) });
  }
};

/** The same, and nobody comes to own metadata by it. */
export const statusAlone = { prepareForStatusUpdate: keepAllButStatus, statusIgnores: [["metadata"]] } as const;
