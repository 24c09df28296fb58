/** Environment variables of containers. */
import type { Container, EnvVar } from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { configKeyProblems, dnsLabelProblems, environmentNameProblems, nameProblems } from "../../names.ts";
import { validateNoBacksteps } from "../paths.ts";
import { eachItem, invalid, invalidEach, required } from "../problems.ts";
import { environmentFields, validateFieldRef, validateResourceRef } from "./field-refs.ts";

export const validateEnvironment = (container: Container, path: string): Problem[] => [
  ...eachItem(`${path}.env`, container.env, (variable, at) => [
    ...(variable.name ? invalidEach(`${at}.name`, variable.name, environmentNameProblems(variable.name)) : [required(`${at}.name`)]),
    ...(variable.valueFrom ? validateSource(variable, variable.valueFrom, `${at}.valueFrom`) : []),
  ]),
  ...eachItem(`${path}.envFrom`, container.envFrom, (from, at) => {
    const sources = (["configMapRef", "secretRef"] as const).filter((source) => from[source] !== undefined);
    return [
      ...(from.prefix ? invalidEach(`${at}.prefix`, from.prefix, environmentNameProblems(from.prefix)) : []),
      ...sources.flatMap((source) => validateObjectName(from[source]?.name, `${at}.${source}.name`)),
      // Kubernetes names the list here, not the entry.
      ...(sources.length === 0 ? [invalid(`${path}.envFrom`, "", "must specify one of: `configMapRef` or `secretRef`")] : []),
      ...(sources.length > 1 ? [invalid(`${path}.envFrom`, "", "may not have more than one field specified at a time")] : []),
    ];
  }),
];

const validateObjectName = (name: string | undefined, field: string): Problem[] =>
  name ? invalidEach(field, name, nameProblems("dnsSubdomain", name, { generate: true })) : [required(field)];

function validateSource(variable: EnvVar, from: NonNullable<EnvVar["valueFrom"]>, path: string): Problem[] {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = from;
  const given = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter((source) => source !== undefined).length;
  const problems: Problem[] = [];
  if (fieldRef) problems.push(...validateFieldRef(fieldRef, environmentFields, `${path}.fieldRef`));
  if (resourceFieldRef) problems.push(...validateResourceRef(resourceFieldRef, false, `${path}.resourceFieldRef`));
  if (configMapKeyRef) problems.push(...validateKeyRef(configMapKeyRef, `${path}.configMapKeyRef`));
  if (secretKeyRef) problems.push(...validateKeyRef(secretKeyRef, `${path}.secretKeyRef`));
  if (fileKeyRef) problems.push(...validateFileRef(fileKeyRef, `${path}.fileKeyRef`));
  if (given === 0) {
    problems.push(
      invalid(path, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"),
    );
  } else if (variable.value) problems.push(invalid(path, "", "may not be specified when `value` is not empty"));
  else if (given > 1) problems.push(invalid(path, "", "may not have more than one field specified at a time"));
  return problems;
}

const validateKeyRef = ({ name = "", key }: { name?: string | undefined; key: string }, path: string): Problem[] => [
  ...invalidEach(`${path}.name`, name, nameProblems("dnsSubdomain", name)),
  ...(key ? invalidEach(`${path}.key`, key, configKeyProblems(key)) : [required(`${path}.key`)]),
];

function validateFileRef({ key, path: file, volumeName }: { key: string; path: string; volumeName: string }, path: string): Problem[] {
  return [
    ...(key ? invalidEach(`${path}.key`, key, environmentNameProblems(key)) : [required(`${path}.key`)]),
    ...(volumeName ? invalidEach(`${path}.volumeName`, volumeName, dnsLabelProblems(volumeName)) : [required(`${path}.volumeName`)]),
    ...(file ? validateNoBacksteps(file, `${path}.path`) : [required(`${path}.path`)]),
  ];
}
