/** Which objects a list or watch is about: namespace, label selector and field selector together. */
import type { AnyObject, Kind } from "../api/kind.ts";
import { type LabelMatcher, parseFieldSelector, parseLabelSelector } from "../api/selectors.ts";
import { badRequest } from "../errors/status-error.ts";
import { storeKey } from "./present.ts";

export interface Selection {
  /** Prefix of the store's keys; every object it selects stands under it. */
  readonly prefix: string;
  /** The only key that can match, when name (and namespace) are given. */
  readonly key: string | undefined;
  /** Whether every object under the prefix is selected. */
  readonly everything: boolean;
  readonly matches: (object: AnyObject) => boolean;
}

interface Selectors {
  readonly namespace: string;
  readonly labelSelector: string;
  readonly fieldSelector: string;
}

interface FieldTest {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
  readonly read: (object: AnyObject) => string;
}

/** @throws {StatusError} BadRequest for a malformed selector, or a field that the kind cannot be selected by */
export function select(kind: Kind, { namespace, labelSelector, fieldSelector }: Selectors): Selection {
  const labels = labelSelector === "" ? undefined : parseLabelSelector(labelSelector);
  const fields =
    fieldSelector === ""
      ? []
      : parseFieldSelector(fieldSelector).map((requirement) => ({ ...requirement, read: readerOf(kind, requirement.field) }));
  const inNamespace = kind.namespaced ? namespace || (exactly(fields, "metadata.namespace") ?? "") : "";
  const name = exactly(fields, "metadata.name");
  const single = name !== undefined && (!kind.namespaced || inNamespace !== "");
  return {
    prefix: inNamespace === "" ? "" : `${inNamespace}/`,
    key: single ? storeKey(kind, { namespace: inNamespace, name }) : undefined,
    everything: (labels === undefined || labels.empty) && fields.length === 0,
    matches: (object) => matchesLabels(labels, object) && fields.every((test) => holds(test, object)),
  };
}

const matchesLabels = (labels: LabelMatcher | undefined, object: AnyObject): boolean =>
  labels === undefined || labels.matches(object.metadata.labels);

const holds = ({ operator, value, read }: FieldTest, object: AnyObject): boolean => (read(object) === value) === (operator === "=");

/** The one value that a field may have; undefined when the selector does not say. */
const exactly = (fields: readonly FieldTest[], field: string): string | undefined =>
  fields.find((test) => test.field === field && test.operator === "=")?.value;

/** Two kinds have words of their own for it. */
function unsupportedField({ group, version, kind }: Kind, field: string): string {
  if (group === "batch" && kind === "Job") return `field label ${JSON.stringify(field)} not supported for Job`;
  const of = group === "resource.k8s.io" && kind === "ResourceSlice" ? ` for ${group}/${version}, Kind=${kind}` : "";
  return `field label not supported${of}: ${field}`;
}

function readerOf(kind: Kind, field: string): (object: AnyObject) => string {
  if (field === "metadata.name") return (object) => object.metadata.name;
  if (field === "metadata.namespace" && (kind.namespaced || !kind.custom)) return (object) => object.metadata.namespace ?? "";
  const read = kind.behaviour.selectableFields?.[field];
  if (read !== undefined) return read;
  throw badRequest(
    kind.custom || kind.behaviour.selectableFields !== undefined
      ? unsupportedField(kind, field)
      : `"${field}" is not a known field selector: only "metadata.name", "metadata.namespace"`,
  );
}
