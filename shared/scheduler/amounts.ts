/** Resources as plain numbers: CPU in thousandths of a core, everything else in whole units (bytes, pieces), rounded up. */
import { remembering } from "../api/memo.ts";
import { toMilli, toNumber } from "../api/quantity.ts";

export type Amounts = Readonly<Record<string, number>>;

/** Few texts occur again and again, so they are remembered. */
const maxRemembered = 5_000;
const cpuAmount = remembering((quantity) => Number(toMilli(quantity)), maxRemembered);
const otherAmount = remembering(toNumber, maxRemembered);

/** One quantity of a resource. */
const amountOf = (resource: string, quantity: string): number => (resource === "cpu" ? cpuAmount(quantity) : otherAmount(quantity));

export function amountsOf(quantities: Readonly<Record<string, string>> | undefined): Amounts {
  const amounts: Record<string, number> = {};
  for (const [resource, quantity] of Object.entries(quantities ?? {})) amounts[resource] = amountOf(resource, quantity);
  return amounts;
}

export function sum(...all: readonly Amounts[]): Amounts {
  const total: Record<string, number> = {};
  for (const amounts of all) {
    for (const [resource, amount] of Object.entries(amounts)) total[resource] = (total[resource] ?? 0) + amount;
  }
  return total;
}

/** The larger of the two for each resource. */
export function largest(one: Amounts, other: Amounts): Amounts {
  const result: Record<string, number> = { ...one };
  for (const [resource, amount] of Object.entries(other)) result[resource] = Math.max(result[resource] ?? 0, amount);
  return result;
}
