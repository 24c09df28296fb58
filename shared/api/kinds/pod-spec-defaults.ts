/** Defaults of pod specs, wherever they stand: in a Pod and in the templates of every workload. */
import type {
  Container,
  ContainerPort,
  EnvVar,
  EphemeralContainer,
  Lifecycle,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Volume,
} from "../generated/types.ts";
import { defaultPullPolicy } from "../image-name.ts";
import type { ObjectMeta } from "../objects.ts";
import { canonicalQuantity, toMilli } from "../quantity.ts";

type Resources = { limits?: Record<string, string> | undefined; requests?: Record<string, string> | undefined };

/** Resource amounts have at most three decimal digits; finer ones are rounded up. */
export function roundResources(resources: Resources | undefined): void {
  for (const list of [resources?.limits, resources?.requests]) {
    for (const [name, amount] of Object.entries(list ?? {})) {
      if (/[nu]$/.test(amount) && list) list[name] = canonicalQuantity(`${toMilli(amount)}m`);
    }
  }
}

/** A pod template as every workload carries it; `metadata` is always there. */
export function defaultPodTemplate(template: PodTemplateSpec | undefined): void {
  if (template === undefined) return;
  template.metadata ??= {} as ObjectMeta;
  template.spec ??= { containers: [] };
  defaultPodSpec(template.spec);
  dropDisabledFields(template.spec);
}

/** Takes away what belongs to features which Kubernetes 1.36 has off by default: it is not stored, and not refused. */
export function dropDisabledFields(spec: PodSpec): void {
  delete spec.schedulingGroup;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])]) {
    const { lifecycle } = container;
    if (lifecycle?.stopSignal === undefined) continue;
    delete lifecycle.stopSignal;
    if (!lifecycle.postStart && !lifecycle.preStop) delete container.lifecycle;
  }
  for (const { projected } of spec.volumes ?? []) {
    for (const source of projected?.sources ?? []) {
      delete source.clusterTrustBundle;
      delete source.podCertificate;
    }
  }
}

export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  // The older name of the field is kept in step with the newer one.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) defaultContainer(container);
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container);
  roundResources(spec.resources);
  for (const [name, amount] of Object.entries(spec.overhead ?? {})) {
    const rounded: Resources = { limits: { [name]: amount } };
    roundResources(rounded);
    Object.assign(spec.overhead ?? {}, rounded.limits);
  }
}

export function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? "");
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  container.resources ??= {};
  roundResources(container.resources);
  for (const port of container.ports ?? []) defaultPort(port);
  for (const variable of container.env ?? []) defaultEnvironment(variable);
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) defaultProbe(probe);
  defaultLifecycle(container.lifecycle);
}

function defaultPort(port: ContainerPort): void {
  port.protocol ||= "TCP";
}

function defaultEnvironment(variable: EnvVar): void {
  const from = variable.valueFrom;
  if (from?.fieldRef) from.fieldRef.apiVersion ||= "v1";
  if (from?.fileKeyRef) from.fileKeyRef.optional ??= false;
  if (from?.resourceFieldRef) from.resourceFieldRef.divisor ??= "0";
}

function defaultProbe(probe: Probe | undefined): void {
  if (probe === undefined) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  defaultHttpGet(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= "";
}

function defaultLifecycle(lifecycle: Lifecycle | undefined): void {
  defaultHttpGet(lifecycle?.postStart?.httpGet);
  defaultHttpGet(lifecycle?.preStop?.httpGet);
}

function defaultHttpGet(action: { path?: string | undefined; scheme?: string | undefined } | undefined): void {
  if (action === undefined) return;
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

/** Files of volumes are readable by everybody and writable by their owner unless the volume says otherwise. */
const readableMode = 0o644;

export function defaultVolume(volume: Volume): void {
  const { name: _, ...source } = volume;
  if (Object.values(source).every((value) => value === undefined)) volume.emptyDir = {};
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.secret) volume.secret.defaultMode ??= readableMode;
  if (volume.configMap) volume.configMap.defaultMode ??= readableMode;
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= readableMode;
    for (const item of volume.downwardAPI.items ?? []) defaultDownwardItem(item);
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= readableMode;
    for (const part of volume.projected.sources ?? []) {
      for (const item of part.downwardAPI?.items ?? []) defaultDownwardItem(item);
      if (part.serviceAccountToken) part.serviceAccountToken.expirationSeconds ??= 3600;
    }
  }
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? "");
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= "default";
  if (volume.rbd) {
    volume.rbd.pool ||= "rbd";
    volume.rbd.user ||= "admin";
    volume.rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (volume.azureDisk) {
    volume.azureDisk.cachingMode ??= "ReadWrite";
    volume.azureDisk.fsType ??= "ext4";
    volume.azureDisk.readOnly ??= false;
    volume.azureDisk.kind ??= "Shared";
  }
  if (volume.scaleIO) {
    volume.scaleIO.storageMode ||= "ThinProvisioned";
    volume.scaleIO.fsType ||= "xfs";
  }
  const claim = volume.ephemeral?.volumeClaimTemplate;
  if (claim) {
    claim.metadata ??= {} as ObjectMeta;
    defaultClaimSpec((claim.spec ??= {}));
  }
}

interface DownwardItem {
  fieldRef?: { apiVersion?: string | undefined } | undefined;
  resourceFieldRef?: { divisor?: string | undefined } | undefined;
}

function defaultDownwardItem(item: DownwardItem): void {
  if (item.fieldRef) item.fieldRef.apiVersion ||= "v1";
  if (item.resourceFieldRef) item.resourceFieldRef.divisor ??= "0";
}

/** Also used by claims that stand on their own. */
export function defaultClaimSpec(spec: { volumeMode?: string | undefined; resources?: Resources | undefined }): void {
  spec.volumeMode ??= "Filesystem";
  spec.resources ??= {};
  roundResources(spec.resources);
}
