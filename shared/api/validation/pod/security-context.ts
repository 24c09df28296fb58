/** Security contexts of Pods and containers. */
import type { Container, PodSpec, Sysctl } from "../../generated/types.ts";
import { wholeNumber } from "../../json.ts";
import type { Problem } from "../../kind.ts";
import { dnsSubdomainProblems, idProblems } from "../../names.ts";
import type { Given } from "../given.ts";
import { validateDescendingPath } from "../paths.ts";
import { duplicate, eachItem, forbidden, invalid, invalidEach, notSupported, required, tooLong } from "../problems.ts";
import { oneOf } from "../values.ts";

type PodContext = NonNullable<PodSpec["securityContext"]>;
type ContainerContext = NonNullable<Container["securityContext"]>;

interface Profile {
  readonly type: string;
  readonly localhostProfile?: string | undefined;
}

const profileTypes = ["Localhost", "RuntimeDefault", "Unconfined"];

const validateId = (id: number | undefined, field: string): Problem[] =>
  id === undefined ? [] : invalidEach(field, id, idProblems(wholeNumber(id)));

function validateSeccomp(profile: Profile | undefined, path: string): Problem[] {
  if (!profile) return [];
  const field = `${path}.localhostProfile`;
  const problems: Problem[] = [];
  if (!profile.type) problems.push(required(`${path}.type`, "type is required when seccompProfile is set"));
  else problems.push(...oneOf(profile.type, profileTypes, `${path}.type`));
  if (profile.type === "Localhost") {
    if (profile.localhostProfile === undefined) problems.push(required(field, "must be set when seccomp type is Localhost"));
    else problems.push(...validateDescendingPath(profile.localhostProfile, field));
  } else if (profile.localhostProfile !== undefined) {
    problems.push(
      invalid(field, { Type: profile.type, LocalhostProfile: profile.localhostProfile }, "can only be set when seccomp type is Localhost"),
    );
  }
  return problems;
}

const longestPath = 4095;

export function validateAppArmor(profile: Profile | undefined, path: string): Problem[] {
  if (!profile) return [];
  const name = profile.localhostProfile;
  const field = `${path}.localhostProfile`;
  if (!profile.type) return [required(`${path}.type`, "type is required when appArmorProfile is set")];
  if (!profileTypes.includes(profile.type)) return [notSupported(`${path}.type`, profile.type, profileTypes)];
  if (profile.type !== "Localhost") {
    return name === undefined ? [] : [invalid(field, name, "can only be set when AppArmor type is Localhost")];
  }
  if (name === undefined) return [required(field, "must be set when AppArmor type is Localhost")];
  return [
    ...(name.trim() !== name ? [invalid(field, name, "must not be padded with whitespace")] : []),
    ...(name === "" ? [required(field, "must be set when AppArmor type is Localhost")] : []),
    ...(Buffer.byteLength(name) > longestPath ? [tooLong(field, longestPath)] : []),
  ];
}

const sysctlSegment = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
const sysctlPattern = `^(${sysctlSegment}[\\./])*${sysctlSegment}$`;
/** Kernel settings that belong to the namespaces which a Pod may share with its host. */
const networkSysctl = /^net[./]/;
const ipcSysctl = /^(kernel[./](sem|shm|shmall|shmmax|shmmni|shm_rmid_forced|msg|msgmax|msgmnb|msgmni)$|fs[./]mqueue[./])/;

const validateSysctls = (context: PodContext, spec: PodSpec, path: string): Problem[] => {
  const seen = new Set<string>();
  return eachItem(path, context.sysctls, ({ name = "" }: Given<Sysctl>, at) => {
    const field = `${at}.name`;
    const problems: Problem[] = [];
    if (!name) problems.push(required(field));
    else if (name.length > 253 || !new RegExp(sysctlPattern).test(name)) {
      problems.push(invalid(field, name, `must have at most 253 characters and match regex ${sysctlPattern}`));
    } else if (seen.has(name)) problems.push(duplicate(field, name));
    if (spec.hostNetwork && networkSysctl.test(name)) {
      problems.push(invalid(field, name, "may not be specified when 'hostNetwork' is true"));
    } else if (spec.hostIPC && ipcSysctl.test(name)) {
      problems.push(invalid(field, name, "may not be specified when 'hostIPC' is true"));
    }
    seen.add(name);
    return problems;
  });
};

