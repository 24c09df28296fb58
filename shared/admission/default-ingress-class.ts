/**
 * DefaultIngressClass: an Ingress that names no class gets the one that is marked as the default.
 * @see k8s.io/kubernetes/plugin/pkg/admission/network/defaultingressclass
 */
import type { Ingress, IngressClass } from "../api/generated/types.ts";
import { ingressClasses } from "../api/kinds.ts";
import type { AdmissionPlugin } from "./plugin.ts";

const classAnnotation = "kubernetes.io/ingress.class";
const defaultAnnotation = "ingressclass.kubernetes.io/is-default-class";

export const defaultIngressClass: AdmissionPlugin = {
  name: "DefaultIngressClass",
  handles: (kind, operation, subresource) => kind.storage === "ingresses.networking.k8s.io" && operation === "CREATE" && subresource === "",
  admit: async ({ object }, reader) => {
    const ingress = object as unknown as Ingress;
    if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.[classAnnotation] !== undefined) return;
    const found = newest(
      (await reader.list(ingressClasses)).filter(({ metadata }) => metadata.annotations?.[defaultAnnotation] === "true"),
    );
    if (found) ingress.spec = { ...ingress.spec, ingressClassName: found.metadata.name };
  },
};

const newest = (classes: readonly IngressClass[]): IngressClass | undefined =>
  classes.toSorted(
    ({ metadata: one }, { metadata: other }) =>
      Date.parse(other.creationTimestamp) - Date.parse(one.creationTimestamp) || (one.name < other.name ? -1 : 1),
  )[0];
