/** Arithmetic with lists of amounts (`{ cpu: "500m", pods: "3" }`), exact. Pure. */
import { add, compare, formatQuantity, parseQuantity, subtract } from "../api/quantity.ts";

export type Amounts = Readonly<Record<string, string>>;

const entries = (amounts: Amounts): [string, string][] => Object.entries(amounts);
const isPositive = (amount: string): boolean => parseQuantity(amount).unscaled > 0n;

/** Only these names. */
export const keep = (amounts: Amounts, names: readonly string[]): Amounts =>
  Object.fromEntries(entries(amounts).filter(([name]) => names.includes(name)));

export function plus(one: Amounts, other: Amounts): Amounts {
  const total: Record<string, string> = { ...one };
  for (const [name, amount] of entries(other)) {
    const before = total[name];
    total[name] = formatQuantity(before === undefined ? parseQuantity(amount) : add(parseQuantity(before), parseQuantity(amount)));
  }
  return total;
}

/** What `one` has more than `other`; never less than nothing. Without what is nothing. */
export function excess(one: Amounts, other: Amounts): Amounts {
  return Object.fromEntries(
    entries(one)
      .map(([name, amount]): [string, string] => [name, formatQuantity(subtract(parseQuantity(amount), parseQuantity(other[name] ?? "0")))])
      .filter(([, amount]) => isPositive(amount)),
  );
}

/** `one` without `other`, where there is anything of it; never less than nothing. */
export const minus = (one: Amounts, other: Amounts): Amounts =>
  Object.fromEntries(entries(one).map(([name, amount]) => [name, excess({ [name]: amount }, other)[name] ?? "0"]));

/** Names of which there would be more than is allowed. */
export const exceeding = (amounts: Amounts, limits: Amounts): string[] =>
  entries(amounts)
    .filter(([name, amount]) => limits[name] !== undefined && compare(parseQuantity(amount), parseQuantity(limits[name])) > 0)
    .map(([name]) => name);

export const isSame = (one: Amounts, other: Amounts): boolean =>
  Object.keys(one).length === Object.keys(other).length &&
  entries(one).every(([name, amount]) => other[name] !== undefined && compare(parseQuantity(amount), parseQuantity(other[name])) === 0);

/** `limits.cpu=1,pods=2` */
export const printed = (amounts: Amounts): string =>
  entries(amounts)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, amount]) => `${name}=${formatQuantity(parseQuantity(amount))}`)
    .join(",");