export function validatePodSecurityContext(spec: PodSpec, path: string): Problem[] {
  const context = spec.securityContext;
  if (!context) return [];
  const problems = [
    ...validateId(context.fsGroup, `${path}.fsGroup`),
    ...validateId(context.runAsUser, `${path}.runAsUser`),
    ...validateId(context.runAsGroup, `${path}.runAsGroup`),
    ...eachItem(`${path}.supplementalGroups`, context.supplementalGroups, validateId),
  ];
  if (spec.hostPID && spec.shareProcessNamespace) {
    problems.push(invalid(`${path}.shareProcessNamespace`, true, "ShareProcessNamespace and HostPID cannot both be enabled"));
  }
  return [
    ...problems,
    ...validateSysctls(context, spec, `${path}.sysctls`),
    ...given(context.fsGroupChangePolicy, ["Always", "OnRootMismatch"], `${path}.fsGroupChangePolicy`),
    ...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`),
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
    ...given(context.supplementalGroupsPolicy, ["Merge", "Strict"], `${path}.supplementalGroupsPolicy`),
    ...given(context.seLinuxChangePolicy, ["Recursive"], `${path}.seLinuxChangePolicy`),
  ];
}

/** Unlike {@link oneOf}, an empty text counts as a wrong value. */
const given = (value: string | undefined, supported: readonly string[], field: string): Problem[] =>
  value === undefined || supported.includes(value) ? [] : [notSupported(field, value, supported)];

export function validateContainerSecurityContext(context: ContainerContext | undefined, hostUsers: boolean, path: string): Problem[] {
  if (!context) return [];
  const { procMount } = context;
  const problems = [...validateId(context.runAsUser, `${path}.runAsUser`), ...validateId(context.runAsGroup, `${path}.runAsGroup`)];
  problems.push(...given(procMount, ["Default", "Unmasked"], `${path}.procMount`));
  if (hostUsers && procMount === "Unmasked") {
    problems.push(invalid(`${path}.procMount`, procMount, "`hostUsers` must be false to use `Unmasked`"));
  }
  problems.push(...validateSeccomp(context.seccompProfile, `${path}.seccompProfile`));
  if (context.allowPrivilegeEscalation === false) {
    const shown = internalContext(context);
    if (context.privileged) {
      problems.push(invalid(path, shown, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"));
    }
    if (context.capabilities?.add?.includes("CAP_SYS_ADMIN")) {
      problems.push(invalid(path, shown, "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"));
    }
  }
  return [
    ...problems,
    ...validateWindowsOptions(context.windowsOptions, `${path}.windowsOptions`),
    ...validateAppArmor(context.appArmorProfile, `${path}.appArmorProfile`),
  ];
}

/** Kubernetes shows the whole context, under the names of its own structures and with everything that is not set. */
const internalContext = (context: ContainerContext): object => ({
  Capabilities: context.capabilities ? { Add: context.capabilities.add ?? null, Drop: context.capabilities.drop ?? null } : null,
  Privileged: context.privileged ?? null,
  SELinuxOptions: context.seLinuxOptions ?? null,
  WindowsOptions: context.windowsOptions ?? null,
  RunAsUser: context.runAsUser ?? null,
  RunAsGroup: context.runAsGroup ?? null,
  RunAsNonRoot: context.runAsNonRoot ?? null,
  ReadOnlyRootFilesystem: context.readOnlyRootFilesystem ?? null,
  AllowPrivilegeEscalation: context.allowPrivilegeEscalation ?? null,
  ProcMount: context.procMount ?? null,
  SeccompProfile: context.seccompProfile ?? null,
  AppArmorProfile: context.appArmorProfile ?? null,
});

type WindowsOptions = NonNullable<PodContext["windowsOptions"]>;

function validateWindowsOptions(options: WindowsOptions | undefined, path: string): Problem[] {
  const { gmsaCredentialSpecName: specName, gmsaCredentialSpec: credentials, runAsUserName: user } = options ?? {};
  const problems: Problem[] = [];
  if (specName !== undefined) problems.push(...invalidEach(`${path}.gmsaCredentialSpecName`, specName, dnsSubdomainProblems(specName)));
  if (credentials === "") {
    problems.push(invalid(`${path}.gmsaCredentialSpec`, credentials, "gmsaCredentialSpec cannot be an empty string"));
  } else if (credentials !== undefined && Buffer.byteLength(credentials) > 65_536) {
    problems.push(invalid(`${path}.gmsaCredentialSpec`, credentials, "gmsaCredentialSpec size must be under 64 KiB"));
  }
  if (user !== undefined) {
    problems.push(...userNameProblems(user).map((message) => invalid(`${path}.runAsUserName`, user, message)));
  }
  return problems;
}

/** `DOMAIN\user` or `user`, as Windows takes them. */
function userNameProblems(name: string): string[] {
  if (name === "") return ["runAsUserName cannot be an empty string"];
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\x00-\x1f\x7f]/.test(name)) return ["runAsUserName cannot contain control characters"];
  const parts = name.split("\\");
  if (parts.length > 2) return ["runAsUserName cannot contain more than one backslash"];
  const domain = parts.length === 2 ? parts[0] : undefined;
  const user = parts.at(-1) ?? "";
  const problems: string[] = [];
  if (domain !== undefined) {
    if (domain.length >= 256) problems.push("runAsUserName's Domain length must be under 256 characters");
    const isNetBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/.test(domain);
    const isDns = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/.test(domain);
    if (!isNetBios && !isDns) problems.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user === "") problems.push("runAsUserName's User cannot be empty");
  else if (user.length > 104) problems.push("runAsUserName's User length must not be longer than 104 characters");
  if (/^[. ]+$/.test(user)) problems.push("runAsUserName's User cannot contain only periods or spaces");
  if (/["/\\:;|=,+*?<>@[\]]/.test(user)) {
    problems.push("runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
  }
  return problems;
}

type Checked = readonly [path: string, container: Container];

/** Host processes on Windows: all containers of a Pod or none, and only in the host's network. */
export function validateHostProcesses(spec: PodSpec, containers: readonly Checked[], path: string): Problem[] {
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess;
  const problems: Problem[] = [];
  let hostProcesses = 0;
  for (const [at, container] of containers) {
    const own = container.securityContext?.windowsOptions?.hostProcess;
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      const field = `${at}.securityContext.windowsOptions.hostProcess`;
      problems.push(invalid(field, own, `pod hostProcess value must be identical if both are specified, was ${ofPod}`));
    }
    if (own ?? ofPod) hostProcesses++;
  }
  if (hostProcesses === 0) return problems;
  if (hostProcesses !== containers.length) {
    problems.push(invalid(path, "", "If pod contains any hostProcess containers then all containers must be HostProcess containers"));
  }
  if (!spec.hostNetwork) {
    problems.push(invalid(`${path}.hostNetwork`, false, "hostNetwork must be true if pod contains any hostProcess containers"));
  }
  return problems;
}

/** What only the other operating system knows. */
export function validateForSystem(spec: PodSpec, containers: readonly Checked[], path: string): Problem[] {
  const system = spec.os?.name;
  if (system === "linux") {
    const detail = "windows options cannot be set for a linux pod";
    return [
      ...(spec.securityContext?.windowsOptions ? [forbidden(`${path}.securityContext.windowsOptions`, detail)] : []),
      ...containers
        .filter(([, { securityContext }]) => securityContext?.windowsOptions)
        .map(([at]) => forbidden(`${at}.securityContext.windowsOptions`, detail)),
    ];
  }
  if (system !== "windows") return [];
  const detail = "cannot be set for a windows pod";
  const own = spec.securityContext;
  const set = (object: object | undefined, at: string, fields: readonly string[]): Problem[] =>
    fields
      .filter((field) => {
        const value = (object as Record<string, unknown> | undefined)?.[field];
        return value !== undefined && value !== false;
      })
      .map((field) => forbidden(`${at}.${field}`, detail));
  return [
    ...set(own, `${path}.securityContext`, ["appArmorProfile", "seLinuxOptions"]),
    ...(spec.hostUsers === undefined ? [] : [forbidden(`${path}.hostUsers`, detail)]),
    ...set(spec, path, ["hostPID", "hostIPC"]),
    ...set(own, `${path}.securityContext`, ["seccompProfile", "fsGroup", "fsGroupChangePolicy"]),
    ...((own?.sysctls ?? []).length > 0 ? [forbidden(`${path}.securityContext.sysctls`, detail)] : []),
    ...(spec.shareProcessNamespace === undefined ? [] : [forbidden(`${path}.shareProcessNamespace`, detail)]),
    ...set(own, `${path}.securityContext`, [
      "runAsUser",
      "runAsGroup",
      "supplementalGroups",
      "supplementalGroupsPolicy",
      "seLinuxChangePolicy",
    ]),
    ...containers.flatMap(([at, { securityContext }]) =>
      Object.entries(securityContext ?? {})
        .filter(([field, value]) => linuxOnly.has(field) && value !== undefined)
        .map(([field]) => forbidden(`${at}.securityContext.${field}`, detail)),
    ),
  ];
}

const linuxOnly = new Set([
  "appArmorProfile",
  "seLinuxOptions",
  "seccompProfile",
  "capabilities",
  "readOnlyRootFilesystem",
  "privileged",
  "allowPrivilegeEscalation",
  "procMount",
  "runAsUser",
  "runAsGroup",
]);
