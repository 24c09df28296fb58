/** Probes with defaults filled in and ports resolved, for whoever runs them beside the containers. */
import type { Container, Probe } from "../../api/generated/types.ts";
import type { ContainerProbes, ProbeSpec } from "../probes.ts";
import type { Findings } from "./problems.ts";

export function translateProbes(container: Container, field: string, findings: Findings): ContainerProbes | undefined {
  const one = (probe: Probe | undefined, name: string) =>
    probe ? translateProbe(probe, container, `${field}.${name}`, findings) : undefined;
  const startup = one(container.startupProbe, "startupProbe");
  const readiness = one(container.readinessProbe, "readinessProbe");
  const liveness = one(container.livenessProbe, "livenessProbe");
  if (!startup && !readiness && !liveness) return undefined;
  return { ...(startup && { startup }), ...(readiness && { readiness }), ...(liveness && { liveness }) };
}

function translateProbe(probe: Probe, container: Container, field: string, findings: Findings): ProbeSpec | undefined {
  const action = translateAction(probe, container, field, findings);
  if (!action) return undefined;
  if (probe.terminationGracePeriodSeconds !== undefined) {
    findings.warn(`${field}.terminationGracePeriodSeconds`, "a container that fails its probe is stopped like any other");
  }
  return {
    action,
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    periodSeconds: probe.periodSeconds || 10,
    timeoutSeconds: probe.timeoutSeconds || 1,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
}

/** What a probe or a hook does, with named ports resolved. */
export function translateAction(
  probe: Pick<Probe, "exec" | "httpGet" | "tcpSocket" | "grpc">,
  container: Container,
  field: string,
  findings: Findings,
): ProbeSpec["action"] | undefined {
  const resolve = (port: number | string, at: string): number | undefined => {
    if (typeof port === "number") return port;
    const named = container.ports?.find(({ name }) => name === port)?.containerPort ?? (/^\d+$/.test(port) ? Number(port) : undefined);
    if (named === undefined) findings.refuse(at, `the container has no port named "${port}"`);
    return named;
  };
  const { exec, httpGet, tcpSocket, grpc } = probe;
  if (exec) return { type: "exec", command: exec.command ?? [] };
  if (httpGet) {
    const port = resolve(httpGet.port, `${field}.httpGet.port`);
    if (port === undefined) return undefined;
    return {
      type: "httpGet",
      scheme: httpGet.scheme === "HTTPS" ? "HTTPS" : "HTTP",
      ...(httpGet.host && { host: httpGet.host }),
      port,
      path: httpGet.path || "/",
      headers: (httpGet.httpHeaders ?? []).map(({ name, value }) => [name, value] as const),
    };
  }
  if (tcpSocket) {
    const port = resolve(tcpSocket.port, `${field}.tcpSocket.port`);
    return port === undefined ? undefined : { type: "tcpSocket", ...(tcpSocket.host && { host: tcpSocket.host }), port };
  }
  if (grpc) return { type: "grpc", port: grpc.port, service: grpc.service ?? "" };
  return undefined;
}
