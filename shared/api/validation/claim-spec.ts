/** What a claim for storage must say: in PersistentVolumeClaims, in templates of StatefulSets, and in ephemeral volumes. */
import type { PersistentVolumeClaimSpec } from "../generated/types.ts";
import type { Problem } from "../kind.ts";
import { dnsLabelProblems, dnsSubdomainProblems } from "../names.ts";
import { validateLabelSelector } from "./labels.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "./problems.ts";
import { oneOf, validateAmount, validatePositiveAmount } from "./values.ts";

const accessModes = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
export const volumeModes = ["Block", "Filesystem"];

export function validateAccessModes(modes: readonly string[] | undefined, field: string, whenEmpty: string): Problem[] {
  const given = modes ?? [];
  const known = given.filter((mode) => accessModes.includes(mode));
  const isExclusive = known.includes("ReadWriteOncePod") && known.some((mode) => mode !== "ReadWriteOncePod");
  return [
    ...(given.length === 0 ? [required(field, whenEmpty)] : []),
    ...given.filter((mode) => !accessModes.includes(mode)).map((mode) => notSupported(field, mode, accessModes)),
    ...(isExclusive ? [forbidden(field, "may not use ReadWriteOncePod with other access modes")] : []),
  ];
}

interface DataSource {
  readonly apiGroup?: string | undefined;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string | undefined;
}

function validateDataSource(source: DataSource, path: string): Problem[] {
  const { apiGroup, kind, name, namespace } = source;
  return [
    ...(name ? [] : [required(`${path}.name`)]),
    ...(kind ? [] : [required(`${path}.kind`)]),
    ...(!apiGroup && kind !== "PersistentVolumeClaim"
      ? [invalid(path, kind ?? "", "must be 'PersistentVolumeClaim' when referencing the default apiGroup")]
      : []),
    ...(apiGroup ? invalidEach(`${path}.apiGroup`, apiGroup, dnsSubdomainProblems(apiGroup)) : []),
    ...(namespace ? invalidEach(`${path}.namespace`, namespace, dnsLabelProblems(namespace)) : []),
  ];
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string): Problem[] {
  const storage = spec.resources?.requests?.storage;
  const amountField = `${path}.resources[storage]`;
  const { dataSource, dataSourceRef } = spec;
  const problems = [
    ...validateAccessModes(spec.accessModes, `${path}.accessModes`, "at least 1 access mode is required"),
    ...validateLabelSelector(spec.selector, `${path}.selector`),
  ];
  if (storage === undefined) problems.push(required(amountField));
  else {
    const positive = validatePositiveAmount(storage, amountField);
    problems.push(...(positive.length > 0 ? positive : validateAmount("storage", storage, amountField)));
  }
  if (spec.storageClassName) {
    problems.push(...invalidEach(`${path}.storageClassName`, spec.storageClassName, dnsSubdomainProblems(spec.storageClassName)));
  }
  problems.push(...oneOf(spec.volumeMode, volumeModes, `${path}.volumeMode`));
  if (dataSource) problems.push(...validateDataSource(dataSource, `${path}.dataSource`));
  if (dataSourceRef) problems.push(...validateDataSource(dataSourceRef, `${path}.dataSourceRef`));
  if (dataSource && dataSourceRef) {
    const isSame =
      dataSource.apiGroup === dataSourceRef.apiGroup && dataSource.kind === dataSourceRef.kind && dataSource.name === dataSourceRef.name;
    if (dataSourceRef.namespace) {
      problems.push(invalid(path, {}, "may not be specified when dataSourceRef.namespace is specified"));
    } else if (!isSame) problems.push(invalid(path, {}, "must match dataSourceRef"));
  }
  const attributes = spec.volumeAttributesClassName;
  if (attributes) problems.push(...invalidEach(`${path}.volumeAttributesClassName`, attributes, dnsSubdomainProblems(attributes)));
  return problems;
}
