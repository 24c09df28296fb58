/** NamespaceLifecycle: nothing is made in a namespace that does not exist or is being deleted, and some namespaces are never deleted. */
import { namespaces } from "../api/kinds.ts";
import { forbidden, notFound, StatusError } from "../errors/status-error.ts";
import { type AdmissionPlugin, refusal } from "./plugin.ts";

const immortal: ReadonlySet<string> = new Set(["default", "kube-system", "kube-public"]);

/** Says nothing about namespaces: whoever may ask it must not learn which exist. */
const accessReviews = "localsubjectaccessreviews";

export const namespaceLifecycle: AdmissionPlugin = {
  name: "NamespaceLifecycle",
  handles: (kind, operation) =>
    (operation === "CREATE" && kind.namespaced && kind.plural !== accessReviews) ||
    (operation === "DELETE" && kind.storage === "namespaces"),
  admit: async (request, reader) => {
    const { operation, kind, key } = request;
    if (operation === "DELETE") {
      if (immortal.has(key.name)) throw forbidden(kind, key.name, "this namespace may not be deleted");
      return;
    }
    const where = { namespace: "", name: key.namespace };
    let namespace = await reader.get(namespaces, where);
    // A namespace that terminates may have gone and come back since.
    if (namespace?.status?.phase === "Terminating") namespace = await reader.fresh(namespaces, where);
    if (namespace === undefined) throw notFound(namespaces, key.namespace);
    if (namespace.status?.phase !== "Terminating") return;
    throw terminating(refusal(request, terminatingMessage(key.namespace)), key.namespace);
  },
};

const terminatingMessage = (name: string): string => `unable to create new content in namespace ${name} because it is being terminated`;

const terminating = (error: StatusError, name: string): StatusError =>
  new StatusError("Forbidden", error.message, {
    details: {
      ...error.details,
      causes: [{ reason: "NamespaceTerminating", message: `namespace ${name} is being terminated`, field: "metadata.namespace" }],
    },
  });
