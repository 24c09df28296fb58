/** Annotations of Pods that mean something to Kubernetes. */
import type { Container, PodSpec, Toleration } from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import { validateDescendingPath } from "../paths.ts";
import { forbidden, invalid, quote } from "../problems.ts";
import { validateTolerations } from "./scheduling.ts";

type Annotations = Readonly<Record<string, string>> | undefined;
type Containers = readonly (readonly [path: string, container: Container])[];

const mirror = "kubernetes.io/config.mirror";
const tolerationsKey = "scheduler.alpha.kubernetes.io/tolerations";
const deletionCost = "controller.kubernetes.io/pod-deletion-cost";
const seccompPod = "seccomp.security.alpha.kubernetes.io/pod";
const seccompContainer = "container.seccomp.security.alpha.kubernetes.io/";
export const appArmorPrefix = "container.apparmor.security.beta.kubernetes.io/";

export function validatePodAnnotations(annotations: Annotations, spec: PodSpec, containers: Containers, path: string): Problem[] {
  const problems: Problem[] = [];
  const given = annotations ?? {};
  if (given[mirror] !== undefined && !spec.nodeName) {
    problems.push(invalid(`${path}[${mirror}]`, given[mirror], "must set spec.nodeName if mirror pod annotation is set"));
  }
  if (given[tolerationsKey]) problems.push(...validateTolerationsText(given[tolerationsKey], path));
  const cost = given[deletionCost];
  if (cost !== undefined && !isInt32(cost)) {
    problems.push(invalid(`${path}[${deletionCost}]`, cost, "must be a 32bit integer"));
  }
  for (const [key, value] of Object.entries(given)) {
    if (key === seccompPod || key.startsWith(seccompContainer)) problems.push(...validateSeccompText(value, `${path}.${key}`));
    if (!key.startsWith(appArmorPrefix)) continue;
    const container = key.slice(appArmorPrefix.length);
    if (!containers.some(([, { name }]) => name === container)) {
      problems.push(invalid(`${path}[${key}]`, container, "container not found"));
    }
    if (value !== "" && value !== "runtime/default" && value !== "unconfined" && !value.startsWith("localhost/")) {
      problems.push(invalid(`${path}[${key}]`, value, `invalid AppArmor profile name: ${quote(value)}`));
    }
  }
  return problems;
}

const isInt32 = (text: string): boolean => /^(0|-?[0-9]+)$/.test(text) && !/^0[0-9]/.test(text) && Math.abs(Number(text)) <= 2_147_483_647;

function validateTolerationsText(text: string, path: string): Problem[] {
  let tolerations: unknown;
  try {
    tolerations = JSON.parse(text);
  } catch (error) {
    return [invalid(path, tolerationsKey, (error as Error).message)];
  }
  return Array.isArray(tolerations) ? validateTolerations(tolerations as Toleration[], `${path}.${tolerationsKey}`) : [];
}

function validateSeccompText(profile: string, field: string): Problem[] {
  if (["runtime/default", "docker/default", "unconfined"].includes(profile)) return [];
  if (profile.startsWith("localhost/")) return validateDescendingPath(profile.slice("localhost/".length), field);
  return [invalid(field, profile, "must be a valid seccomp profile")];
}

const isAppArmor = (key: string) => key.startsWith(appArmorPrefix);

/** Annotations that a Pod keeps for life. */
export function validateAnnotationChange(next: Annotations, previous: Annotations, path: string): Problem[] {
  const changed = Object.entries(previous ?? {}).filter(([key, value]) => next?.[key] !== value);
  const added = Object.keys(next ?? {}).filter((key) => previous?.[key] === undefined);
  return [
    ...changed.flatMap(([key]) => [
      ...(isAppArmor(key) ? [forbidden(`${path}[${key}]`, "may not remove or update AppArmor annotations")] : []),
      ...(key === mirror ? [forbidden(`${path}[${key}]`, "may not remove or update mirror pod annotation")] : []),
    ]),
    ...added.flatMap((key) => [
      ...(isAppArmor(key) ? [forbidden(`${path}[${key}]`, "may not add AppArmor annotations")] : []),
      ...(key === mirror ? [forbidden(`${path}[${key}]`, "may not add mirror pod annotation")] : []),
    ]),
  ];
}

interface Profile {
  readonly type: string;
  readonly localhostProfile?: string | undefined;
}

/** Where an old annotation and a field say what profile a container has, both must say the same. */
export function validateProfilesMatch(annotations: Annotations, spec: PodSpec, containers: Containers, path: string): Problem[] {
  const own = spec.securityContext;
  const podAnnotation = annotations?.[seccompPod];
  return [
    ...(own?.seccompProfile && podAnnotation !== undefined
      ? matchProfile(podAnnotation, own.seccompProfile, `${path}.securityContext.seccompProfile`, "seccomp")
      : []),
    ...containers.flatMap(([at, container]) => {
      const seccomp = container.securityContext?.seccompProfile;
      const annotation = annotations?.[seccompContainer + container.name];
      return seccomp && annotation !== undefined
        ? matchProfile(annotation, seccomp, `${at}.securityContext.seccompProfile`, "seccomp")
        : [];
    }),
    ...(spec.os?.name === "windows" ? [] : containers).flatMap(([at, container]) => {
      const appArmor = container.securityContext?.appArmorProfile ?? own?.appArmorProfile;
      const annotation = annotations?.[appArmorPrefix + container.name];
      return appArmor && annotation !== undefined
        ? matchProfile(annotation, appArmor, `${at}.securityContext.appArmorProfile`, "apparmor")
        : [];
    }),
  ];
}

function matchProfile(annotation: string, profile: Profile, path: string, what: "seccomp" | "apparmor"): Problem[] {
  const wrongType = [forbidden(`${path}.type`, `${what} type in annotation and field must match`)];
  if (profile.type === "Unconfined") return annotation === "unconfined" ? [] : wrongType;
  if (profile.type === "RuntimeDefault") {
    return annotation === "runtime/default" || (what === "seccomp" && annotation === "docker/default") ? [] : wrongType;
  }
  if (profile.type !== "Localhost") return [];
  if (!annotation.startsWith("localhost/")) return wrongType;
  return annotation.slice("localhost/".length) === profile.localhostProfile
    ? []
    : [forbidden(`${path}.localhostProfile`, `${what} profile in annotation and field must match`)];
}
