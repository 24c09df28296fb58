/** Node ports of Services: one number is one Service's. */
import type { Service } from "../../api/generated/types.ts";
import type { Problem } from "../../api/kind.ts";
import { invalid } from "../../api/validation/problems.ts";
import { StatusError } from "../../errors/status-error.ts";

const firstPort = 30_000;
const lastPort = 32_767;

const needsHealthCheck = ({ spec }: Service): boolean => spec?.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

const hasNodePorts = ({ spec }: Service): boolean => spec?.type === "NodePort" || spec?.type === "LoadBalancer";

const allocates = ({ spec }: Service): boolean =>
  spec?.type === "NodePort" || (spec?.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** Every node port that a Service has. */
export const portsOf = ({ spec }: Service): number[] =>
  [...(spec?.ports ?? []).map(({ nodePort }) => nodePort ?? 0), spec?.healthCheckNodePort ?? 0].filter((port) => port !== 0);

/**
 * Gives a Service the node ports that it lacks, in place.
 * @param taken those of all other Services
 * @param random in [0, 1)
 */
export function allocateNodePorts(
  next: Service,
  previous: Service | undefined,
  taken: ReadonlySet<number>,
  random: () => number,
): Problem[] {
  const own = new Set(previous ? portsOf(previous) : []);
  const used = new Set([...taken, ...portsOf(next)]);
  const problems: Problem[] = [];
  const pick = (): number => {
    const port = freePort(used, random);
    used.add(port);
    return port;
  };
  const ports = hasNodePorts(next) ? (next.spec?.ports ?? []) : [];
  /** Ports of one number share a node port, whatever their protocols. */
  const byPort = new Map(ports.filter(({ nodePort }) => nodePort).map(({ port, nodePort }) => [port, nodePort]));
  for (const [index, port] of ports.entries()) {
    if (port.nodePort) {
      if (!own.has(port.nodePort)) problems.push(...refusal(port.nodePort, taken, `spec.ports[${index}].nodePort`));
    } else if (allocates(next)) {
      port.nodePort = byPort.get(port.port) ?? pick();
      byPort.set(port.port, port.nodePort);
    }
  }
  if (needsHealthCheck(next) && next.spec) {
    const wanted = next.spec.healthCheckNodePort;
    if (!wanted) next.spec.healthCheckNodePort = pick();
    else if (!own.has(wanted)) problems.push(...refusal(wanted, taken, "spec.healthCheckNodePort"));
  }
  return problems;
}

function refusal(port: number, taken: ReadonlySet<number>, field: string): Problem[] {
  if (port < firstPort || port > lastPort) {
    return [invalid(field, port, `provided port is not in the valid range. The range of valid ports is ${firstPort}-${lastPort}`)];
  }
  return taken.has(port) ? [invalid(field, port, "provided port is already allocated")] : [];
}

function freePort(used: ReadonlySet<number>, random: () => number): number {
  const count = lastPort - firstPort + 1;
  const start = Math.floor(random() * count);
  for (let step = 0; step < count; step += 1) {
    const port = firstPort + ((start + step) % count);
    if (!used.has(port)) return port;
  }
  throw new StatusError("InternalError", "Internal error occurred: failed to allocate a nodePort: range is full");
}
