/** Namespaces: always labelled with their own name, and held by the `kubernetes` finalizer until they are empty. */
import type { Namespace } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { namespaces } from "../kinds.ts";
import { qualifiedNameProblems } from "../names.ts";
import { copyOf } from "../patch/values.ts";
import { validateKnownFinalizer } from "../validation/metadata.ts";
import { eachItem, invalid, invalidEach } from "../validation/problems.ts";
import { behaviour, noGeneration } from "./behaviour.ts";
import { text } from "./cells.ts";

const nameLabel = "kubernetes.io/metadata.name";
const namespaceFinalizer = "kubernetes";

function setDefaults(namespace: Namespace): void {
  if (namespace.metadata.name) namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: namespace.metadata.name };
  namespace.spec ??= {};
  namespace.status ??= {};
  namespace.status.phase ||= "Active";
}

export const namespaceBehaviour = behaviour(namespaces, {
  nameRule: "dnsLabel",
  defaults: setDefaults,
  prepareForCreate: (namespace) => {
    namespace.status = { phase: "Active" };
    const spec = (namespace.spec ??= {});
    const finalizers = spec.finalizers ?? [];
    spec.finalizers = finalizers.includes(namespaceFinalizer) ? finalizers : [...finalizers, namespaceFinalizer];
    // A generated name was not known yet when defaults were set.
    if (namespace.metadata.name) namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: namespace.metadata.name };
  },
  prepareForUpdate: (next, previous) => {
    const { finalizers: _, ...spec } = next.spec ?? {};
    next.spec = { ...spec, ...(previous.spec?.finalizers && { finalizers: [...previous.spec.finalizers] }) };
    next.status = copyOf(previous.status ?? {});
  },
  prepareForStatusUpdate: (next, previous) => {
    next.spec = copyOf(previous.spec ?? {});
  },
  validate: ({ spec }) => (spec?.finalizers ?? []).flatMap((name) => validateFinalizer(name, "spec.finalizers")),
  validateStatusUpdate: ({ metadata, status }) => {
    const wanted = metadata.deletionTimestamp ? "Terminating" : "Active";
    if (status?.phase === wanted) return [];
    const when = metadata.deletionTimestamp ? "is not empty" : "is empty";
    return [invalid("status.Phase", status?.phase ?? "", `may only be '${wanted}' if \`deletionTimestamp\` ${when}`)];
  },
  generationFields: noGeneration,
  selectableFields: { "status.phase": ({ status }) => status?.phase ?? "" },
  columns: [text("Status", ({ status }) => status?.phase)],
});

/** A finalizer of a namespace: a qualified name, or one of the few standard names without a domain. */
const validateFinalizer = (name: string, field: string): Problem[] => [
  ...invalidEach(field, name, qualifiedNameProblems(name)),
  ...validateKnownFinalizer(name, field),
];

/** Through `/finalize`, problems name the one that is wrong; otherwise the list. */
export const validateFinalize = ({ spec }: Namespace): Problem[] => eachItem("spec.finalizers", spec?.finalizers, validateFinalizer);
