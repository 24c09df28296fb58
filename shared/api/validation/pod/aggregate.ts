/** What the containers of a Pod need together. */
import type { Container, PodSpec } from "../../generated/types.ts";
import { add, compare, formatQuantity, parseQuantity } from "../../quantity.ts";

export type Amounts = Record<string, string>;

const plus = (left: string | undefined, right: string): string =>
  left === undefined ? right : formatQuantity(add(parseQuantity(left), parseQuantity(right)));

const atLeast = (left: string | undefined, right: string): string =>
  left !== undefined && compare(parseQuantity(left), parseQuantity(right)) >= 0 ? left : right;

export function sumAmounts(lists: readonly Readonly<Amounts>[]): Amounts {
  const total: Amounts = {};
  for (const list of lists) for (const [name, amount] of Object.entries(list)) total[name] = plus(total[name], amount);
  return total;
}

/**
 * At the worst moment: all regular containers and sidecars at once, or one init container beside the sidecars that started
 * before it.
 */
export function aggregateAmounts(spec: PodSpec, of: (container: Container) => Amounts | undefined): Amounts {
  const regular = sumAmounts((spec.containers ?? []).map((container) => of(container) ?? {}));
  let sidecars: Amounts = {};
  const peaks: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    const isSidecar = container.restartPolicy === "Always";
    const together = sumAmounts([sidecars, of(container) ?? {}]);
    if (isSidecar) sidecars = together;
    for (const [name, amount] of Object.entries(together)) peaks[name] = atLeast(peaks[name], amount);
  }
  const total = sumAmounts([regular, sidecars]);
  for (const [name, amount] of Object.entries(peaks)) total[name] = atLeast(total[name], amount);
  return total;
}
