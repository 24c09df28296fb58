/** `pods/resize`: other requests and limits for the containers of a Pod. Whether they can be had is the kubelet's answer, in a condition. */
import type { Container, Pod } from "../../api/generated/types.ts";
import type { AnyObject, Kind, Problem } from "../../api/kind.ts";
import { qosClass } from "../../api/kinds/pod-resources.ts";
import { forbidden, invalid } from "../../api/validation/problems.ts";
import { semanticallyEqual } from "../../api/validation/semantic-equality.ts";
import type { Endpoint } from "../update.ts";
import { clone } from "../values.ts";
import { keepDeclaredMetadata } from "./status.ts";

const asPod = (object: AnyObject): Pod => object as unknown as Pod;

export const resizeEndpoint = (kind: Kind): Endpoint => ({
  prepare: (next, previous) => {
    const wanted = asPod(next).spec;
    const before = asPod(previous).spec;
    // Containers that come, go or move are left for validation to name.
    if (!sameNames(wanted.containers, before.containers) || !sameNames(wanted.initContainers, before.initContainers)) return;
    next.spec = {
      ...clone(before),
      containers: resized(wanted.containers, before.containers),
      ...(before.initContainers && { initContainers: resized(wanted.initContainers ?? [], before.initContainers) }),
      ...(wanted.resources && { resources: wanted.resources }),
    };
    next.status = clone(previous.status);
    keepDeclaredMetadata(next, previous);
  },
  problems: (next, previous) => [...(kind.behaviour.validate?.(next) ?? []), ...resizeProblems(asPod(next), asPod(previous))],
});

type Containers = readonly Container[] | undefined;

const sameNames = (next: Containers = [], previous: Containers = []): boolean =>
  next.length === previous.length && next.every(({ name }, index) => name === previous[index]?.name);

const resized = (wanted: readonly Container[], before: readonly Container[]): Container[] =>
  before.map((container, index) => {
    const { resources, resizePolicy } = wanted[index] ?? container;
    const { resources: _, resizePolicy: __, ...rest } = clone(container);
    return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) };
  });

function resizeProblems(next: Pod, previous: Pod): Problem[] {
  if (previous.metadata.annotations?.["kubernetes.io/config.mirror"] !== undefined) return [forbidden("", "static pods cannot be resized")];
  if (previous.spec.os?.name === "windows") return [forbidden("", "windows pods cannot be resized")];
  const problems: Problem[] = [];
  const before = previous.status?.qosClass ?? qosClass(previous);
  if (before !== qosClass(next)) {
    problems.push(invalid("spec", next.status?.qosClass ?? "", "Pod QOS Class may not change as a result of resizing"));
  }
  const lists = ["containers", "initContainers"] as const;
  const moved = lists.flatMap((list) => movedContainers(list, next.spec[list] ?? [], previous.spec[list] ?? []));
  if (moved.length > 0) return [...problems, ...moved];
  for (const list of lists.toReversed()) {
    for (const [index, container] of (next.spec[list] ?? []).entries()) {
      const old = previous.spec[list]?.[index];
      if (old) problems.push(...containerProblems(container, old, `spec.${list}[${index}]`, list === "initContainers"));
    }
  }
  return problems;
}

function movedContainers(list: string, next: readonly Container[], previous: readonly Container[]): Problem[] {
  if (next.length !== previous.length) return [forbidden(`spec.${list}`, `${list} may not be added or removed on resize`)];
  return previous.flatMap(({ name }, index) =>
    next[index]?.name === name ? [] : [forbidden(`spec.${list}[${index}].name`, `${list} may not be renamed or reordered on resize`)],
  );
}

const resizable: ReadonlySet<string> = new Set(["cpu", "memory"]);

function containerProblems(next: Container, previous: Container, path: string, isInit: boolean): Problem[] {
  if (semanticallyEqual(next.resources, previous.resources)) return [];
  if (isInit && previous.restartPolicy !== "Always") return [forbidden("spec", "resources for non-sidecar init containers are immutable")];
  const problems: Problem[] = [];
  for (const kind of ["limits", "requests"] as const) {
    const before = previous.resources?.[kind] ?? {};
    const now = next.resources?.[kind] ?? {};
    if (Object.keys(before).some((name) => now[name] === undefined)) {
      problems.push(forbidden(`${path}.resources.${kind}`, `resource ${kind} cannot be removed`));
    }
    const others = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => !resizable.has(name));
    if (others.some((name) => now[name] !== before[name])) {
      problems.push(
        forbidden(
          isInit ? path : "spec",
          isInit ? "only cpu and memory resources for init or sidecar containers are mutable" : "only cpu and memory resources are mutable",
        ),
      );
    }
  }
  return problems;
}
