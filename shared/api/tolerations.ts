/** Tolerations among themselves. Pure. @see k8s.io/kubernetes/pkg/util/tolerations */
import { isDeepStrictEqual } from "node:util";
import type { Toleration } from "./generated/types.ts";
import { wholeNumber } from "./json.ts";

/** The list without those that another one makes superfluous; of equal ones the first stays. */
export function mergeTolerations(all: readonly Toleration[]): Toleration[] {
  const merged: Toleration[] = [];
  for (const [index, toleration] of all.entries()) {
    const isCovered = merged.some((other) => covers(other, toleration));
    const willBe = all.slice(index + 1).some((other) => !isDeepStrictEqual(other, toleration) && covers(other, toleration));
    if (!isCovered && !willBe) merged.push(toleration);
  }
  return merged;
}

/** Whether whatever the second one tolerates, the first one tolerates as well. */
function covers(wide: Toleration, narrow: Toleration): boolean {
  if (isDeepStrictEqual(wide, narrow)) return true;
  const { operator = "Equal", key = "", effect = "", value = "", tolerationSeconds } = wide;
  if (key !== (narrow.key ?? "") && (key !== "" || operator !== "Exists")) return false;
  if (effect !== "" && effect !== narrow.effect) return false;
  if (effect === "NoExecute" && tolerationSeconds !== undefined) {
    if (narrow.tolerationSeconds === undefined || wholeNumber(narrow.tolerationSeconds) > wholeNumber(tolerationSeconds)) return false;
  }
  return operator === "Exists" || ((narrow.operator ?? "Equal") === "Equal" && value === (narrow.value ?? ""));
}
