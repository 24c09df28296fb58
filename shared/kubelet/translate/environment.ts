/**
 * A container's environment, resolved: which values all Pods of a template share (they go into the task definition), and which are this
 * Pod's alone or secret (they go into the overrides of its task). @see k8s.io/kubernetes/pkg/kubelet, makeEnvironmentVariables
 */
import type { ConfigMap, Container, Pod, Secret } from "../../api/generated/types.ts";
import type { EngineFeatures } from "../engine-features.ts";
import { containerResource, isAddressField, isTemplateField, needsNode, podField } from "./downward.ts";
import { expand } from "./expansion.ts";
import { type Findings, NotReadyError } from "./problems.ts";

export interface Variable {
  readonly value: string;
  /** `template`: the same for all Pods of the template. `pod`: this Pod's. `address`: set when the task's address is known. */
  readonly scope: "template" | "pod" | "address";
}

/** What a container refers to. */
export interface References {
  configMap(namespace: string, name: string): ConfigMap | undefined;
  secret(namespace: string, name: string): Secret | undefined;
}

export interface EnvironmentInput {
  readonly pod: Pod;
  readonly container: Container;
  /** `spec.containers[0]` */
  readonly field: string;
  readonly references: References;
  readonly features: EngineFeatures;
  readonly hostIp: string | undefined;
  readonly allocatable: Readonly<Record<string, string>>;
  /** Variables of Services and the like, which the container's own ones replace. */
  readonly given: Readonly<Record<string, string>>;
}

const decodeBase64 = (text: string): string => Buffer.from(text, "base64").toString("utf8");

/** @throws {NotReadyError} when a ConfigMap, Secret or key is missing */
export function resolveEnvironment(input: EnvironmentInput, findings: Findings): ReadonlyMap<string, Variable> {
  const { pod, container, field, references, features } = input;
  const namespace = pod.metadata.namespace ?? "";
  const own = new Map<string, Variable>();

  const secretValue = (value: string, at: string): Variable | undefined => {
    if (features.privateOverrides) return { value, scope: "pod" };
    findings.refuse(at, "Secret values in the environment would be visible in the task's overrides; mount the Secret as a volume");
    return undefined;
  };

  for (const [index, from] of (container.envFrom ?? []).entries()) {
    const prefix = from.prefix ?? "";
    if (from.configMapRef) {
      const { name = "", optional = false } = from.configMapRef;
      const map = references.configMap(namespace, name);
      if (!map && !optional) throw new NotReadyError(`configmap "${name}" not found`);
      for (const [key, value] of Object.entries(map?.data ?? {})) own.set(prefix + key, { value, scope: "template" });
    } else if (from.secretRef) {
      const { name = "", optional = false } = from.secretRef;
      const secret = references.secret(namespace, name);
      if (!secret && !optional) throw new NotReadyError(`secret "${name}" not found`);
      for (const [key, value] of Object.entries(secret?.data ?? {})) {
        const variable = secretValue(decodeBase64(value), `${field}.envFrom[${index}].secretRef`);
        if (!variable) break;
        own.set(prefix + key, variable);
      }
    }
  }

  const find = (name: string): Variable | undefined => {
    const variable = own.get(name);
    if (variable) return variable;
    const value = input.given[name];
    return value === undefined ? undefined : { value, scope: "template" };
  };

  for (const [index, { name, value, valueFrom }] of (container.env ?? []).entries()) {
    const at = `${field}.env[${index}]`;
    if (value || !valueFrom) {
      const expanded = expandWith(value ?? "", find);
      if (expanded.scope === "address")
        findings.refuse(`${at}.value`, "refers to the Pod's address, which is not known before its containers start");
      own.set(name, expanded);
      continue;
    }
    const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
    if (fieldRef && isAddressField(fieldRef.fieldPath)) {
      if (features.addressVariables) own.set(name, { value: "", scope: "address" });
      else findings.refuse(`${at}.valueFrom.fieldRef`, `${fieldRef.fieldPath} is not known before the containers start`);
    } else if (fieldRef) {
      const scope = isTemplateField(fieldRef.fieldPath) ? "template" : "pod";
      own.set(name, { value: podField(pod, fieldRef.fieldPath, input.hostIp), scope });
    } else if (resourceFieldRef) {
      const scope = needsNode(container, resourceFieldRef) ? "pod" : "template";
      own.set(name, { value: containerResource(pod, container, resourceFieldRef, input.allocatable), scope });
    } else if (configMapKeyRef) {
      const { name: from = "", key, optional = false } = configMapKeyRef;
      const map = references.configMap(namespace, from);
      if (!map && !optional) throw new NotReadyError(`configmap "${from}" not found`);
      const found = map?.data?.[key];
      if (found !== undefined) own.set(name, { value: found, scope: "template" });
      else if (!optional) throw new NotReadyError(`couldn't find key ${key} in ConfigMap ${namespace}/${from}`);
    } else if (secretKeyRef) {
      const { name: from = "", key, optional = false } = secretKeyRef;
      const secret = references.secret(namespace, from);
      if (!secret && !optional) throw new NotReadyError(`secret "${from}" not found`);
      const found = secret?.data?.[key];
      if (found === undefined) {
        if (optional) continue;
        throw new NotReadyError(`couldn't find key ${key} in Secret ${namespace}/${from}`);
      }
      const variable = secretValue(decodeBase64(found), `${at}.valueFrom.secretKeyRef`);
      if (variable) own.set(name, variable);
    } else if (fileKeyRef) {
      findings.refuse(`${at}.valueFrom.fileKeyRef`, "variables from files of a volume are not supported");
    }
  }

  const all = new Map<string, Variable>(Object.entries(input.given).map(([name, value]) => [name, { value, scope: "template" }]));
  for (const [name, variable] of own) all.set(name, variable);
  return all;
}

/** Expands references and says whose value the result is. */
export function expandWith(text: string, find: (name: string) => Variable | undefined): Variable {
  let scope: Variable["scope"] = "template";
  const value = expand(text, (name) => {
    const variable = find(name);
    if (variable && variable.scope !== "template" && scope !== "address") scope = variable.scope;
    return variable?.value;
  });
  return { value, scope };
}
