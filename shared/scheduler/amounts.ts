/** Resources as plain numbers: CPU in thousandths of a core, everything else in whole units (bytes, pieces), rounded up. */
import { toMilli, toNumber } from "../api/quantity.ts";

export type Amounts = Readonly<Record<string, number>>;

const parsed = new Map<string, number>();
const parsedLimit = 10_000;

/** One quantity of a resource. Few texts occur again and again, so they are remembered. */
function amountOf(resource: string, quantity: string): number {
  const key = resource === "cpu" ? `m${quantity}` : quantity;
  const known = parsed.get(key);
  if (known !== undefined) return known;
  const amount = resource === "cpu" ? Number(toMilli(quantity)) : toNumber(quantity);
  if (parsed.size >= parsedLimit) parsed.clear();
  parsed.set(key, amount);
  return amount;
}

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
