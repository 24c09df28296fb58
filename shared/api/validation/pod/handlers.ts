/** Probes and lifecycle hooks. */
import type { Container, Lifecycle, PodSpec, Probe } from "../../generated/types.ts";
import { wholeNumber } from "../../json.ts";
import type { Problem } from "../../kind.ts";
import { httpHeaderNameProblems, portNumberProblems } from "../../names.ts";
import { forbidden, invalid, invalidEach, notSupported, required } from "../problems.ts";
import { nonNegative, validatePortNumberOrName } from "../values.ts";

type Handler = Probe & NonNullable<Lifecycle["preStop"]>;

/** @param graceSeconds the Pod's grace period, which a sleep must fit into; undefined when it is wrong itself */
function validateHandler(handler: Handler, graceSeconds: number | undefined, path: string): Problem[] {
  const checks = [
    ["exec", handler.exec, (at: string) => ((handler.exec?.command ?? []).length > 0 ? [] : [required(`${at}.command`)])],
    ["httpGet", handler.httpGet, (at: string) => validateHttpGet(handler.httpGet ?? { port: 0 }, at)],
    ["tcpSocket", handler.tcpSocket, (at: string) => validatePortNumberOrName(handler.tcpSocket?.port, `${at}.port`)],
    ["grpc", handler.grpc, (at: string) => invalidEach(`${at}.port`, handler.grpc?.port ?? 0, portNumberProblems(handler.grpc?.port ?? 0))],
    ["sleep", handler.sleep, (at: string) => validateSleep(handler.sleep?.seconds ?? 0, graceSeconds, at)],
  ] as const;
  const given = checks.filter(([, value]) => value !== undefined);
  if (given.length === 0) return [required(path, "must specify a handler type")];
  return given.flatMap(([name, , check], index) =>
    index === 0 ? check(`${path}.${name}`) : [forbidden(`${path}.${name}`, "may not specify more than 1 handler type")],
  );
}

function validateHttpGet(action: NonNullable<Probe["httpGet"]>, path: string): Problem[] {
  return [
    ...(action.path ? [] : [required(`${path}.path`)]),
    ...validatePortNumberOrName(action.port, `${path}.port`),
    ...(action.scheme === "HTTP" || action.scheme === "HTTPS"
      ? []
      : [notSupported(`${path}.scheme`, action.scheme ?? "", ["HTTP", "HTTPS"])]),
    ...(action.httpHeaders ?? []).flatMap(({ name }) => invalidEach(`${path}.httpHeaders`, name, httpHeaderNameProblems(name))),
  ];
}

const validateSleep = (seconds: number, graceSeconds: number | undefined, path: string): Problem[] =>
  graceSeconds !== undefined && (wholeNumber(seconds) < 0 || wholeNumber(seconds) > wholeNumber(graceSeconds))
    ? [invalid(path, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`)]
    : [];

function validateProbe(probe: Probe, graceSeconds: number | undefined, path: string): Problem[] {
  const own = probe.terminationGracePeriodSeconds;
  return [
    ...validateHandler(probe, graceSeconds, path),
    ...nonNegative(probe.initialDelaySeconds, `${path}.initialDelaySeconds`),
    ...nonNegative(probe.timeoutSeconds, `${path}.timeoutSeconds`),
    ...nonNegative(probe.periodSeconds, `${path}.periodSeconds`),
    ...nonNegative(probe.successThreshold, `${path}.successThreshold`),
    ...nonNegative(probe.failureThreshold, `${path}.failureThreshold`),
    ...(own !== undefined && wholeNumber(own) <= 0
      ? [invalid(`${path}.terminationGracePeriodSeconds`, own, "must be greater than 0")]
      : []),
  ];
}

const succeedsAtOnce = (probe: Probe, path: string): Problem[] =>
  probe.successThreshold === 1 ? [] : [invalid(`${path}.successThreshold`, probe.successThreshold ?? 0, "must be 1")];

/** All probes and hooks of a container that runs for the Pod's life: a regular one, or a sidecar. */
export function validateProbesAndHooks(container: Container, graceSeconds: number | undefined, path: string, os: PodSpec["os"]): Problem[] {
  const { lifecycle, livenessProbe, readinessProbe, startupProbe } = container;
  const problems: Problem[] = [];
  if (lifecycle) problems.push(...validateLifecycle(lifecycle, graceSeconds, `${path}.lifecycle`, os));
  if (livenessProbe) {
    const at = `${path}.livenessProbe`;
    problems.push(...validateProbe(livenessProbe, graceSeconds, at), ...succeedsAtOnce(livenessProbe, at));
  }
  if (readinessProbe) {
    const at = `${path}.readinessProbe`;
    problems.push(...validateProbe(readinessProbe, graceSeconds, at));
    const own = readinessProbe.terminationGracePeriodSeconds;
    if (own !== undefined) problems.push(invalid(`${at}.terminationGracePeriodSeconds`, own, "must not be set for readinessProbes"));
  }
  if (startupProbe) {
    const at = `${path}.startupProbe`;
    problems.push(...validateProbe(startupProbe, graceSeconds, at), ...succeedsAtOnce(startupProbe, at));
  }
  return problems;
}

function validateLifecycle(lifecycle: Lifecycle, graceSeconds: number | undefined, path: string, os: PodSpec["os"]): Problem[] {
  const { postStart, preStop, stopSignal } = lifecycle;
  return [
    ...(postStart ? validateHandler(postStart, graceSeconds, `${path}.postStart`) : []),
    ...(preStop ? validateHandler(preStop, graceSeconds, `${path}.preStop`) : []),
    ...(stopSignal && !os ? [forbidden(`${path}.stopSignal`, "may not be set for containers with empty `spec.os.name`")] : []),
  ];
}
