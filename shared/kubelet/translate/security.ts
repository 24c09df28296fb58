/** Security contexts: what Amazon ECS can express of them, and what not. */
import type { Container, Pod } from "../../api/generated/types.ts";
import type { ContainerDefinition } from "../task-engine.ts";
import { type Findings, NotReadyError } from "./problems.ts";

type SecurityDefinition = Pick<ContainerDefinition, "user" | "readonlyRootFilesystem" | "linuxParameters" | "dockerSecurityOptions">;

const hostAccess = "it makes the container owner of the machine and of every Pod on it";

/** @throws {NotReadyError} when root is asked for and forbidden at once */
export function translateSecurity(pod: Pod, container: Container, field: string, findings: Findings): SecurityDefinition {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const at = `${field}.securityContext`;
  if (own.privileged) findings.refuse(`${at}.privileged`, hostAccess);
  if (own.procMount && own.procMount !== "Default") findings.refuse(`${at}.procMount`, "only Default is supported");
  if (own.seLinuxOptions) findings.refuse(`${at}.seLinuxOptions`, "not supported");
  if (own.windowsOptions) findings.refuse(`${at}.windowsOptions`, "not supported");
  profile(own.seccompProfile?.type, `${at}.seccompProfile`, findings);
  profile(own.appArmorProfile?.type, `${at}.appArmorProfile`, findings);

  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  if (own.runAsNonRoot ?? shared.runAsNonRoot) {
    if (user === 0) {
      throw new NotReadyError(
        `container's runAsUser breaks non-root policy (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
      );
    }
    if (user === undefined) {
      const where = own.runAsNonRoot === undefined ? "spec.securityContext" : at;
      findings.warn(`${where}.runAsNonRoot`, "the image's user is not known here; set runAsUser to be sure");
    }
  }
  if (user === undefined && group !== undefined) {
    const where = own.runAsGroup === undefined ? "spec.securityContext" : at;
    findings.refuse(`${where}.runAsGroup`, "a group can only be set together with runAsUser");
  }
  const { add, drop } = own.capabilities ?? {};
  const capabilities = { ...(add?.length && { add: add.map(capability) }), ...(drop?.length && { drop: drop.map(capability) }) };
  return {
    ...(user !== undefined && { user: group === undefined ? String(user) : `${user}:${group}` }),
    ...(own.readOnlyRootFilesystem && { readonlyRootFilesystem: true }),
    ...(own.allowPrivilegeEscalation === false && { dockerSecurityOptions: ["no-new-privileges"] }),
    ...(Object.keys(capabilities).length > 0 && { linuxParameters: { capabilities } }),
  };
}

/** Amazon ECS names capabilities without their prefix, as Kubernetes does; some write it anyway. */
const capability = (name: string): string => name.replace(/^CAP_/, "");

function profile(type: string | undefined, field: string, findings: Findings): void {
  if (type !== undefined && type !== "RuntimeDefault") findings.refuse(field, `${type} is not supported, only RuntimeDefault`);
}

/** Fields of the Pod's own security context. */
export function checkPodSecurity(pod: Pod, findings: Findings): void {
  const { securityContext: context = {}, hostNetwork, hostPID, hostIPC, hostUsers } = pod.spec;
  if (hostNetwork) findings.refuse("spec.hostNetwork", hostAccess);
  if (hostPID) findings.refuse("spec.hostPID", hostAccess);
  if (hostIPC) findings.refuse("spec.hostIPC", hostAccess);
  if (hostUsers === false) findings.refuse("spec.hostUsers", "user namespaces are not supported");
  const at = "spec.securityContext";
  if (context.seLinuxOptions) findings.refuse(`${at}.seLinuxOptions`, "not supported");
  if (context.windowsOptions) findings.refuse(`${at}.windowsOptions`, "not supported");
  if (context.sysctls?.length) findings.refuse(`${at}.sysctls`, "not supported");
  profile(context.seccompProfile?.type, `${at}.seccompProfile`, findings);
  profile(context.appArmorProfile?.type, `${at}.appArmorProfile`, findings);
  if (context.fsGroup !== undefined) findings.warn(`${at}.fsGroup`, "the owner of volumes is not changed");
  if (context.supplementalGroups?.length) findings.warn(`${at}.supplementalGroups`, "containers run with their main group only");
}
