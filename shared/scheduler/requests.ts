/** What a Pod asks of its Node. */
import type { Container, Pod } from "../api/generated/types.ts";
import { type Amounts, amountsOf, largest, sum } from "./amounts.ts";

const mebibyte = 1024 * 1024;

/**
 * The least memory that a container can reserve with Amazon ECS (Docker's own minimum). Reserved for every container, whatever it asks
 * for, and so counted for every container: otherwise Pods without requests would overfill a Node.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html (memoryReservation)
 */
export const minimumContainerMemoryBytes = 6 * mebibyte;

export const isSidecar = (container: Pick<Container, "restartPolicy">): boolean => container.restartPolicy === "Always";

const requestsOf = (container: Container): Amounts => amountsOf(container.resources?.requests);

/**
 * Requests of a whole Pod, as Kubernetes adds them up: containers and sidecars run together; each init container runs beside the
 * sidecars before it; whichever moment needs more counts. Requests of the Pod itself replace the sum, overhead comes on top.
 * @see k8s.io/component-helpers/resource, PodRequests
 */
export function podRequests(pod: Pod): Amounts {
  let sidecars: Amounts = {};
  let starting: Amounts = {};
  for (const container of pod.spec.initContainers ?? []) {
    const moment = sum(sidecars, requestsOf(container));
    if (isSidecar(container)) sidecars = moment;
    starting = largest(starting, moment);
  }
  const running = sum(sidecars, ...pod.spec.containers.map(requestsOf));
  const needed = { ...largest(running, starting), ...amountsOf(pod.spec.resources?.requests) };
  return sum(needed, amountsOf(pod.spec.overhead));
}

/** What is booked on the Node for a Pod: its requests, one place, and what the engine reserves beyond the requests. */
export function bookedFor(pod: Pod): Amounts {
  const requests = podRequests(pod);
  const initContainers = pod.spec.initContainers ?? [];
  const together = [...pod.spec.containers, ...initContainers.filter(isSidecar)];
  const reserved = together.reduce(
    (total, container) => total + Math.max(minimumContainerMemoryBytes, requestsOf(container).memory ?? 0),
    0,
  );
  const onlyStarting = initContainers.length - (together.length - pod.spec.containers.length);
  const memory = Math.max(requests.memory ?? 0, reserved) + onlyStarting * minimumContainerMemoryBytes;
  return { ...requests, memory, pods: 1 };
}

/** A port of the Node which a Pod occupies. */
export interface HostPort {
  readonly address: string;
  readonly protocol: string;
  readonly port: number;
}

/** Host ports of containers and sidecars. */
export function hostPorts(pod: Pod): HostPort[] {
  const together = [...pod.spec.containers, ...(pod.spec.initContainers ?? []).filter(isSidecar)];
  return together.flatMap((container) =>
    (container.ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ port: hostPort, address: hostIP || "0.0.0.0", protocol: protocol ?? "TCP" }] : [],
    ),
  );
}

/** Two host ports exclude each other: same protocol and number, and addresses that overlap. */
export const collide = (one: HostPort, other: HostPort): boolean =>
  one.port === other.port &&
  one.protocol === other.protocol &&
  (one.address === other.address || one.address === "0.0.0.0" || other.address === "0.0.0.0");
