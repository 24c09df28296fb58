/**
 * CPU and memory of a Pod as Amazon ECS reserves them. ECS adds up all containers of a task, init containers included; Kubernetes
 * counts init containers only where they need more than what runs later. So an init container gets only the difference: then the
 * task never reserves more than the scheduler booked (`bookedFor`). Rounded down, so that sums cannot pass the machine's.
 */
import type { Container, Pod } from "../../api/generated/types.ts";
import { amountsOf } from "../../scheduler/amounts.ts";
import { isSidecar, minimumContainerMemoryBytes, podRequests } from "../../scheduler/requests.ts";

const mebibyte = 1024 * 1024;
const minimumMib = minimumContainerMemoryBytes / mebibyte;
/** CPU units of a task per thousandth of a core. */
const unitsPerMilli = 1.024;

export interface Reservation {
  readonly cpu?: number;
  /** MiB, hard limit. */
  readonly memory?: number;
  /** MiB. */
  readonly memoryReservation?: number;
}

const asked = (container: Container) => amountsOf(container.resources?.requests);

/** By container name. */
export function reservations(pod: Pod): ReadonlyMap<string, Reservation> {
  const init = pod.spec.initContainers ?? [];
  const together = [...init.filter(isSidecar), ...pod.spec.containers];
  const starting = init.filter((container) => !isSidecar(container));
  const whole = podRequests(pod);
  const total = (resource: "cpu" | "memory") => together.reduce((sum, container) => sum + (asked(container)[resource] ?? 0), 0);

  const result = new Map<string, Reservation>();
  for (const container of together) {
    result.set(container.name, reservation(container, asked(container).cpu ?? 0, asked(container).memory ?? 0));
  }
  const spare = { cpu: Math.max(0, (whole.cpu ?? 0) - total("cpu")), memory: Math.max(0, (whole.memory ?? 0) - total("memory")) };
  const neediest = (resource: "cpu" | "memory") =>
    starting.toSorted((one, other) => (asked(other)[resource] ?? 0) - (asked(one)[resource] ?? 0))[0];
  for (const container of starting) {
    const share = (resource: "cpu" | "memory") =>
      container === neediest(resource) ? Math.min(spare[resource], asked(container)[resource] ?? 0) : 0;
    result.set(container.name, reservation(container, share("cpu"), share("memory")));
  }
  return result;
}

function reservation(container: Container, cpuMilli: number, memoryBytes: number): Reservation {
  const cpu = Math.floor(cpuMilli * unitsPerMilli);
  const reserved = Math.max(minimumMib, Math.floor(memoryBytes / mebibyte));
  const limitBytes = amountsOf(container.resources?.limits).memory;
  const limit = limitBytes === undefined ? undefined : Math.max(minimumMib, Math.floor(limitBytes / mebibyte));
  return {
    ...(cpu > 0 && { cpu }),
    ...(limit !== undefined && { memory: limit }),
    ...((limit === undefined || limit > reserved) && { memoryReservation: reserved }),
  };
}
