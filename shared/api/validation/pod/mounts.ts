/** Where containers see volumes: as folders (mounts) or as block devices. */
import type { Container, Volume, VolumeDevice } from "../../generated/types.ts";
import type { Problem } from "../../kind.ts";
import type { Given } from "../given.ts";
import { validateDescendingPath, validateNoBacksteps } from "../paths.ts";
import { eachItem, forbidden, invalid, notFoundValue, notSupported, required } from "../problems.ts";

const propagations = ["Bidirectional", "HostToContainer", "None"];
const recursiveModes = ["Disabled", "Enabled", "IfPossible"];

type Mount = NonNullable<Container["volumeMounts"]>[number];

export function validateMounts(container: Container, volumes: ReadonlyMap<string, Volume>, path: string): Problem[] {
  const devices = container.volumeDevices ?? [];
  const devicePaths = new Set(new Map(devices.map((device) => [device.name, device.devicePath])).values());
  const list = `${path}.volumeMounts`;
  const seen = new Set<string>();
  return eachItem(list, container.volumeMounts, (mount, at) => {
    const { name = "", mountPath = "", subPath, subPathExpr } = mount as Given<Mount>;
    const problems: Problem[] = [];
    if (!name) problems.push(required(`${at}.name`));
    if (!volumes.has(name)) problems.push(notFoundValue(`${at}.name`, name));
    if (!mountPath) problems.push(required(`${at}.mountPath`));
    if (seen.has(mountPath)) problems.push(invalid(`${at}.mountPath`, mountPath, "must be unique"));
    seen.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      problems.push(invalid(`${at}.name`, name, "must not already exist in volumeDevices"));
    }
    if (devicePaths.has(mountPath)) {
      problems.push(invalid(`${at}.mountPath`, mountPath, "must not already exist as a path in volumeDevices"));
    }
    // For the fields below Kubernetes names the list, not the entry.
    if (subPath) problems.push(...validateDescendingPath(subPath, `${list}.subPath`));
    if (subPathExpr) {
      if (subPath) problems.push(invalid(`${at}.subPathExpr`, subPathExpr, "subPathExpr and subPath are mutually exclusive"));
      problems.push(...validateDescendingPath(subPathExpr, `${list}.subPathExpr`));
    }
    return [...problems, ...validatePropagation(mount, container, list), ...validateRecursive(mount, list)];
  });
}

function validatePropagation({ mountPropagation: mode }: Mount, container: Container, list: string): Problem[] {
  const field = `${list}.mountPropagation`;
  if (mode === undefined) return [];
  if (!propagations.includes(mode)) return [notSupported(field, mode, propagations)];
  return mode === "Bidirectional" && container.securityContext?.privileged !== true
    ? [forbidden(field, "Bidirectional mount propagation is available only to privileged containers")]
    : [];
}

function validateRecursive(mount: Mount, list: string): Problem[] {
  const field = `${list}.recursiveReadOnly`;
  const mode = mount.recursiveReadOnly;
  if (mode === undefined || mode === "Disabled") return [];
  if (!recursiveModes.includes(mode)) return [notSupported(field, mode, recursiveModes)];
  const propagates = mount.mountPropagation !== undefined && mount.mountPropagation !== "None";
  return [
    ...(mount.readOnly ? [] : [forbidden(field, "may only be specified when readOnly is true")]),
    ...(propagates ? [forbidden(field, "may only be specified when mountPropagation is None or not specified")] : []),
  ];
}

export function validateDevices(container: Container, volumes: ReadonlyMap<string, Volume>, path: string): Problem[] {
  const mounts = container.volumeMounts ?? [];
  // Of several mounts of one volume the last one counts.
  const mountPaths = new Set(new Map(mounts.map((mount) => [mount.name, mount.mountPath])).values());
  const names = new Set<string>();
  const paths = new Set<string>();
  return eachItem(`${path}.volumeDevices`, container.volumeDevices, (device, at) => {
    const { name = "", devicePath = "" } = device as Given<VolumeDevice>;
    const volume = volumes.get(name);
    const problems: Problem[] = [];
    if (!name) problems.push(required(`${at}.name`));
    if (names.has(name)) problems.push(invalid(`${at}.name`, name, "must be unique"));
    if (!volume) problems.push(notFoundValue(`${at}.name`, name));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      problems.push(invalid(`${at}.name`, name, "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode"));
    }
    if (!devicePath) problems.push(required(`${at}.devicePath`));
    if (paths.has(devicePath)) problems.push(invalid(`${at}.devicePath`, devicePath, "must be unique"));
    if (validateNoBacksteps(devicePath, "").length > 0) {
      problems.push(invalid(`${at}.devicePath`, devicePath, "can not contain backsteps ('..')"));
    } else paths.add(devicePath);
    if (mounts.some((mount) => mount.name === name)) {
      problems.push(invalid(`${at}.name`, name, "must not already exist in volumeMounts"));
    }
    if (mountPaths.has(devicePath)) {
      problems.push(invalid(`${at}.devicePath`, devicePath, "must not already exist as a path in volumeMounts"));
    }
    if (name) names.add(name);
    return problems;
  });
}
